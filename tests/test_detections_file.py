"""The detections file: what it holds, and that figures survive the way through it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from truth import BIG, CLASSES, EMPTY_WALL, OTHER, SMALL, labelled, seen

from export.datasets import DatasetError, Sample
from export.figures.detections_file import image_names, read_detections, write_detections
from export.figures.door_figures import door_figures
from export.figures.metrics import average_precision
from monitor.errors import UsageError


def at(path: str) -> Sample:
    return Sample(Path(path), np.zeros((0, 4), np.float32), ())


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        pytest.param(["d/JPEGImages/a.jpg", "d/JPEGImages/b.jpg"], ["a.jpg", "b.jpg"], id="one"),
        pytest.param(["d/x/a.jpg", "d/y/a.jpg"], ["x/a.jpg", "y/a.jpg"], id="two folders"),
        pytest.param(["d/a.jpg"], ["a.jpg"], id="one picture"),
        pytest.param([], [], id="none"),
    ],
)
def test_image_names_are_relative_to_the_common_folder(paths: list[str], names: list[str]) -> None:
    assert image_names([at(path) for path in paths]) == names


def test_detections_file_has_a_row_for_every_face_and_class_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    found = seen(((1.234, 2, 30.126, 40), 0.9, 0.05), (OTHER, 0.04, 0.123456789), (BIG, 0.01, 0.02))
    write_detections(path, [at("d/a.jpg"), at("d/b.jpg")], [found, seen()])
    assert json.loads(path.read_text()) == [
        {
            "image": "a.jpg",
            "boxes": [[1.23, 2, 30.13, 40], [1.23, 2, 30.13, 40], list(OTHER)],
            "scores": [0.9, 0.05, 0.123457],
            "labels": ["mask", "noMask", "noMask"],
        },
        {"image": "b.jpg", "boxes": [], "scores": [], "labels": []},
    ]


def test_figures_are_the_same_from_the_file_as_from_the_model(tmp_path: Path) -> None:
    samples = [labelled((BIG, "mask"), (SMALL, "noMask")), labelled((OTHER, "mask")), labelled()]
    found = [
        seen((BIG, 0.7, 0.2), (SMALL, 0.3, 0.25)),
        seen((OTHER, 0.6, 0.03), (EMPTY_WALL, 0.01, 0.5)),
        seen(),
    ]
    write_detections(tmp_path / "out.json", samples, found)
    again = [detections for _, detections in read_detections(tmp_path / "out.json", CLASSES)]
    assert average_precision(samples, again) == average_precision(samples, found)
    assert door_figures(samples, again) == door_figures(samples, found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "as JSON", id="empty"),
        pytest.param("{}", "found dict, expected a list", id="not a list"),
        pytest.param("[1]", "item 0: found", id="not an object"),
        pytest.param('[{"image": "a"}]', "item 0: found KeyError", id="no rows"),
        pytest.param(
            '[{"image": "a", "boxes": [[0, 0, 9, 9]], "scores": [1], "labels": ["hat"]}]',
            "expected image, boxes, scores and labels of mask, noMask",
            id="unknown class",
        ),
        pytest.param(
            '[{"image": "a", "boxes": [], "scores": [1], "labels": ["mask"]}]',
            "item 0: found ValueError",
            id="rows that do not match",
        ),
    ],
)
def test_wrong_detections_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "out.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_detections(path, CLASSES)


def test_detections_file_that_cannot_be_opened_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the detections"):
        write_detections(tmp_path / "none" / "out.json", [], [])
    with pytest.raises(UsageError, match="cannot read the detections"):
        read_detections(tmp_path / "out.json", CLASSES)
