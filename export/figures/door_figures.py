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

from ..datasets.sample import Sample
from .intervals import (
    FEWEST_PICTURES,
    UNKNOWN,
    Interval,
    Values,
    Weights,
    interval,
    share_interval,
)

FOUND_SCORE = 0.4
SMALLEST_FACE_PX = 16.0
MOST_DENIALS = 0.1
Bars = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DoorPoint:
    """What one tau costs.

    tau: score of another class from which the door stays shut, 0 to 1.
    up_to: the highest tau that decides every picture alike, at most 1.
    denials: share of the all-masked pictures that would not open, 0 to 1.
    false_unlocks: share of the bare pictures that would open, 0 to 1.
    """

    tau: float
    up_to: float
    denials: float
    false_unlocks: float


@dataclass(frozen=True, slots=True)
class DoorFigures:
    """How well all-masked and bare pictures are told apart.

    all_masked, bare: how many pictures of each kind were judged.
    auc: probability that an all-masked picture has the lower bar of two, ties half; None when
        either kind is missing or the model does not know the allowed class.
    at_most_denials: the lowest tau that denies at most 10 % of the all-masked pictures, or, where
        each denies more (no mask found in them), the lowest that denies fewest; None as for `auc`.
    auc_interval: 95 % interval; None as for `auc` or where not asked for.
    false_unlocks_interval: 95 % interval of the share in `at_most_denials`, with a tau chosen anew
        for each resample; None likewise.
    """

    all_masked: int
    bare: int
    auc: float | None
    at_most_denials: DoorPoint | None
    auc_interval: Interval | None = None
    false_unlocks_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """The judged pictures, by bar.

    bars: float32 [L], rising and distinct, the first one 0.
    masked, bare: float64 [R, L]: how much weight the pictures of each kind have at each bar.
    """

    bars: Bars
    masked: Values
    bare: Values

    def taus(self) -> Bars:
        """float32 [T]: each tau at which one more picture opens, from SCORE_FLOOR up."""
        # Just above a bar is the lowest tau that opens its picture, in the precision of the scores.
        above = np.nextafter(self._reached(), np.float32(np.inf))
        return np.array([SCORE_FLOOR, *above], np.float32)

    def up_to(self) -> Bars:
        """float32 [T]: the highest tau that opens the same pictures as each of `taus`."""
        return np.append(self._reached(), np.float32(1))

    def _reached(self) -> Bars:
        """The bars above which there is a tau, but for the first."""
        return self.bars[1:][np.isfinite(self.bars[1:])]

    def rates(self) -> tuple[Values, Values]:
        """Denials and false unlocks, float64 [R, T]; NaN where a kind of picture is missing."""
        count = len(self.taus())
        masked, bare = (part.sum(axis=1, keepdims=True) for part in (self.masked, self.bare))
        denied = masked - self.masked.cumsum(axis=1)[:, :count]
        opened = self.bare.cumsum(axis=1)[:, :count]
        nan = np.full(denied.shape, np.nan)
        return (
            np.divide(denied, masked, out=nan.copy(), where=masked > 0),
            np.divide(opened, bare, out=nan.copy(), where=bare > 0),
        )

    def auc(self) -> Values:
        """float64 [R]: Mann and Whitney's statistic, divided by the number of pairs, or NaN."""
        higher = self.bare[:, ::-1].cumsum(axis=1)[:, ::-1] - self.bare / 2
        pairs = self.masked.sum(axis=1) * self.bare.sum(axis=1)
        wins = (self.masked * higher).sum(axis=1)
        return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)


