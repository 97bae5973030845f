"""Matched boxes: which labelled boxes of a view have anchors that learn them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import torch

from monitor.detections import FloatArray

from ..anchors import Anchors
from ..boxes import pairwise_iou
from ..matcher import Match

FOREGROUND_IOU = 0.5


class Fate(Enum):
    """What training makes of a box."""

    MATCHED = "matched"
    WEAK = "weakly matched"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class MatchedBoxes:
    """The anchors of M boxes.

    best_ious: float32 [M], the largest overlap (IoU) of each box with an anchor that learns it; 0
        without one.
    anchors: float32 [K, 4], xyxy pixels, the anchors that learn a box.
    rows: int64 [K], the box of each.
    """

    best_ious: FloatArray
    anchors: FloatArray
    rows: npt.NDArray[np.int64]

    @property
    def fates(self) -> tuple[Fate, ...]:
        """For each box whether anchors that overlap it well learn it, only others, or none."""
        return tuple(
            Fate.MATCHED if iou >= FOREGROUND_IOU else Fate.WEAK if iou > 0 else Fate.UNMATCHED
            for iou in self.best_ious.tolist()
        )


def match_boxes(
    boxes: FloatArray, size: tuple[int, int], anchors: Anchors, match: Match
) -> MatchedBoxes:
    """Match the boxes of one view to anchors.

    boxes: float32 [M, 4], xyxy pixels of the view.
    size: width and height of the view, pixels.
    match: the matcher that training uses.
    """
    width, height = size
    shapes = [(-(-height // stride), -(-width // stride)) for stride in anchors.strides]
    grid, wanted = anchors(shapes), torch.from_numpy(boxes)
    matches = match(grid, wanted)
    chosen = torch.nonzero(matches >= 0).squeeze(1)
    rows, learning = matches[chosen], grid[chosen]
    ious = pairwise_iou(learning[:, None], wanted[rows][:, None]).flatten()
    best = torch.zeros(len(wanted)).scatter_reduce(0, rows, ious, "amax")
    return MatchedBoxes(best.numpy(), learning.numpy(), rows.numpy())
