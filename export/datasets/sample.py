"""A sample: one labelled picture of a data set, and the rules that its boxes obey."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitor.detections import FloatArray
from monitor.frame import Image

from .fault import Fault, refuse
from .picture import read_picture


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture and the objects labelled in it; a picture without an object is a negative.

    path: the picture's file.
    boxes: float32 [N, 4], xyxy pixels of the upright picture, x1 < x2 and y1 < y2.
    labels: N class names.
    unfolded: the labels as they were before classes were folded; None where none were.

    Raises ValueError when boxes and labels disagree in number or shape.
    """

    path: Path
    boxes: FloatArray
    labels: tuple[str, ...]
    unfolded: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.labels), 4):
            raise ValueError(
                f"boxes: found shape {self.boxes.shape}, expected {(len(self.labels), 4)}"
            )
        if self.unfolded is not None and len(self.unfolded) != len(self.labels):
            raise ValueError(
                f"unfolded: found {len(self.unfolded)} labels, expected {len(self.labels)}"
            )

    @property
    def labels_in_file(self) -> tuple[str, ...]:
        """The labels as they were before classes were folded."""
        return self.unfolded or self.labels

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


def box_problem(box: Sequence[float], size_px: tuple[int, int] | None = None) -> str | None:
    """What is wrong with a box, or None.

    box: x1, y1, x2, y2 in pixels. A box may end on the picture's right and lower edge.
    size_px: width and height of its picture, pixels; None when not known yet.
    """
    fault = _fault(box, size_px)
    return fault.what if fault else None


def placed_box(box: Sequence[float], size_px: tuple[int, int] | None) -> list[float]:
    """The box as float32 holds it, cut to its picture where rounding let it stick out.

    box: four finite numbers x1, y1, x2, y2, pixels. Less than 1 px outside counts as rounding.
    size_px: width and height of its picture, pixels; None when not known.

    Raises Fault "inverted box" or "box outside".
    """
    fault = _fault(box, size_px)
    if fault and fault.kind == "inverted box":
        raise fault
    width_px, height_px = size_px or (math.inf, math.inf)
    edges_px = (width_px, height_px, width_px, height_px)
    if fault and any(v <= -1 or v >= edge + 1 for v, edge in zip(box, edges_px, strict=True)):
        raise fault
    cut = [min(max(v, 0.0), edge) for v, edge in zip(box, edges_px, strict=True)]
    # Beyond float32 lies no picture, and numpy warns of it.
    placed: list[float] = np.float32(np.minimum(cut, 1e30)).tolist()
    if _fault(placed):
        raise Fault("inverted box", f"{_found(box)}; expected a box of some width and height")
    return placed


def _fault(box: Sequence[float], size_px: tuple[int, int] | None = None) -> Fault | None:
    x1, y1, x2, y2 = box
    if not (x1 < x2 and y1 < y2):
        return Fault("inverted box", f"{_found(box)}; expected x1 < x2 and y1 < y2")
    if x1 < 0 or y1 < 0:
        return Fault("box outside", f"{_found(box)}; expected no coordinate below 0")
    if size_px and (x2 > size_px[0] or y2 > size_px[1]):
        inside = f"a box inside the picture of {size_px[0]} x {size_px[1]} px"
        return Fault("box outside", f"{_found(box)}; expected {inside}")
    return None


def _found(box: Sequence[float]) -> str:
    x1, y1, x2, y2 = box
    return f"found x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"