def door_figures(
    samples: Sequence[Sample],
    found: Sequence[Detections],
    *,
    allowed: str = "mask",
    weights: Weights | None = None,
) -> DoorFigures:
    """Measure detections as decisions about a door.

    samples: the labelled pictures.
    found: what was found in each of them, in the same order.
    allowed: name of the class that may pass.
    weights: resamples of the pictures for the intervals, int [R, P]; None for no intervals.
    """
    once = np.ones((1, len(samples)), np.int64)
    judged = _judge(samples, found, allowed, once)
    counts = int(judged.masked.sum()), int(judged.bare.sum())
    if 0 in counts or not any(allowed in detections.classes for detections in found):
        return DoorFigures(*counts, None, None)
    point = _points(judged)[int(_chosen(judged)[0])]
    auc = float(judged.auc()[0])
    if weights is None:
        return DoorFigures(*counts, auc, point)
    resampled = _judge(samples, found, allowed, weights)
    return DoorFigures(*counts, auc, point, *_intervals(resampled, counts, auc, point))


def _judge(
    samples: Sequence[Sample], found: Sequence[Detections], allowed: str, weights: Weights
) -> _Judged:
    """Bars of the pictures that are judged, with their weights."""
    judged = [
        (number, _bar(detections, allowed), set(sample.labels) == {allowed})
        for number, (sample, detections) in enumerate(zip(samples, found, strict=True))
        if (sample.sides_px >= SMALLEST_FACE_PX).any()
    ]
    heights = np.array([0.0, *(bar for _, bar, _ in judged)], np.float32)
    bars, places = np.unique(heights, return_inverse=True)
    masses = np.zeros((2, len(weights), len(bars)))
    for (number, _, is_masked), place in zip(judged, places[1:], strict=True):
        masses[0 if is_masked else 1, :, place] += weights[:, number]
    return _Judged(bars, masses[0], masses[1])


def _bar(detections: Detections, allowed: str) -> float:
    is_allowed = np.array([name == allowed for name in detections.classes])
    if not (detections.scores[:, is_allowed] >= FOUND_SCORE).any():
        return np.inf
    highest = float(detections.scores[:, ~is_allowed].max(initial=0.0))
    return highest if highest >= SCORE_FLOOR else 0.0


def _points(judged: _Judged) -> list[DoorPoint]:
    """The trades of the first weighting."""
    denials, false_unlocks = judged.rates()
    return [
        DoorPoint(*map(float, values))
        for values in zip(judged.taus(), judged.up_to(), denials[0], false_unlocks[0], strict=True)
    ]


def _chosen(judged: _Judged) -> npt.NDArray[np.intp]:
    """int [R]: number of the lowest tau that denies few enough, else of those that deny fewest."""
    denials, _ = judged.rates()
    few = denials <= MOST_DENIALS
    return np.where(few.any(axis=1), few.argmax(axis=1), denials.argmin(axis=1))


def _intervals(
    resampled: _Judged, counts: tuple[int, int], auc: float, point: DoorPoint
) -> tuple[Interval, Interval]:
    """Of the AUC and of the false unlocks.

    Where all pairs are told apart, or no bare picture opens or each does, a bootstrap knows no
    spread. The false unlocks are a share of the bare pictures, and the AUC varies at most as a
    share of the pictures of the rarer kind would (Z. W. Birnbaum and O. M. Klose, Bounds for the
    variance of the Mann-Whitney statistic, 1957).
    """
    if min(counts) < FEWEST_PICTURES:
        return UNKNOWN, UNKNOWN
    denials, false_unlocks = resampled.rates()
    opened = false_unlocks[np.arange(len(false_unlocks)), _chosen(resampled)]
    opened[np.isnan(denials[:, 0])] = np.nan
    of_auc = (interval(resampled.auc()) or UNKNOWN).reaching(auc)
    if auc in (0.0, 1.0):
        rarer = share_interval(auc * min(counts), min(counts))
        of_auc = of_auc.reaching(rarer.low, rarer.high)
    share = share_interval(point.false_unlocks * counts[1], counts[1])
    of_unlocks = (interval(opened) or UNKNOWN).reaching(share.low, share.high)
    return of_auc, of_unlocks
