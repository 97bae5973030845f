"""Intervals: matches that are COCO's, and ends that do not promise more than was seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import BIG, CLASSES, EMPTY_WALL, labelled, seen

from export.datasets import Sample
from export.figures.intervals import UNKNOWN, Interval, interval, resample, share_interval
from export.figures.matches import by_class, match, weighted_precision
from export.figures.metrics import SIZES, average_precision
from export.figures.precision_intervals import with_intervals
from export.figures.thresholds import Thresholds
from monitor.detections import Detections

Pictures = tuple[list[Sample], list[Detections]]


def some_pictures(seed: int, scores: np.ndarray | None = None) -> Pictures:
    """Up to six pictures of random boxes and what was found there.

    scores: those that detections may have; None makes all of them different.
    """
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 7, (int(rng.integers(1, 7)), 2))
    different = rng.permutation(np.linspace(0.05, 1, 2 * max(int(counts[:, 1].sum()), 1)))
    values = iter(different if scores is None else rng.choice(scores, different.size))
    samples, found = [], []
    for labels, detections in counts.tolist():
        # close together on a coarse grid, so that several labels overlap with a detection, as much
        # as each other or exactly as much as is asked for, and some are of another size
        corners = 8.0 * rng.integers(0, 4, (labels + detections, 2))
        sides = 8.0 * rng.integers(2, 7, (labels + detections, 2))
        boxes = np.hstack([corners, corners + sides]).astype(np.float32)
        copied = rng.random(detections) < 0.4
        if labels:
            boxes[labels:][copied] = boxes[rng.integers(labels, size=copied.sum())]
        names = tuple(rng.choice(CLASSES, labels).tolist())
        rows = np.array([[next(values), next(values)] for _ in range(detections)], np.float32)
        rows = rows.reshape(-1, 2)
        samples.append(Sample(Path("a.jpg"), boxes[:labels], names))
        found.append(Detections(boxes[labels:], rows, CLASSES))
    return samples, found


seeds = st.integers(0, 2**32)
# few, so that scores tie, within a picture and between pictures
tied = np.array([0.04, 0.1, 0.3, 0.3, 0.9])


@given(seeds, st.sampled_from([0.3, 0.5, 0.75, 1.0]), st.sampled_from([None, 3]))
@settings(max_examples=100)
def test_each_picture_counted_once_gives_the_average_precision_of_faster_coco_eval(
    seed: int, overlap: float, detections: int | None
) -> None:
    samples, found = some_pictures(seed, tied)
    thresholds = Thresholds(0.1, overlap, detections)
    once = np.ones((1, len(samples)), np.int64)
    parts = by_class(samples, found, thresholds)
    for part in average_precision(samples, found, thresholds=thresholds):
        for name, figures in part.classes.items():
            (ap,) = weighted_precision(match(parts[name], overlap, part.size), once)
            if figures.boxes:
                assert ap == pytest.approx(figures.ap_at_overlap, abs=1e-9)
            else:
                assert np.isnan(ap)


@pytest.mark.parametrize(
    ("order", "ap50"),
    [
        (1, 1.0),  # the later label is on the right, which leaves the left one to the second
        (-1, 51 / 101),  # it is on the left, and the second overlaps too little with the other
    ],
)
def test_of_labels_that_are_overlapped_as_much_the_later_is_taken_as_by_coco(
    order: int, ap50: float
) -> None:
    left, middle, right = ((8.0 * x, 0.0, 8.0 * x + 40, 40.0) for x in (0, 1, 2))
    samples = [labelled(*[(box, "mask") for box in (left, right)][::order])]
    found = [seen((middle, 0.9, 0), (left, 0.8, 0))]
    parts = by_class(samples, found, Thresholds())["mask"]
    every, *_ = average_precision(samples, found)
    (ap,) = weighted_precision(match(parts, 0.5, every.size), np.ones((1, 1), np.int64))
    assert (ap, every.mean.ap50) == pytest.approx((ap50, ap50))


@given(seeds)
@settings(max_examples=40)
def test_a_weight_is_as_good_as_so_many_copies_of_the_picture(seed: int) -> None:
    samples, found = some_pictures(seed)
    weights = np.random.default_rng(seed).integers(0, 4, len(samples))
    copies = np.repeat(np.arange(len(samples)), weights)
    if not copies.size:
        return
    many = average_precision([samples[n] for n in copies], [found[n] for n in copies])
    parts = by_class(samples, found, Thresholds())
    for part in many:
        for name, figures in part.classes.items():
            (ap,) = weighted_precision(match(parts[name], 0.5, part.size), weights[None])
            expected = np.nan if figures.ap50 is None else figures.ap50
            assert ap == pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(seeds, st.sampled_from([0.5, 0.75]))
@settings(max_examples=40)
def test_every_figure_lies_in_its_interval_and_none_without_a_figure(
    seed: int, overlap: float
) -> None:
    samples, found = some_pictures(seed, tied)
    thresholds = Thresholds(overlap=overlap)
    plain = average_precision(samples, found, thresholds=thresholds)
    weights = resample(len(samples), resamples=50)
    slices = with_intervals(plain, samples, found, thresholds, weights)
    assert [part.size for part in slices] == list(SIZES)
    for before, part in zip(plain, slices, strict=True):
        for name, figures in {**part.classes, "mean": part.mean}.items():
            was = before.mean if name == "mean" else before.classes[name]
            assert (figures.boxes, figures.ap50, figures.ap) == (was.boxes, was.ap50, was.ap)
            for value, spread in (
                (figures.ap50, figures.ap50_interval),
                (figures.ap_at_overlap, figures.ap_at_overlap_interval),
            ):
                assert (value is None) is (spread is None)
                if value is not None and spread is not None:
                    assert spread.low <= value <= spread.high
                    assert (spread.low, spread.high) == pytest.approx((0.5, 0.5), abs=0.5 + 1e-9)


def ap50_interval(hits: int, errors: int, pictures: int) -> Interval | None:
    """The interval of a class with one face a picture, of which so many are found."""
    samples = [labelled((BIG, "mask"))] * pictures
    found = [seen((BIG, 0.9, 0))] * hits + [seen()] * (pictures - hits)
    found = [
        seen((BIG, 0.9, 0), (EMPTY_WALL, 0.95, 0)) if number < errors else detections
        for number, detections in enumerate(found)
    ]
    slices = average_precision(samples, found)
    weights = resample(pictures)
    slices = with_intervals(slices, samples, found, Thresholds(), weights)
    every = slices[0]
    assert every.classes["noMask"].ap50_interval is None
    # the mean of one class is that class
    assert every.mean.ap50_interval == every.classes["mask"].ap50_interval
    return every.mean.ap50_interval


@pytest.mark.parametrize(
    ("pictures", "low", "high"),
    [
        (20, 0.84, 1.0),  # all found: no picture drawn again is missed, and still
        (200, 0.98, 1.0),  # ten times as many say more
        (5, 0.57, 1.0),  # and fewer say less
        (1, 0.0, 1.0),  # one picture says nothing
    ],
)
def test_all_found_is_not_certain_and_one_picture_says_nothing(
    pictures: int, low: float, high: float
) -> None:
    found = ap50_interval(pictures, 0, pictures)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.005)


def test_more_pictures_make_an_interval_narrower() -> None:
    few, many = ap50_interval(10, 5, 20), ap50_interval(100, 50, 200)
    assert few is not None
    assert many is not None
    assert few.low < many.low < many.high < few.high
    # with the square root of their number
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(10**0.5, rel=0.25)


def test_pictures_are_drawn_anew_as_many_as_there_are_and_the_same_each_time() -> None:
    weights = resample(30, resamples=200, seed=1)
    assert weights.shape == (200, 30)
    assert (weights >= 0).all()
    assert (weights.sum(axis=1) == 30).all()
    # every picture as likely as any other: 200 draws each, a standard deviation of 14
    assert weights.sum(axis=0) == pytest.approx(200, abs=5 * 14)
    # and one in e is left out
    assert (weights == 0).mean() == pytest.approx((29 / 30) ** 30, abs=0.02)
    assert (weights == resample(30, resamples=200, seed=1)).all()
    assert (weights != resample(30, resamples=200, seed=2)).any()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.arange(1001) / 1000, Interval(0.025, 0.975)),  # a fortieth is left out at each end
        (np.r_[np.arange(1001) / 1000, [np.nan] * 99], Interval(0.025, 0.975)),  # NaN is no value
        (np.array([0.5]), Interval(0.5, 0.5)),  # a single one
        (np.array([np.nan, np.nan]), None),  # nothing known
        (np.array([]), None),  # nothing at all
    ],
)
def test_the_bootstrap_interval_is_the_middle_95_percent(
    values: np.ndarray, expected: Interval | None
) -> None:
    found = interval(values)
    assert (found is None) is (expected is None)
    if found and expected:
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        # published examples: Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),  # neither rare nor common
        (15, 148, 0.0624, 0.1605),  # fewer
        (0, 20, 0.0, 0.1611),  # none
        (1, 29, 0.0061, 0.1718),  # one
        (20, 20, 1 - 0.1611, 1.0),  # all: the mirror image of none
    ],
)
def test_the_interval_of_a_share_is_wilsons(
    right: int, count: int, low: float, high: float
) -> None:
    found = share_interval(right, count)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_of_a_share_holds_the_share_and_mirrors_its_complement(
    case: tuple[int, int],
) -> None:
    right, count = case
    found, other = share_interval(right, count), share_interval(count - right, count)
    assert 0 <= found.low <= right / count <= found.high <= 1
    assert found.high - found.low > 0
    assert found.low == pytest.approx(1 - other.high, abs=1e-12)


def test_an_interval_is_widened_only_as_far_as_needed() -> None:
    assert Interval(0.2, 0.4).reaching(0.3) == Interval(0.2, 0.4)
    assert Interval(0.2, 0.4).reaching(0.1, 0.5) == Interval(0.1, 0.5)
    assert UNKNOWN.reaching(0.5) == UNKNOWN
    assert str(Interval(0.123, 0.987)) == "[0.12, 0.99]"
