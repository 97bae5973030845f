"""Drawn pictures: every picture that can be read gets a file that can be written and seen."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.drawing.drawn_pictures import DrawnPictures
from monitor.errors import UsageError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # a format that OpenCV writes, in any case
        ("a.png", "a_found.png"),
        ("a.JPG", "a_found.JPG"),
        # names of a JPEG that OpenCV reads and does not write
        ("a.jfif", "a_found.jpg"),
        ("a", "a_found.jpg"),
        # a suffix that is no text
        (os.fsdecode(b"a.\xfc"), "a_found.jpg"),
    ],
)
def test_a_drawing_is_written_as_its_picture_or_else_as_jpeg(
    tmp_path: Path, name: str, expected: str
) -> None:
    picture = tmp_path / name
    drawings = DrawnPictures(tmp_path / "drawn", "found", [picture])
    path = drawings.write(picture, np.zeros((30, 40, 3), np.uint8))
    assert path == drawings.path(picture) == tmp_path / "drawn" / expected
    assert cv2.imread(str(path)).shape == (30, 40, 3)


def test_two_pictures_whose_drawings_would_have_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a_found\.jpg: found the drawings of .* and .*jfif"):
        DrawnPictures(tmp_path, "found", [tmp_path / "a.jpg", tmp_path / "a.jfif"])
