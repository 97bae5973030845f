"""Intervals of average precision, from matches that are made once and weighted by picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

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
from .matches import Matches, by_class, match, weighted_precision
from .metrics import AveragePrecision, SizeSlice
from .thresholds import Thresholds


def with_intervals(
    slices: Sequence[SizeSlice],
    samples: Sequence[Sample],
    found: Sequence[Detections],
    thresholds: Thresholds,
    weights: Weights,
) -> tuple[SizeSlice, ...]:
    """The slices, with the 95 % interval of each average precision at one overlap.

    slices: figures of `samples` and `found`, as `average_precision` gives them.
    thresholds: those that the figures were measured with.
    weights: resamples of the pictures, int [R, P].
    """
    parts = by_class(samples, found, thresholds)
    fields = {0.5: ["ap50"]}
    fields.setdefault(thresholds.overlap, []).append("ap_at_overlap")
    for overlap, names in fields.items():
        slices = [
            _with_interval(
                part,
                names,
                {
                    name: match(parts[name], overlap, part.size)
                    for name, figures in part.classes.items()
                    if figures.boxes
                },
                weights,
            )
            for part in slices
        ]
    return tuple(slices)


def _with_interval(
    part: SizeSlice, fields: Sequence[str], matches: Mapping[str, Matches], weights: Weights
) -> SizeSlice:
    """The slice with the interval of one figure, which all the `fields` hold."""
    if not matches:
        return part
    drawn = {name: weighted_precision(matches[name], weights) for name in matches}
    points = {name: getattr(part.classes[name], fields[0]) for name in matches}
    intervals = {name: _of_class(points[name], drawn[name], matches[name]) for name in matches}

    def filled(figures: AveragePrecision, interval: Interval | None) -> AveragePrecision:
        return replace(figures, **{f"{field}_interval": interval for field in fields})

    return SizeSlice(
        part.size,
        filled(part.mean, _of_mean(points, drawn, intervals)),
        {name: filled(figures, intervals.get(name)) for name, figures in part.classes.items()},
    )


def _of_class(point: float, drawn: Values, matches: Matches) -> Interval:
    """The interval of one class.

    No average precision is above its recall. That is a share of the boxes, whose own interval
    therefore bounds the low end, where the bootstrap would take twenty hits of twenty for certain.
    """
    if np.count_nonzero(matches.boxes) < FEWEST_PICTURES:
        return UNKNOWN
    spread = interval(drawn)
    recall = share_interval(int(matches.hits.sum()), int(matches.boxes.sum()))
    if spread is None:
        return UNKNOWN
    # and twenty misses of twenty for certain, too
    highest = recall.high if not matches.hits.any() else point
    return spread.reaching(point, min(point, recall.low), highest)


def _of_mean(
    points: Mapping[str, float], drawn: Mapping[str, Values], intervals: Mapping[str, Interval]
) -> Interval:
    """The interval of the mean over classes: at least as wide as theirs, which may be wider than
    the bootstrap, make it (G. Y. Zou and A. Donner, Construction of confidence limits about effect
    measures, 2008)."""
    values = np.stack(list(drawn.values()))
    known = ~np.isnan(values)
    means = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    spread = interval(np.where(known.any(axis=0), means, np.nan)) or UNKNOWN
    mean = sum(points.values()) / len(points)
    below = math.hypot(*(points[name] - intervals[name].low for name in points)) / len(points)
    above = math.hypot(*(intervals[name].high - points[name] for name in points)) / len(points)
    return spread.reaching(mean - below, mean + above)
