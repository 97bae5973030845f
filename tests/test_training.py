"""The training side as its users run it: train, resume, export and evaluate on drawn pictures."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
import torch

from export import checkpoint
from export.__main__ import main
from export.frame_detector import FrameDetector
from export.postprocess import PostprocessConfig
from export.to_onnx import ExportError, answers, compare
from monitor.detections import Detections
from monitor.detector import Detector
from monitor.scene import training_picture

SMALL = [
    *("--backbone", "resnet18", "--width", "0.25", "--fpn-channels", "8", "--subnet-depth", "1"),
    *("--crop", "128", "--long-side", "128", "--epochs", "2", "--batch-size", "4"),
    *("--warmup-steps", "2", "--scenes", "0.25", "--workers", "0", "--validate-every", "0"),
    *("--precision", "fp32"),
]


def write_annotation(path: Path, boxes: np.ndarray, labels: list[str]) -> None:
    root = ET.Element("annotation")
    for box, label in zip(boxes, labels, strict=True):
        node = ET.SubElement(root, "object")
        ET.SubElement(node, "name").text = label
        edges = ET.SubElement(node, "bndbox")
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            ET.SubElement(edges, name).text = f"{value:.2f}"
    ET.ElementTree(root).write(path)


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve drawn pictures as labelImg would leave them, the last four as `val`."""
    folder = tmp_path_factory.mktemp("drawn")
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    names = [f"drawn{index}" for index in range(12)]
    for index, name in enumerate(names):
        image, boxes, labels = training_picture(np.random.default_rng(index), 160, 120)
        cv2.imwrite(str(folder / "JPEGImages" / f"{name}.jpg"), image)
        write_annotation(folder / "Annotations" / f"{name}.xml", boxes, labels)
    (folder / "ImageSets/Main/train.txt").write_text("\n".join(names[:8]))
    (folder / "ImageSets/Main/val.txt").write_text("\n".join(names[8:]))
    return folder


