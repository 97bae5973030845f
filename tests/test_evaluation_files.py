"""What the evaluate command leaves behind: its report, the curves, detections and pictures."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from colour_graph import CLASSES, SIDE_PX
from evaluation_cases import PICTURES, evaluate, figures, write_set
from truth import labelled

from export.drawing.evaluation_drawing import draw_evaluated
from export.drawing.picture_drawing import class_colours
from export.figures.thresholds import Thresholds
from monitor.detections import Detections
from monitor.frame import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(tmp_path)


def test_the_report_says_what_was_measured_and_draws_its_curves(folder: Path) -> None:
    content = figures(folder, "--merge", "hat=noMask")
    model = folder / "colours.onnx"
    assert content["model"] == {
        "file": "colours.onnx",
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "classes": list(CLASSES),
    }
    assert content["data_set"] == {
        "kind": "csv",
        "split": None,
        "merged": ["hat=noMask"],
        "pictures": 5,
        "boxes": {"mask": 2, "noMask": 2},
    }
    curve = content["precision_recall"]["classes"]["mask"]
    assert curve["recall"] == pytest.approx(np.arange(101) / 100)
    assert curve["precision"] == pytest.approx([1] * 51 + [2 / 3] * 50)
    assert curve["score"] == pytest.approx([230 / 255] * 51 + [153 / 255] * 50)
    curves = read(folder / "report.png")
    for blue_green_red in ((178, 114, 0), (0, 94, 213)):
        assert (curves == blue_green_red).all(axis=2).sum() > 300


def test_all_detections_are_written(folder: Path) -> None:
    found = folder / "new" / "found.json"
    # neither threshold keeps anything out of this file
    limits = ["--score-threshold", "0.7", "--max-detections", "1"]
    assert evaluate(folder, *limits, "--detections", found) == 0
    pictures = json.loads(found.read_text())
    assert [picture["image"] for picture in pictures] == [f"{name}.png" for name in PICTURES]
    assert pictures[3] == {
        "image": "d.png",
        "boxes": [[0, 0, 64, 64]] * 2,
        "scores": [0.4, 0.8],
        "labels": ["mask", "noMask"],
    }


def test_pictures_are_drawn_with_what_is_labelled_and_what_was_found(folder: Path) -> None:
    out = folder / "new" / "out"
    assert evaluate(folder, "--save-path", out) == 0
    assert sorted(path.name for path in out.iterdir()) == [f"{n}_found.png" for n in PICTURES]
    (mask, bare), scale = class_colours(2), 3
    half, label_end = SIDE_PX // 2 * scale, 46 * scale
    for name, colour in (("c", mask), ("d", bare)):
        drawn = read(out / f"{name}_found.png")
        assert drawn.shape[0] > drawn.shape[1] == SIDE_PX * scale
        assert tuple(drawn[half - 10, half]) == colour
        dashes = (drawn[label_end, :half] == 255).all(axis=1).mean()
        assert (0.4 < dashes < 0.9) == (name == "c")


def test_what_is_unsure_is_drawn_thin_and_without_a_caption() -> None:
    corners, scores = (20.0, 120.0, 220.0), ((0.9, 0.0), (0.0, 0.6), (0.45, 0.0))
    boxes = np.array([(at, 300, at + 60, 360) for at in corners], np.float32)
    found = Detections(boxes, np.array(scores, np.float32), CLASSES)
    black = np.zeros((480, 640, 3), np.uint8)
    drawn = draw_evaluated(black, labelled(), found, Thresholds())[:480]
    mask, bare = class_colours(2)
    for at, colour, captioned in ((20, mask, True), (120, bare, True), (220, mask, False)):
        rows = (drawn[:, at : at + 60] == colour).all(axis=2).sum(axis=1)
        assert (rows[:297].sum() > 100) == ((rows[330:] == 60).sum() > 1) == captioned
        assert (rows[330:] == 60).any()


def read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)
