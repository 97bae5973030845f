"""Detections: the faces found in one frame, as parallel arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces of one frame, best score first.

    boxes: float32 [N, 4], xyxy pixels of the frame.
    scores: float32 [N, C], 0 to 1, one column a class; the columns do not sum to one.
    classes: C class names in column order.
    cut_off: the best score that a face may have which is not among these for want of room; 0 where
        there was room for all.

    Raises ValueError when the arrays disagree with each other or hold a value that is not finite.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: tuple[str, ...]
    cut_off: float = 0.0

    def __post_init__(self) -> None:
        count = len(self.boxes)
        if self.boxes.shape != (count, 4):
            raise ValueError(f"boxes: found shape {self.boxes.shape}, expected [N, 4]")
        if self.scores.shape != (count, len(self.classes)):
            raise ValueError(
                f"scores: found shape {self.scores.shape}, expected {(count, len(self.classes))}"
            )
        if not (np.isfinite(self.boxes).all() and np.isfinite(self.scores).all()):
            raise ValueError("boxes and scores: found a value that is not finite")

    @classmethod
    def empty(cls, classes: tuple[str, ...]) -> Detections:
        """No face at all, as a value."""
        return cls(np.zeros((0, 4), np.float32), np.zeros((0, len(classes)), np.float32), classes)

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield (box float32 [4], scores float32 [C]) face by face."""
        return zip(self.boxes, self.scores, strict=True)

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """int64 [N]: the column of each face's best class."""
        columns: npt.NDArray[np.int64] = self.scores.argmax(axis=1)
        return columns

    @property
    def best_scores(self) -> FloatArray:
        """float32 [N]: each face's best class score."""
        scores: FloatArray = self.scores.max(axis=1, initial=0.0)
        return scores

    @property
    def sides_px(self) -> FloatArray:
        """float32 [N]: square root of each box's area, pixels."""
        sizes = np.maximum(self.boxes[:, 2:] - self.boxes[:, :2], 0.0)
        sides: FloatArray = np.sqrt(sizes.prod(axis=1))
        return sides

    def where(self, keep: npt.NDArray[np.bool_]) -> Detections:
        """The faces for which `keep`, bool [N], is true."""
        return Detections(self.boxes[keep], self.scores[keep], self.classes, self.cut_off)
