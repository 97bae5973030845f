"""Reliability: whether detections of a score of 0.8 are right in 80 % of cases.

M. H. DeGroot and S. E. Fienberg, The Comparison and Evaluation of Forecasters, 1983.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.detections import Detections

from ..datasets.sample import Sample
from .matches import SizeRange, by_class, match
from .thresholds import Thresholds

BINS = 10
OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Bin:
    """The detections of nearly one score.

    count: how many, at least one.
    score: their mean score, 0 to 1.
    right: the share of them that is right, 0 to 1.
    """

    count: int
    score: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far scores are from being probabilities.

    bins: by rising score, each a tenth of the range; those without a detection are left out.
    error: how far score and share are apart, mean over the detections, 0 to 1; None without any.
    """

    bins: tuple[Bin, ...]
    error: float | None


def reliability(
    samples: Sequence[Sample], found: Sequence[Detections], thresholds: Thresholds
) -> dict[str, Reliability]:
    """The reliability of each class; a detection is right as it is for AP50.

    samples, found: the labelled pictures, at least one, and what was found in each.
    thresholds: which detections count.
    """
    classes = {}
    for name, pictures in by_class(samples, found, thresholds).items():
        matches = match(pictures, OVERLAP, SizeRange())
        # the highest score of all belongs to the last bin
        places = np.minimum((matches.scores * BINS).astype(int), BINS - 1)
        bins = tuple(
            Bin(
                int(inside.sum()),
                float(matches.scores[inside].mean()),
                float(matches.hits[inside].mean()),
            )
            for place in range(BINS)
            if (inside := places == place).any()
        )
        total = sum(part.count for part in bins)
        apart = sum(part.count * abs(part.score - part.right) for part in bins)
        classes[name] = Reliability(bins, apart / total if total else None)
    return classes
