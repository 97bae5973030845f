"""The evaluate command: figures worked out by hand, and what it takes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from colour_graph import CLASSES, FOUND_BOX
from evaluation_cases import HALF, HALF_AND_TWO_THIRDS, LABELS, evaluate, figures, write_set
from picture_files import draw_scene

from export import checkpoint
from export.__main__ import main
from export.retinanet import RetinaNet, RetinaNetConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(tmp_path)


def test_the_figures_are_those_worked_out_by_hand(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = figures(folder)
    whole = content["figures"]["slices"][0]
    mask, bare = whole["classes"]["mask"], whole["classes"]["noMask"]
    assert mask["boxes"] == bare["boxes"] == 2
    assert mask["ap50"] == pytest.approx(HALF_AND_TWO_THIRDS)
    assert bare["ap50"] == pytest.approx(HALF)
    # of ten overlaps from 0.50 to 0.95, c is right at the first five
    assert mask["ap"] == pytest.approx((HALF_AND_TWO_THIRDS + HALF) / 2)
    assert content["mean_ap50"] == pytest.approx((HALF_AND_TWO_THIRDS + HALF) / 2)
    assert mask["ap50_interval"]["low"] < mask["ap50"] < mask["ap50_interval"]["high"]
    assert content["figures"]["detections"] == {"mask": 4, "noMask": 2}
    # nobody is in d; nothing keeps a, b and c shut, and no mask opens e
    door = content["figures"]["door"]
    assert (door["all_masked"], door["bare"], door["auc"]) == (2, 2, 0.75)
    assert door["at_most_denials"]["false_unlocks"] == 0.5
    said = capsys.readouterr().out
    assert ["all", "mask", "2", "0.835"] in [line.split()[:4] for line in said.splitlines()]
    assert "door AUC 0.750 [" in said


@pytest.mark.parametrize(
    ("options", "mask", "bare", "counted"),
    [
        # c and the mask in d no longer count, so that half of the masks are never found
        (["--score-threshold", "0.7"], HALF, HALF, {"mask": 2, "noMask": 2}),
        # one detection a picture: in d only the surer
        (["--max-detections", "1"], HALF_AND_TWO_THIRDS, HALF, {"mask": 3, "noMask": 2}),
        (["--max-detections", "2"], HALF_AND_TWO_THIRDS, HALF, {"mask": 4, "noMask": 2}),
    ],
)
def test_thresholds_decide_what_counts(
    folder: Path, options: list[str], mask: float, bare: float, counted: dict[str, int]
) -> None:
    content = figures(folder, *options)
    classes = content["figures"]["slices"][0]["classes"]
    assert classes["mask"]["ap50"] == pytest.approx(mask)
    assert classes["noMask"]["ap50"] == pytest.approx(bare)
    assert content["figures"]["detections"] == counted
    value = float(options[1])
    assert value in (content["thresholds"]["score"], content["thresholds"]["detections"])


def test_another_overlap_has_a_column_beside_ap50(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = figures(folder, "--iou-threshold", "0.72")
    mask = content["figures"]["slices"][0]["classes"]["mask"]
    assert mask["ap_at_overlap"] == pytest.approx(HALF)
    assert mask["ap50"] == pytest.approx(HALF_AND_TWO_THIRDS)
    head = capsys.readouterr().out.splitlines()[0].split()
    assert head == ["size", "class", "boxes", "AP50", "AP72", "AP"]


def test_the_model_may_be_named_by_the_option_or_last(folder: Path) -> None:
    last = figures(folder)
    words = ["csv", folder / "data.csv", folder / "classes.csv"]
    model, report = folder / "colours.onnx", folder / "report.json"
    assert main(["evaluate", *map(str, ("--report", report, "--model", model, *words))]) == 0
    assert json.loads(report.read_text()) == last


def test_damaged_pictures_are_refused_or_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.png").write_bytes(b"")
    torn = folder / "d.png"
    torn.write_bytes(torn.read_bytes()[:-20])
    assert evaluate(folder) == 1
    assert "error: " in (refused := capsys.readouterr().err)
    assert "b.png: found an empty file, expected a picture" in refused
    (folder / "data.csv").write_text(LABELS.replace("b.png", "a.png"))
    assert evaluate(folder) == 1
    assert f"error: {torn}: found the end of the file before" in capsys.readouterr().err
    (folder / "data.csv").write_text(LABELS)
    content = figures(folder, "--damaged", "skip")
    assert content["data_set"]["pictures"] == 3
    assert content["figures"]["detections"] == {"mask": 2, "noMask": 1}
    assert f"left out: {torn}: found the end of the file before" in capsys.readouterr().err
    (folder / "data.csv").write_text("d.png,,,,,\n")
    assert evaluate(folder, "--damaged", "skip") == 1
    assert "found no picture that can be read" in capsys.readouterr().err


def test_labels_that_the_model_does_not_know_are_refused_until_they_are_folded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data.csv").write_text(LABELS + f"d.png,{FOUND_BOX},hat\n".replace("d.png", "a.png"))
    assert evaluate(folder, "--save-path", folder / "out") == 1
    assert "found the labels hat, expected only mask, noMask; fold" in capsys.readouterr().err
    assert not list(folder.rglob("*_found.png"))
    assert figures(folder, "--merge", "hat=mask")["data_set"]["boxes"]["mask"] == 3


@pytest.mark.parametrize(
    ("lists", "options", "said"),
    [
        ("train: images/a\nval: images/e\n", [], "the lists train, val are measured together"),
        # one of them
        ("train: images/a\nval: images/e\n", ["--split", "val"], None),
        # there is but one
        ("val: images/e\n", [], None),
    ],
)
def test_lists_that_are_measured_together_are_named(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    lists: str,
    options: list[str],
    said: str | None,
) -> None:
    for name in "ae":
        picture = folder / "images" / name / f"{name}.png"
        picture.parent.mkdir(parents=True)
        (folder / f"{name}.png").rename(picture)
        labels = folder / "labels" / name / f"{name}.txt"
        labels.parent.mkdir(parents=True)
        labels.write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "data.yaml").write_text(f"{lists}names: [mask, noMask]\n")
    words = ["yolo", str(folder / "data.yaml"), str(folder / "colours.onnx")]
    assert main(["evaluate", *options, *words]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "data set" in line]
    expected = [f"data set: {said}; --split NAME measures one of them"] if said else []
    assert lines == expected


def test_without_labels_there_are_no_figures_and_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data.csv").write_text("a.png,,,,,\nd.png,,,,,\n")
    assert figures(folder)["mean_ap50"] is None
    said = capsys.readouterr().out
    assert "mask: no box is labelled, so that its 2 detections count in no figure above" in said
    assert (folder / "report.png").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "other.onnx"], "other.onnx and "),
        (["--score-threshold", "1.5"], "score 1.5 found, expected 0.05 to 1"),
        # no detector tells of less
        (["--score-threshold", "0.01"], "score 0.01 found, expected 0.05 to 1"),
        (["--iou-threshold", "0"], "IoU 0 found, expected more than 0"),
        (["--max-detections", "0"], "0 detections found, expected 1 or more"),
        (["--split", "val"], "--split: 'val' found"),
        (["--no-resize"], "an ONNX file has its own size"),
        (["--image-min-side", "0"], "an ONNX file has its own size"),
        # the curves beside it would replace it
        (["--report", "x.png"], "x.png found, expected a name for the JSON"),
        (["--report", "."], "found a folder, expected the name of a file"),
        (["--detections", "a.png/x.json"], "x.json: the folder cannot be made"),
        (["--save-path", "a.png"], "a.png: the folder cannot be made"),
    ],
)
def test_wrong_usage_exits_with_2_before_anything_is_looked_at(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(folder)
    assert evaluate(folder, *options) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert "detecting" not in err
    assert not out


def test_no_model_at_all_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["csv", str(folder / "data.csv"), str(folder / "classes.csv")]
    assert main(["evaluate", *words]) == 2
    assert "model: none found, expected one, after --model or" in capsys.readouterr().err


def test_a_snapshot_looks_and_ends_as_it_is_told(folder: Path) -> None:
    torch.manual_seed(0)
    config = RetinaNetConfig(
        CLASSES, "resnet18", width=0.25, fpn_channels=8, subnet_depth=0, prior=0.3
    )
    network = RetinaNet(config)
    state = network.state_dict()
    sides = {"min_side_px": 256, "max_side_px": 256, "multiple_px": 32}
    checkpoint.save(
        folder / "a.pt", {"config": config.to_dict(), "resize": sides, "averaged": state}
    )
    draw_scene(folder / "a.png", 0)
    (folder / "data.csv").write_text("a.png,,,,,\n")

    def boxes(*options: str) -> set[tuple[float, ...]]:
        found = folder / "found.json"
        assert evaluate(folder, "--detections", found, *options, model="a.pt") == 0
        return {tuple(box) for box in json.loads(found.read_text())[0]["boxes"]}

    usual = boxes()
    assert len(usual) == len(boxes("--max-detections", "5")) == 100
    assert 100 < len(boxes("--max-detections", "150")) <= 150
    assert boxes("--image-min-side", "64", "--image-max-side", "96") != usual
    # the other side is the snapshot's own
    assert boxes("--image-max-side", "512") == boxes(
        *("--image-min-side", "256", "--image-max-side", "512")
    )
