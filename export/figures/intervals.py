"""Intervals: how far a figure would move if other pictures of the same kind had been labelled.

The percentile bootstrap over pictures: the boxes of one picture are not independent of each other,
so that whole pictures are drawn. B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap,
1993, chapter 13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Weights = npt.NDArray[np.int64]
RESAMPLES = 1000
SHARE = 0.95
# of the standard normal distribution: 95 % lie within
DEVIATIONS = 1.959964


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval, both ends included, 0 to 1."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"[{self.low:.2f}, {self.high:.2f}]"

    def reaching(self, *values: float) -> Interval:
        """The interval, widened as far as it takes to hold the values."""
        return Interval(min(self.low, *values), max(self.high, *values))


FEWEST_PICTURES = 2
# what is known from fewer
UNKNOWN = Interval(0.0, 1.0)


def resample(pictures: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Weights:
    """How often each picture is drawn when as many are drawn as there are, each time anew.

    Returns int64 [R, P]; the same for the same numbers.
    """
    draws = np.random.default_rng(seed).multinomial(
        pictures, np.full(pictures, 1 / pictures), size=resamples
    )
    return draws.astype(np.int64)


def interval(values: Values) -> Interval | None:
    """The middle 95 % of a figure over resamples, float [R]; NaN is left out, None if all are."""
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    low, high = np.quantile(known, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return Interval(float(low), float(high))


def share_interval(right: float, count: int) -> Interval:
    """The 95 % interval of a share, of which `right` of `count` were seen; count is at least 1.

    Where all are right a bootstrap knows no spread, and this one does: 20 of 20 may be 84 %.
    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    share, square = right / count, DEVIATIONS**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    reach = math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    reach *= DEVIATIONS / (1 + square / count)
    # rounding leaves the ends a hair away from 0 and 1, which can be the share itself
    return Interval(max(centre - reach, 0.0), min(centre + reach, 1.0)).reaching(share)
