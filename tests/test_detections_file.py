"""The detections file: what it holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from truth import BIG, OTHER, seen

from export.datasets import Sample
from export.figures.detections_file import image_names, write_detections
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


def test_detections_file_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the detections"):
        write_detections(tmp_path / "none" / "out.json", [], [])
