"""Parity: whether an exported file finds what the network finds, and by how much it differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from monitor.contract import SCORE_FLOOR
from monitor.detections import Detections, FloatArray
from monitor.errors import MaskgateError
from monitor.frame import Image

from ..boxes import pairwise_iou
from .frame_detector import FrameDetector, TorchDetector

CAMERA_SIZES = ((1280, 720), (640, 480))
MATCHING_IOU = 0.5
# scores closer than this to that of the last row may change places with it
ROW_MARGIN = 0.01


class ExportError(MaskgateError):
    """The exported file cannot be made, or does not do what the network does."""


@dataclass(frozen=True)
class Tolerance:
    """How far a file may be from its network.

    counted_from: lowest score of a detection that must be found by both.
    matched: smallest share of those that are.
    score_mean, score_worst: largest difference in a score, on average and at all.
    box_worst: largest difference in an edge, as a share of the picture's longer side.
    """

    counted_from: float
    matched: float
    score_mean: float
    score_worst: float
    box_worst: float


# float32: rounding alone; a score may cross the floor by as much, and of two candidates that score
# nearly alike, or overlap by nearly what suppresses, the other may win: once in a thousand for a
# network that has hardly learnt.
# float16: a relative error of 2^-11 in each of a hundred layers; a network that was measured
# differed by 0.012 in the worst score, of which this is four times.
# int8: that network differed by 0.016 on average, of which this is three times. At worst anything
# goes, since of two candidates on one face the other may win. What the rounding costs in average
# precision is for `evaluate` to say; this stops a file whose calibration failed.
TOLERANCES = {
    "fp32": Tolerance(SCORE_FLOOR + 2e-3, 0.99, 2e-3, 2e-3, 1e-3),
    "fp16": Tolerance(0.3, 0.98, 0.01, 0.05, 0.02),
    "int8": Tolerance(0.3, 0.9, 0.05, 1.0, 1.0),
}


@dataclass(frozen=True)
class Parity:
    """What a comparison came to.

    pictures: how many were compared, each at several sizes.
    detections: how many counted, those of the network and those of the file.
    matched: share of them that the other found as well: the same class, and boxes that overlap by
        MATCHING_IOU.
    unmatched_px: sizes of the pictures in which others were found, such as "640 x 480".
    score_mean, score_worst, box_worst: see `Tolerance`; of the pairs.
    """

    pictures: int
    detections: int
    matched: float
    unmatched_px: tuple[str, ...]
    score_mean: float
    score_worst: float
    box_worst: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and the file's metadata."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.matched:.1%} of {self.detections} detections in {self.pictures} pictures "
            f"matched, scores within {self.score_worst:.1e} ({self.score_mean:.1e} on average), "
            f"boxes within {self.box_worst:.1e} of the side"
        )

    def check(self, tolerance: Tolerance) -> None:
        """Raise ExportError where the file is further from its network than it may be."""
        wrong = []
        if self.matched < tolerance.matched:
            places = ", ".join(dict.fromkeys(self.unmatched_px))
            wrong.append(f"matched {self.matched:.3f} < {tolerance.matched} (pictures of {places})")
        for name in ("score_mean", "score_worst", "box_worst"):
            found, expected = getattr(self, name), getattr(tolerance, name)
            # a comparison with a number that is none is false
            if not found <= expected:
                wrong.append(f"{name} {found:.4f} > {expected}")
        if wrong:
            raise ExportError(f"the file and torch find different things: {'; '.join(wrong)}")


def views(encoded: Iterable[Tensor]) -> Iterator[Image]:
    """Each picture at its own size and at those of cameras.

    encoded: files of pictures, uint8 [bytes] each.
    """
    for file in encoded:
        picture = np.asarray(cv2.imdecode(file.numpy(), cv2.IMREAD_COLOR), np.uint8)
        yield picture
        for size in CAMERA_SIZES:
            yield np.asarray(cv2.resize(picture, size), np.uint8)


def answers(
    graph: FrameDetector, pictures: Sequence[Image], counted_from: float
) -> list[Detections]:
    """What the network itself finds in each picture.

    Raises ExportError when none of it scores `counted_from`, so that no comparison would prove
    anything.
    """
    detect = TorchDetector(graph)
    found = [detect(picture) for picture in pictures]
    best = max((float(some.best_scores.max(initial=0)) for some in found), default=0.0)
    if best < counted_from:
        raise ExportError(
            f"the network found nothing that scores {counted_from:g} in {len(pictures)} pictures, "
            f"at most {best:.3f}, so that the file cannot be compared with it; train it longer"
        )
    return found


def compare(
    expected: Sequence[Detections],
    detect: Callable[[Image], Detections],
    pictures: Sequence[Image],
    counted_from: float,
    most_detections: int,
) -> Parity:
    """Hold the exported file to the network, picture by picture.

    expected: what the network finds in each picture.
    detect: the exported file.
    counted_from: see `Tolerance`.
    most_detections: rows of the output. Where all are taken, what scores least is not counted: of
        two that are nearly equal either may have been the last to get one.
    """
    counted = matched = 0
    unmatched: list[str] = []
    scores, boxes = [0.0], [0.0]
    for picture, wanted in zip(pictures, expected, strict=True):
        found = detect(picture)
        height_px, width_px = picture.shape[:2]
        least = max(counted_from, *(_last(some, most_detections) for some in (wanted, found)))
        pairs = match(wanted, found)
        for some, column in ((wanted, 0), (found, 1)):
            counts = set(np.flatnonzero(some.best_scores >= least).tolist())
            missing = counts - {pair[column] for pair in pairs}
            counted, matched = counted + len(counts), matched + len(counts) - len(missing)
            unmatched += [f"{width_px} x {height_px}"] * bool(missing)
        for first, second in pairs:
            if max(wanted.best_scores[first], found.best_scores[second]) < least:
                continue
            scores.append(_difference(wanted.scores[first], found.scores[second]))
            side_px = max(width_px, height_px)
            boxes.append(_difference(wanted.boxes[first], found.boxes[second]) / side_px)
    return Parity(
        pictures=len(pictures),
        detections=counted,
        matched=matched / max(counted, 1),
        unmatched_px=tuple(unmatched),
        score_mean=float(np.mean(scores[1:] or [0.0])),
        score_worst=max(scores),
        box_worst=max(boxes),
    )


def match(first: Detections, second: Detections) -> list[tuple[int, int]]:
    """Pairs of one detection of each: the same class, boxes that overlap by MATCHING_IOU.

    Each of `first` takes the best overlap that is left, the best score first.
    """
    if not len(first) or not len(second):
        return []
    # half a pixel wider all round: a box that lies outside its picture is cut down to a line
    wider = np.array([-0.5, -0.5, 0.5, 0.5], np.float32)
    edges = [torch.from_numpy(some.boxes + wider) for some in (first, second)]
    overlaps = pairwise_iou(*edges).numpy()
    overlaps = np.where(first.labels[:, None] == second.labels[None], overlaps, 0.0)
    pairs = []
    for row, line in enumerate(overlaps):
        column = int(line.argmax())
        if line[column] >= MATCHING_IOU:
            pairs.append((row, column))
            overlaps[:, column] = 0.0
    return pairs


def _last(found: Detections, most_detections: int) -> float:
    """The score from which on a detection certainly got a row."""
    if len(found) < most_detections:
        return 0.0
    return float(found.best_scores.min()) + ROW_MARGIN


def _difference(first: FloatArray, second: FloatArray) -> float:
    differences: npt.NDArray[np.float32] = np.abs(first - second)
    return float(differences.max())
