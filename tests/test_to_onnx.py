"""The exported file: each variant, made from a snapshot and run by the runtime's detector."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from export import checkpoint, to_onnx
from export.__main__ import main
from export.graph.frame_detector import FrameDetector, TorchDetector
from export.postprocess import PostprocessConfig
from export.retinanet import RetinaNet, RetinaNetConfig
from monitor.contract import ResizeRule
from monitor.detector import Detector
from monitor.frame import Image
from monitor.scene import training_picture

CLASSES = ("mask", "noMask")
RULE = {"min_side_px": 64, "max_side_px": 96, "multiple_px": 32}


def drawn(seed: int, width_px: int = 160, height_px: int = 120) -> Image:
    return training_picture(np.random.default_rng(seed), width_px, height_px)[0]


def encoded(image: Image) -> torch.Tensor:
    return torch.from_numpy(cv2.imencode(".png", image)[1])


def seeing_network() -> RetinaNet:
    """A small network with random weights that is sure of what it sees, in few places."""
    torch.manual_seed(1)
    config = RetinaNetConfig(
        CLASSES,
        "resnet18",
        width=0.125,
        fpn_channels=8,
        subnet_depth=1,
        anchor_ratios=(1.0,),
        anchor_scales=(1.0,),
    )
    network = RetinaNet(config).eval()
    last = network.head.classification_head.get_submodule("cls_logits")
    batch = np.stack([cv2.resize(drawn(seed), (96, 64)) for seed in range(8)])
    with torch.no_grad():
        last.get_parameter("bias").zero_()
        logits = network(torch.from_numpy(batch))[0].flatten(0, 1)
        spread = 3 / logits.std()
        last.get_parameter("weight").mul_(spread)
        last.get_parameter("bias").copy_(-4 - spread * logits.mean(dim=0))
    return network


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of such a network and four drawn pictures."""
    network = seeing_network()
    content = {
        "config": network.config.to_dict(),
        "resize": RULE,
        "arguments": {"seed": 7, "epochs": 50},
        # two epochs after another that was trained elsewhere
        "history": [{"epoch": 2}, {"epoch": 3, "validation": {"pictures": 4}}],
        "epoch": 3,
        "progress": {"steps": 0},
        "pictures": [encoded(drawn(seed)) for seed in range(4)],
        "network": network.state_dict(),
        "averaged": network.state_dict(),
    }
    path = tmp_path_factory.mktemp("snapshot") / "small.pt"
    checkpoint.save(path, content)
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures to calibrate with."""
    folder = tmp_path_factory.mktemp("calibration")
    for seed in range(8):
        cv2.imwrite(str(folder / f"{seed}.jpg"), drawn(seed, 200, 140))
    return folder


@pytest.fixture(scope="module")
def export(snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Exports the snapshot with some options, once for every set of them."""
    folder, done = tmp_path_factory.mktemp("exported"), {}

    def make(*options: str) -> Path:
        if options not in done:
            path = folder / f"{len(done)}.onnx"
            report = ["--report", str(path.with_suffix(".json"))]
            assert main(["onnx", *options, *report, str(snapshot), str(path)]) == 0
            done[options] = path
        return done[options]

    return make


def float_types(path: Path) -> dict[int, int]:
    """How many weights of convolutions there are of each of ONNX's types."""
    model = onnx.load(path)
    of_convolutions = {n.input[1] for n in model.graph.node if n.op_type == "Conv"}
    types = [w.data_type for w in model.graph.initializer if w.name in of_convolutions]
    return {kind: types.count(kind) for kind in set(types)}


