"""Door figures: how well a model decides from single pictures whether a door may open.

A picture would open the door if and only if some face scores at least 0.4 as the allowed class and
none scores tau or more as any other. What keeps it shut is one number, its bar: the highest score
of another class, or infinity where no allowed face was found. It opens if the bar is below tau.

A picture is judged when at least one of its labelled faces is 16 px or larger (square root of its
area). It is a bare one when any of its labelled faces, of whatever size, is of another class than
the allowed one, because a door must stay shut for it; else it is an all-masked one.
Scores below 0.05 count as 0 throughout, as they do in the detections file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.contract import SCORE_FLOOR
from monitor.detections import Detections

from .datasets.sample import Sample

FOUND_SCORE = 0.4
SMALLEST_FACE_PX = 16.0
MOST_DENIALS = 0.1
Bars = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DoorPoint:
    """What one tau costs.

    tau: score of another class from which the door stays shut, 0 to 1.
    denials: share of the all-masked pictures that would not open, 0 to 1.
    false_unlocks: share of the bare pictures that would open, 0 to 1.
    """

    tau: float
    denials: float
    false_unlocks: float


@dataclass(frozen=True, slots=True)
class DoorFigures:
    """How well all-masked and bare pictures are told apart.

    all_masked, bare: how many pictures of each kind were judged.
    auc: probability that an all-masked picture has the lower bar of two, ties half; None when
        either kind is missing or the model does not know the allowed class.
    at_most_denials: the lowest tau that denies at most 10 % of the all-masked pictures, or, where
        even the highest denies more (no mask found in them), that one; None as for `auc`.
    """

    all_masked: int
    bare: int
    auc: float | None
    at_most_denials: DoorPoint | None


def door_figures(
    samples: Sequence[Sample], found: Sequence[Detections], *, allowed: str = "mask"
) -> DoorFigures:
    """Measure detections as decisions about a door.

    samples: the labelled pictures.
    found: what was found in each of them, in the same order.
    allowed: name of the class that may pass.
    """
    masked, bare = _bars(samples, found, allowed)
    points = _curve(masked, bare)
    if not points or not any(allowed in detections.classes for detections in found):
        return DoorFigures(len(masked), len(bare), None, None)
    chosen = next((point for point in points if point.denials <= MOST_DENIALS), points[-1])
    return DoorFigures(len(masked), len(bare), _auc(masked, bare), chosen)


def door_curve(
    samples: Sequence[Sample], found: Sequence[Detections], *, allowed: str = "mask"
) -> list[DoorPoint]:
    """Every trade of denials for false unlocks, by rising tau; empty when either kind is missing.

    Arguments as for `door_figures`.
    """
    return _curve(*_bars(samples, found, allowed))


def _bars(
    samples: Sequence[Sample], found: Sequence[Detections], allowed: str
) -> tuple[Bars, Bars]:
    """Bars of the all-masked and of the bare pictures, float32 [M] and [B]."""
    masked: list[float] = []
    bare: list[float] = []
    for sample, detections in zip(samples, found, strict=True):
        if (sample.sides_px >= SMALLEST_FACE_PX).any():
            kind = masked if set(sample.labels) == {allowed} else bare
            kind.append(_bar(detections, allowed))
    return np.array(masked, np.float32), np.array(bare, np.float32)


def _bar(detections: Detections, allowed: str) -> float:
    is_allowed = np.array([name == allowed for name in detections.classes])
    if not (detections.scores[:, is_allowed] >= FOUND_SCORE).any():
        return np.inf
    highest = float(detections.scores[:, ~is_allowed].max(initial=0.0))
    return highest if highest >= SCORE_FLOOR else 0.0


def _curve(masked: Bars, bare: Bars) -> list[DoorPoint]:
    if not len(masked) or not len(bare):
        return []
    lowest = np.float32(SCORE_FLOOR)
    bars = np.concatenate([masked, bare])
    bars = bars[np.isfinite(bars) & (bars >= lowest)]
    # Just above a bar is the lowest tau that opens its picture, in the precision of the scores.
    taus = np.unique([lowest, *np.nextafter(bars, np.float32(np.inf))])
    return [
        DoorPoint(float(tau), float((masked >= tau).mean()), float((bare < tau).mean()))
        for tau in taus
    ]


def _auc(masked: Bars, bare: Bars) -> float:
    """Mann and Whitney's statistic, divided by the number of pairs."""
    ranked = np.sort(bare)
    higher = len(bare) - np.searchsorted(ranked, masked, side="right")
    not_lower = len(bare) - np.searchsorted(ranked, masked, side="left")
    return float((higher + not_lower).sum() / (2 * len(masked) * len(bare)))
