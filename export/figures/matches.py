"""Matches: which detections of a class are right, once and for all resamples of the pictures.

The greedy rule of the COCO evaluation: in each picture the best detection chooses first, and takes
the labelled box that it overlaps most among those that are left.
T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, 2014; cocodataset.org/#detection-eval
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.detections import Detections, FloatArray

from ..datasets.sample import Sample
from .thresholds import Thresholds

Boxes = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Which boxes a figure is about, by the square root of their area in the original picture.

    smallest_px: they are of this size or larger, pixels.
    below_px: and smaller than this, pixels; None for no limit.
    """

    smallest_px: float = 0.0
    below_px: float | None = None

    def __str__(self) -> str:
        if self.below_px is None:
            return f">= {self.smallest_px:g} px" if self.smallest_px else "all"
        if not self.smallest_px:
            return f"< {self.below_px:g} px"
        return f"{self.smallest_px:g}-{self.below_px:g} px"

    def areas_px2(self) -> tuple[float, float]:
        """The least and the largest area of a box of this range, square pixels."""
        if self.below_px is None:
            return self.smallest_px**2, np.inf
        return self.smallest_px**2, float(np.nextafter(self.below_px**2, 0.0))

    def holds(self, boxes: Boxes) -> Flags:
        """Whether each of the boxes, [N, 4] xyxy pixels, is of this range; bool [N]."""
        least, largest = self.areas_px2()
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        inside: Flags = (area >= least) & (area <= largest)
        return inside


@dataclass(frozen=True, slots=True)
class ClassBoxes:
    """What is labelled and what was found of one class in one picture.

    labelled: float64 [G, 4], found: float64 [D, 4]; xyxy pixels, found best first.
    scores: float64 [D], falling.
    """

    labelled: Boxes
    found: Boxes
    scores: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matches:
    """The detections of one class in all pictures, best first; ignored ones are left out.

    hits: bool [D]: right or wrong.
    scores: float64 [D], falling.
    pictures: int64 [D]: the number of its picture.
    boxes: int64 [P]: how many boxes there were to find in each picture.
    """

    hits: Flags
    scores: npt.NDArray[np.float64]
    pictures: Counts
    boxes: Counts


def by_class(
    samples: Sequence[Sample], found: Sequence[Detections], thresholds: Thresholds
) -> dict[str, list[ClassBoxes]]:
    """For each of the model's classes what there is of it, picture by picture."""
    classes = found[0].classes
    parts: dict[str, list[ClassBoxes]] = {name: [] for name in classes}
    for sample, detections in zip(samples, found, strict=True):
        rows, columns = thresholds.counted(detections)
        scores = detections.scores[rows, columns].astype(np.float64)
        labels = np.array(sample.labels, dtype=object)
        for column, name in enumerate(classes):
            mine = np.flatnonzero(columns == column)
            mine = mine[np.argsort(-scores[mine], kind="stable")]
            parts[name].append(
                ClassBoxes(
                    sample.boxes[labels == name].astype(np.float64).reshape(-1, 4),
                    detections.boxes[rows[mine]].astype(np.float64),
                    scores[mine],
                )
            )
    return parts


def match(pictures: Sequence[ClassBoxes], overlap: float, size: SizeRange) -> Matches:
    """Decide for each detection of a class whether it is right.

    pictures: the boxes of the class, at least one picture.
    overlap: least IoU of a right one.
    size: a labelled box of another size is neither missed nor wrongly found, and neither is a
        detection of another size that matches no box.
    """
    decided = [_picture(part, overlap, size) for part in pictures]
    scores = np.concatenate(
        [part.scores[kept] for part, (_, kept) in zip(pictures, decided, strict=True)]
    )
    hits = np.concatenate([hit[kept] for hit, kept in decided])
    numbers = np.repeat(np.arange(len(pictures)), [kept.sum() for _, kept in decided])
    order = np.argsort(-scores, kind="stable")
    boxes = np.array([size.holds(part.labelled).sum() for part in pictures], np.int64)
    return Matches(hits[order], scores[order], numbers[order], boxes)


def _picture(part: ClassBoxes, overlap: float, size: SizeRange) -> tuple[Flags, Flags]:
    """Which detections of one picture are right, and which count at all; bool [D] each."""
    wanted = size.holds(part.labelled)
    hits = np.zeros(len(part.found), np.bool_)
    kept = size.holds(part.found)
    ious = overlaps(part.found, part.labelled)
    ious[ious < overlap] = 0.0
    for row in np.flatnonzero(ious.any(axis=1)):
        # boxes that are wanted come first, whatever they overlap; of equals the last
        for group in (wanted, ~wanted):
            left = np.where(group, ious[row], 0.0)[::-1]
            chosen = len(left) - 1 - int(left.argmax())
            if left.max() > 0:
                hits[row] = kept[row] = wanted[chosen]
                ious[:, chosen] = 0.0
                break
    return hits, kept


def overlaps(first: Boxes | FloatArray, second: Boxes | FloatArray) -> npt.NDArray[np.float64]:
    """Overlap [D, G] of two lists of boxes, [D, 4] and [G, 4]; 0 for boxes without an area."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    sides = np.minimum(first[:, None, 2:], second[None, :, 2:]) - corner
    common = np.maximum(sides, 0.0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - common
    ious: npt.NDArray[np.float64] = np.divide(
        common, union, out=np.zeros_like(common), where=union > 0
    )
    return ious


def weighted_precision(matches: Matches, weights: Counts) -> npt.NDArray[np.float64]:
    """Average precision [R] as if each picture stood in the data set as often as its weight.

    weights: int [R, P].

    Returns NaN where no box is left to find.
    """
    boxes = weights @ matches.boxes
    values = np.full(len(weights), np.nan)
    for number, row in enumerate(weights):
        if boxes[number]:
            weight = row[matches.pictures]
            found = np.cumsum(weight)[matches.hits]
            right = np.cumsum(weight[matches.hits])
            values[number] = _precision(right, found, int(boxes[number]))
    return values


def _precision(right: Counts, found: Counts, boxes: int) -> float:
    """Mean of the best precision at 101 recalls or more; precision is highest at a hit."""
    precision = right / np.maximum(found, 1)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best[np.searchsorted(right / boxes, RECALLS)].mean())