def test_the_file_says_how_it_was_made(export: Callable[..., Path]) -> None:
    contract = Detector(export(), device="cpu").contract
    assert contract.classes == CLASSES
    assert contract.resize == ResizeRule(**RULE)
    assert contract.producer.startswith("maskgate ")
    assert contract.training["seed"] == 7
    # the epochs that there were, not those that were planned
    assert contract.training["epochs"] == 3
    assert contract.training["export"] == {
        "precision": "fp32",
        "nms": True,
        "nms_threshold": 0.45,
        "class_specific_filter": False,
        "score_threshold": 0.05,
        "max_detections": 100,
        "candidates": 512,
    }
    assert contract.metrics["pictures"] == 4
    assert contract.metrics["resize"] == RULE
    parity = contract.metrics["parity"]
    assert parity["matched"] == 1
    assert parity["detections"] > 20
    assert parity["score_worst"] < 1e-4


def test_the_report_is_what_the_file_says(export: Callable[..., Path]) -> None:
    path = export()
    report = json.loads(path.with_suffix(".json").read_text())
    contract = Detector(path, device="cpu").contract
    assert report["export"] == contract.training["export"]
    assert report["parity"] == contract.metrics["parity"]


def test_a_snapshot_from_inside_an_epoch_has_no_figures_of_the_epoch_before(
    snapshot: Path, tmp_path: Path
) -> None:
    content = checkpoint.load(snapshot)
    checkpoint.save(tmp_path / "last.pt", {**content, "progress": {"steps": 1}})
    assert main(["onnx", str(tmp_path / "last.pt"), str(tmp_path / "out.onnx")]) == 0
    contract = Detector(tmp_path / "out.onnx", device="cpu").contract
    assert contract.metrics.keys() == {"parity"}
    assert contract.training["epochs"] == 3


@pytest.mark.parametrize("options", [(), ("--int8",)])
def test_nothing_of_the_machine_is_in_the_file(
    export: Callable[..., Path], pictures: Path, options: tuple[str, ...]
) -> None:
    path = export(*options, *(("--calibration", str(pictures)) if options else ()))
    content = path.read_bytes()
    for folder in (path.parent, pictures, Path(__file__).parents[1], Path(torch.__file__).parent):
        assert str(folder).encode() not in content
    assert b"/tmp" not in content


def test_half_precision_holds_every_weight_in_16_bits(export: Callable[..., Path]) -> None:
    path = export("--fp16")
    assert float_types(path) == {onnx.TensorProto.FLOAT16: float_types(export())[1]}
    assert path.stat().st_size < 0.8 * export().stat().st_size
    outputs = onnx.load(path).graph.output
    assert {o.type.tensor_type.elem_type for o in outputs} == {onnx.TensorProto.FLOAT}
    contract = Detector(path, device="cpu").contract
    assert contract.training["export"]["precision"] == "fp16"
    assert 0 < contract.metrics["parity"]["score_mean"] < 0.01


def test_int8_holds_every_weight_of_a_resnet_in_8_bits(
    export: Callable[..., Path], pictures: Path
) -> None:
    path = export("--int8", "--calibration", str(pictures))
    assert float_types(path) == {}
    contract = Detector(path, device="cpu").contract
    assert contract.training["export"]["calibration_pictures"] == 8
    # a face more costs a processor nothing
    assert contract.training["export"]["candidates"] is None
    dimensions = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dimensions] == ["B", "H", "W", 3]


def test_without_suppression_the_outputs_keep_their_shape(export: Callable[..., Path]) -> None:
    path = export("--no-nms", "--no-resize", "--max-detections", "40", "--candidates", "10")
    for output, columns in zip(onnx.load(path).graph.output, (4, 2), strict=True):
        assert [d.dim_value for d in output.type.tensor_type.shape.dim[1:]] == [40, columns]
    contract = Detector(path, device="cpu").contract
    assert contract.resize == ResizeRule(None, None)
    # candidates are never fewer than the rows
    assert contract.training["export"]["candidates"] == 40
    assert contract.metrics["parity"]["matched"] == 1