@pytest.fixture(scope="module")
def trained(data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of two epochs on them: `first.pt` as the first epoch left it, and `last.pt`."""
    folder = tmp_path_factory.mktemp("trained")
    save = checkpoint.save

    def keep_first(path: Path, content: dict) -> None:
        save(path, content)
        if not (folder / "first.pt").exists():
            shutil.copy(path, folder / "first.pt")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save", keep_first)
        assert main(["train", "--output", str(folder), *SMALL, "pascal", str(data_set)]) == 0
    return folder


@pytest.fixture(scope="module")
def seeing(trained: Path) -> Path:
    """The trained checkpoint, made to see faces everywhere, as two epochs teach it nothing."""
    content = checkpoint.load(trained / "last.pt")
    content["averaged"]["head.classification_head.cls_logits.bias"] += 4.0
    content["averaged"]["head.classification_head.cls_logits.weight"] *= 30.0
    path = trained / "seeing.pt"
    checkpoint.save(path, content)
    return path


@pytest.fixture(scope="module")
def exported(seeing: Path) -> Path:
    path = seeing.with_name("seeing.onnx")
    assert main(["onnx", str(seeing), str(path)]) == 0
    return path


def test_training_leaves_a_checkpoint_that_says_how_it_was_made(trained: Path) -> None:
    content = checkpoint.load(trained / "last.pt")
    assert content["config"]["classes"] == ("mask", "noMask")
    assert content["arguments"]["seed"] == 0
    assert [entry["skipped_steps"] for entry in content["history"]] == [0, 0]
    assert "validation" not in content["history"][0]
    assert content["history"][1]["validation"]["pictures"] == 4


def test_training_that_was_cut_off_goes_on_as_if_nothing_had_happened(
    data_set: Path, trained: Path, tmp_path: Path
) -> None:
    shutil.copy(trained / "first.pt", tmp_path / "last.pt")
    arguments = ["train", "--resume", "--output", str(tmp_path), *SMALL, "pascal", str(data_set)]
    assert main(arguments) == 0
    resumed = checkpoint.load(tmp_path / "last.pt")
    straight = checkpoint.load(trained / "last.pt")
    for part in ("network", "averaged"):
        for name, value in straight[part].items():
            assert torch.equal(resumed[part][name], value), name
    assert resumed["history"] == straight["history"]


def test_a_frozen_stem_keeps_the_weights_that_were_loaded(
    data_set: Path, trained: Path, tmp_path: Path
) -> None:
    start = checkpoint.load(trained / "last.pt")["network"]
    torch.save(start, tmp_path / "start.pth")
    frozen = ["--weights", str(tmp_path / "start.pth"), "--freeze-stem"]
    arguments = ["train", "--output", str(tmp_path / "run"), *SMALL, *frozen]
    assert main([*arguments, "pascal", str(data_set)]) == 0
    end = checkpoint.load(tmp_path / "run" / "last.pt")["network"]
    for name, moves in (("conv1", False), ("layer1.1.conv2", False), ("layer2.0.conv1", True)):
        key = f"backbone.body.{name}.weight"
        assert torch.equal(start[key], end[key]) is not moves, name


def test_a_training_is_not_resumed_with_other_arguments(
    data_set: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ["--resume", "--output", str(trained), *SMALL, "--lr", "0.5"]
    assert main(["train", *other, "pascal", str(data_set)]) == 2
    assert "lr: 0.001 there, 0.5 here" in capsys.readouterr().err


def test_a_checkpoint_is_never_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"epoch": 1})

    def break_off(content: dict, file: object) -> None:
        file.write(b"half a checkpoint")  # type: ignore[attr-defined]
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", break_off)
    with pytest.raises(OSError, match="no space"):
        checkpoint.save(path, {"epoch": 2})
    assert checkpoint.load(path)["epoch"] == 1


def test_the_exported_file_finds_what_the_checkpoint_finds(
    data_set: Path, seeing: Path, exported: Path, tmp_path: Path
) -> None:
    found = {}
    for model in (seeing, exported):
        output = tmp_path / f"{model.suffix}.json"
        options = ["--model", str(model), "--split", "val", "--detections", str(output)]
        assert main(["evaluate", *options, "pascal", str(data_set)]) == 0
        found[model.suffix] = json.loads(output.read_text())
    torch_pictures, onnx_pictures = found[".pt"], found[".onnx"]
    assert [p["image"] for p in torch_pictures] == [f"drawn{i}.jpg" for i in range(8, 12)]
    for first, second in zip(torch_pictures, onnx_pictures, strict=True):
        assert len(first["scores"]) > 0
        # the runtime's detector resizes on the host, which rounds to whole pixel values
        assert np.mean(first["scores"]) == pytest.approx(np.mean(second["scores"]), abs=0.02)
        assert set(second["labels"]) <= {"mask", "noMask"}


def test_the_exported_file_carries_its_history(exported: Path) -> None:
    contract = Detector(exported, device="cpu").contract
    assert contract.long_side_px == 128
    assert contract.training["epochs"] == 2
    assert contract.metrics["pictures"] == 4
    assert contract.metrics["long_side_px"] == 128
    assert str(exported.parent) not in json.dumps(contract.to_metadata())
    content = exported.read_bytes()
    for folder in (exported.parent, Path(__file__).parents[1], Path(torch.__file__).parent):
        assert str(folder).encode() not in content


@pytest.mark.parametrize(
    "spoil",
    [
        lambda faces: faces.where(np.arange(len(faces)) > 0),  # a face is missing
        lambda faces: Detections(faces.boxes, faces.scores * 0.9, faces.classes),  # other scores
        lambda faces: Detections(faces.boxes + 5, faces.scores, faces.classes),  # other boxes
        lambda faces: Detections(faces.boxes[:, [1, 0, 3, 2]], faces.scores, faces.classes),
    ],
)
def test_a_file_that_disagrees_with_its_network_is_not_exported(seeing: Path, spoil) -> None:
    network, _ = checkpoint.load_network(seeing)
    graph = FrameDetector(network, PostprocessConfig(), 128).eval()
    pictures = [training_picture(np.random.default_rng(0), 160, 100)[0]]
    truth = answers(graph, pictures)
    assert "score within" in compare(truth, lambda image: truth[0], pictures)
    with pytest.raises(ExportError):
        compare(truth, lambda image: spoil(truth[0]), pictures)


def test_a_network_that_sees_nothing_is_not_exported(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["onnx", str(trained / "last.pt"), str(tmp_path / "blind.onnx")]) == 1
    assert "found no face" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_boxes_trains_as_well(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = [f"{data_set}/JPEGImages/drawn{index}.jpg" for index in range(3)]
    rows = [f"{pictures[0]},10,10,50,60,bare", f"{pictures[1]},20,10,60,60,covered"]
    (tmp_path / "data.csv").write_text("\n".join([*rows, f"{pictures[2]},,,,,"]))
    (tmp_path / "classes.csv").write_text("covered,0\nbare,1\n")
    output = tmp_path / "run"
    words = ["csv", str(tmp_path / "data.csv"), str(tmp_path / "classes.csv")]
    assert main(["train", "--output", str(output), *SMALL, *words]) == 2
    assert "the classes are covered, bare; expected --scenes 0" in capsys.readouterr().err
    assert main(["train", "--output", str(output), *SMALL, "--scenes", "0", *words]) == 0
    assert checkpoint.load(output / "last.pt")["config"]["classes"] == ("covered", "bare")
    evaluate = ["evaluate", "--model", str(output / "last.pt")]
    assert main([*evaluate, *words]) == 0
    assert "covered" in capsys.readouterr().out
    assert main([*evaluate, "--split", "val", *words]) == 2
    assert "a csv data set has no lists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "exit_code", "message"),
    [
        # a picture of no bytes
        (lambda d: (d / "JPEGImages/drawn0.jpg").write_bytes(b""), 1, "drawn0.jpg"),
        # a box outside its picture
        (
            lambda d: write_annotation(
                d / "Annotations/drawn1.xml", np.array([[10, 10, 999, 50]]), ["mask"]
            ),
            1,
            "drawn1.xml: object 1: found x 10 to 999",
        ),
        # an annotation that is no XML
        (lambda d: (d / "Annotations/drawn2.xml").write_text("<annotation"), 1, "drawn2.xml"),
        # no data set at all
        (lambda d: shutil.rmtree(d / "JPEGImages"), 2, "no such folder"),
    ],
)
def test_bad_data_ends_in_one_clear_message(
    data_set: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change,
    exit_code: int,
    message: str,
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(data_set, folder)
    change(folder)
    arguments = ["train", "--output", str(tmp_path / "run"), *SMALL, "pascal", str(folder)]
    assert main(arguments) == exit_code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # what was never loaded must not be frozen
        (["train", "--freeze-stem", "pascal"], "no --weights given"),
        # a checkpoint that is not there
        (["evaluate", "--model", "nothing.pt", "pascal"], "nothing.pt: no such file"),
        # every option out of its range, at once
        (["train", "--crop", "64", "--width", "0.1", "pascal"], "at least 128; --width"),
        # a merge without a target
        (["train", "--merge", "mask", "pascal"], "expected FROM=TO"),
    ],
)
def test_wrong_usage_ends_in_one_clear_message(
    data_set: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([*arguments, str(data_set)]) == 2
    assert message in capsys.readouterr().err


def test_a_model_of_other_classes_is_refused(
    data_set: Path, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", str(exported), "--merge", "noMask=bare", "pascal", str(data_set)]
    assert main(["evaluate", *options]) == 1
    assert "found the labels bare" in capsys.readouterr().err
