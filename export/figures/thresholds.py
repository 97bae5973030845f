"""Thresholds: which detections count when a model is measured, and when one of them is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.contract import SCORE_FLOOR
from monitor.detections import Detections

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a measurement asks of a detection, which is one class of one found box.

    score: least score, SCORE_FLOOR to 1; less is told of by no detector here.
    overlap: least overlap (IoU) with a labelled box of the class, above 0, at most 1.
    detections: most detections of one picture, best first; None counts all that the model gives.
        A limit leaves out wrong detections too, so that it can only be compared with itself.

    Raises ValueError for anything else.
    """

    score: float = SCORE_FLOOR
    overlap: float = 0.5
    detections: int | None = None

    def __post_init__(self) -> None:
        if not SCORE_FLOOR <= self.score <= 1:
            raise ValueError(f"score {self.score:g} found, expected {SCORE_FLOOR:g} to 1")
        if not 0 < self.overlap <= 1:
            raise ValueError(f"IoU {self.overlap:g} found, expected more than 0, at most 1")
        if self.detections is not None and self.detections < 1:
            raise ValueError(f"{self.detections} detections found, expected 1 or more")

    def counted(self, detections: Detections) -> tuple[Indices, Indices]:
        """Rows and columns, int [M] each, of the scores that count, row by row."""
        # a threshold in the precision of the scores, or 0.3 would not be 0.3 or more
        rows, columns = np.nonzero(detections.scores >= np.float32(self.score))
        if self.detections is not None and len(rows) > self.detections:
            best = np.argsort(-detections.scores[rows, columns], kind="stable")
            kept = np.sort(best[: self.detections])
            rows, columns = rows[kept], columns[kept]
        return rows, columns