@pytest.mark.parametrize(
    "size_px",
    [
        (1, 1),  # nothing to see; fewer anchors than candidates
        (40, 40),  # enlarged, likewise
        (300, 31),  # a strip
        (70, 200),  # upright
    ],
)
def test_the_file_takes_frames_of_any_size(
    snapshot: Path, export: Callable[..., Path], size_px: tuple[int, int]
) -> None:
    network, _ = checkpoint.load_network(snapshot)
    by_torch = TorchDetector(FrameDetector(network, PostprocessConfig(), ResizeRule(**RULE)))
    image = drawn(1, 320, 200)[: size_px[1], : size_px[0]]
    wanted = by_torch(image)
    found = Detector(export(), device="cpu", resize_on_host=False)(image)
    assert np.allclose(wanted.scores, found.scores, atol=1e-4)
    assert np.allclose(wanted.boxes, found.boxes, atol=1e-2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        # int8 of what?
        (["--int8"], "--int8 and --calibration DIR need each other"),
        # pictures for nothing
        (["--calibration", "."], "--int8 and --calibration DIR need each other"),
        # a number has one format
        (["--fp16", "--int8", "--calibration", "."], "--fp16 and --int8 found"),
        # no such folder
        (["--int8", "--calibration", "nowhere"], "nowhere: no such folder"),
        # a folder with no picture in it
        (["--int8", "--calibration", "."], "found no picture in the folder"),
        # every number out of its range, at once
        (
            ["--nms-threshold", "2", "--score-threshold", "-1", "--max-detections", "0"],
            "--nms-threshold 2.0 found, expected 0 to 1; --score-threshold -1.0 found, expected 0 "
            "to less than 1; --max-detections 0 found",
        ),
        # grant below deny
        (["--grant", "0.2"], "--deny 0.3 found, expected at least 0.05 and at most --grant, 0.2"),
        # deny below what the monitor is told of
        (["--deny", "0.04"], "--deny 0.04 found, expected at least 0.05 and at most --grant, 0.5"),
        # likewise
        (["--score-threshold", "0.35"], "--score-threshold 0.35 found, expected at most the deny"),
    ],
)
def test_wrong_options_end_in_one_clear_message(
    snapshot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["onnx", *options, str(snapshot), "out.onnx"]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def report_of(file: Path, report: Path, point: dict[str, float] | None) -> list[str]:
    """Write a report of nine pictures, with that point of its door curve; the option for it."""
    content = {
        "model": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
        "resize": RULE,
        "data_set": {"pictures": 9},
        "figures": {"pictures": 9, "door": {"at_most_denials": point}},
    }
    report.write_text(json.dumps(content))
    return ["--measured", str(report)]


def lines_about(report: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if str(report) in line]


def test_figures_of_no_door_are_stored_and_the_thresholds_that_stay_are_said(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, output = tmp_path / "report.json", tmp_path / "out.onnx"
    words = [*report_of(snapshot, report, None), "--deny", "0.2", str(snapshot), str(output)]
    assert main(["onnx", *words]) == 0
    [line] = lines_about(report, capsys)
    assert "found no door figures to choose thresholds by" in line
    assert line.endswith("; grant 0.5 and deny 0.2 go into the file")
    contract = Detector(output, device="cpu").contract
    assert contract.metrics["pictures"] == 9
    assert (contract.grant, contract.deny) == (0.5, 0.2)


POINT = {"tau": 0.2, "up_to": 0.9, "denials": 0.1}


def test_a_file_made_again_takes_the_figures_of_the_one_it_replaces(
    export: Callable[..., Path],
    snapshot: Path,
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report, output = tmp_path / "report.json", tmp_path / "out.onnx"
    words = ["--int8", "--calibration", str(pictures)]
    output.write_bytes(export(*words).read_bytes())
    measured = report_of(output, report, POINT)
    assert main(["onnx", *measured, *words, str(snapshot), str(output)]) == 0
    assert lines_about(report, capsys) == []
    contract = Detector(output, device="cpu").contract
    assert contract.metrics["pictures"] == 9
    assert contract.deny == pytest.approx(0.21)


def test_a_report_of_a_file_that_other_options_made_is_refused(
    export: Callable[..., Path],
    snapshot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, ready = export("--fp16").read_bytes(), onnx.load(export())
    monkeypatch.setattr(to_onnx, "trace", lambda detector: ready)
    report, output = tmp_path / "report.json", tmp_path / "out.onnx"
    output.write_bytes(before)
    words = [*report_of(output, report, POINT), str(snapshot), str(output)]
    assert main(["onnx", *words]) == 2
    assert f"measured of {output} as it is, expected it to be" in capsys.readouterr().err
    assert output.read_bytes() == before


def test_a_file_in_int8_with_the_figures_of_the_snapshot_says_whose_they_are(
    export: Callable[..., Path],
    snapshot: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["--int8", "--calibration", str(pictures)]
    ready = onnx.load(export(*words))
    monkeypatch.setattr(to_onnx, "make_model", lambda *_: (ready, {"precision": "int8"}))
    report, output = tmp_path / "report.json", tmp_path / "out.onnx"
    words += report_of(snapshot, report, POINT)
    assert main(["onnx", *words, str(snapshot), str(output)]) == 0
    [line] = lines_about(report, capsys)
    assert "the figures are those of small.pt in float32, not of int8" in line


def test_a_damaged_picture_in_the_calibration_is_named(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"no picture")
    options = ["--int8", "--calibration", str(tmp_path)]
    assert main(["onnx", *options, str(snapshot), str(tmp_path / "out.onnx")]) == 1
    assert "torn.jpg: cannot decode" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["onnx", str(snapshot), str(tmp_path / "file" / "out.onnx")]) == 2
    assert "file/out.onnx: the folder cannot be made" in capsys.readouterr().err


def test_a_name_of_another_format_is_refused(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["onnx", str(snapshot), str(tmp_path / "inference.h5")]) == 2
    assert "inference.h5 found, expected a name in .onnx" in capsys.readouterr().err


def test_a_file_beyond_its_tolerance_is_not_left_behind(
    snapshot: Path,
    export: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ready = onnx.load(export())
    for weight in ready.graph.initializer:
        if weight.name.endswith("cls_logits.weight"):
            spoilt = onnx.numpy_helper.to_array(weight) * 1.1
            weight.CopyFrom(onnx.numpy_helper.from_array(spoilt, weight.name))
    monkeypatch.setattr(to_onnx, "trace", lambda detector: ready)
    output, report = tmp_path / "out.onnx", tmp_path / "report.json"
    assert main(["onnx", "--report", str(report), str(snapshot), str(output)]) == 1
    assert "the file and torch find different things" in capsys.readouterr().err
    assert json.loads(report.read_text())["parity"]["score_worst"] > 2e-3
    assert list(tmp_path.iterdir()) == [report]


def test_a_full_disk_is_said_of_the_file_that_found_no_room(
    snapshot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        # as a failed write raises it, which names no file
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(to_onnx, "make_model", lambda *_: (onnx.ModelProto(), {}))
    monkeypatch.setattr(to_onnx, "save_model", fail)
    output = tmp_path / "out.onnx"
    assert main(["onnx", str(snapshot), str(output)]) == 1
    assert f"{output}: cannot be written: No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_finds_no_room_is_named_and_leaves_no_file(
    snapshot: Path,
    export: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ready = onnx.load(export())
    monkeypatch.setattr(to_onnx, "trace", lambda detector: ready)
    words = ["--report", "/dev/full", str(snapshot), str(tmp_path / "out.onnx")]
    assert main(["onnx", *words]) == 2
    assert "/dev/full: cannot write the report: No space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_sees_nothing_is_not_exported(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = checkpoint.load(snapshot)
    content["averaged"]["head.classification_head.cls_logits.bias"] -= 30
    checkpoint.save(tmp_path / "blind.pt", content)
    assert main(["onnx", str(tmp_path / "blind.pt"), str(tmp_path / "blind.onnx")]) == 1
    assert "the network found nothing that scores 0.052" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["blind.pt"]
