"""A sample: one labelled picture of a data set, and how its pixels are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from monitor.detections import FloatArray
from monitor.errors import MaskgateError
from monitor.frame import Image

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
MOST_PROBLEMS_SHOWN = 20


class DatasetError(MaskgateError):
    """A picture, annotation or list of a data set is damaged or contradicts another."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture and the faces labelled in it; a picture without a face is a negative.

    path: the picture's file.
    boxes: float32 [N, 4], xyxy pixels of the upright picture, x1 < x2 and y1 < y2.
    labels: N class names.

    Raises ValueError when boxes and labels disagree in number or shape.
    """

    path: Path
    boxes: FloatArray
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.labels), 4):
            raise ValueError(
                f"boxes: found shape {self.boxes.shape}, expected {(len(self.labels), 4)}"
            )

    @property
    def sides_px(self) -> FloatArray:
        """float32 [N]: square root of each box's area, pixels."""
        sides: FloatArray = np.sqrt((self.boxes[:, 2:] - self.boxes[:, :2]).prod(axis=1))
        return sides

    def read(self) -> Image:
        """The picture, uint8 [H, W, 3] BGR.

        Raises DatasetError when it cannot be decoded or a box does not lie inside it.
        """
        image = read_picture(self.path)
        height_px, width_px = image.shape[:2]
        problems = [
            f"{self.path}: box {number}: {problem}"
            for number, box in enumerate(self.boxes.tolist(), 1)
            if (problem := box_problem(box, (width_px, height_px)))
        ]
        refuse(problems)
        return image


def as_boxes(rows: Sequence[Sequence[float]]) -> FloatArray:
    """Rows of x1, y1, x2, y2, possibly none, as float32 [N, 4]."""
    return np.asarray(rows, np.float32).reshape(-1, 4)


def read_picture(path: Path) -> Image:
    """Decode a picture to uint8 [H, W, 3] BGR, turned upright by its EXIF orientation.

    Current labelImg shows, and so labels, the upright picture too (QImageReader.setAutoTransform).

    Raises DatasetError when the file is missing, empty or not a picture.
    """
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the picture: {error.strerror}") from None
    if not encoded.size:
        raise DatasetError(f"{path}: found an empty file, expected a picture")
    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    except cv2.error:  # A picture beyond OpenCV's limit of size.
        image = None
    if image is None:
        raise DatasetError(f"{path}: cannot decode the picture; expected JPEG, PNG or BMP")
    return np.asarray(image, np.uint8)


def box_problem(box: Sequence[float], size_px: tuple[int, int] | None = None) -> str | None:
    """What is wrong with a box, or None.

    box: x1, y1, x2, y2 in pixels. A box may end on the picture's right and lower edge.
    size_px: width and height of its picture, pixels; None when not known yet.
    """
    x1, y1, x2, y2 = box
    found = f"found x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
    if not (x1 < x2 and y1 < y2):
        return f"{found}; expected x1 < x2 and y1 < y2"
    if x1 < 0 or y1 < 0:
        return f"{found}; expected no coordinate below 0"
    if size_px and (x2 > size_px[0] or y2 > size_px[1]):
        return f"{found}; expected a box inside the picture of {size_px[0]} x {size_px[1]} px"
    return None


def refuse(problems: Sequence[str]) -> None:
    """Raise one DatasetError that lists the problems, the first 20 in full; none is no error."""
    if not problems:
        return
    lines = list(problems[:MOST_PROBLEMS_SHOWN])
    if len(problems) > MOST_PROBLEMS_SHOWN:
        lines.append(f"... and {len(problems) - MOST_PROBLEMS_SHOWN} more")
    raise DatasetError("\n".join(lines))
