"""Matched boxes: what is said of a box is what its anchors are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.anchor_config import AnchorConfig
from export.anchors import Anchors
from export.drawing.matched_boxes import Fate, match_boxes
from export.matcher import match, match_nearest

WIDTH_PX, HEIGHT_PX = 250, 130
ANCHORS = Anchors(AnchorConfig())


@st.composite
def boxes(draw: st.DrawFn) -> np.ndarray:
    """Up to six boxes inside the view, float32 [M, 4]."""
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        x, y = draw(st.integers(0, WIDTH_PX - 1)), draw(st.integers(0, HEIGHT_PX - 1))
        width, height = draw(st.integers(1, WIDTH_PX - x)), draw(st.integers(1, HEIGHT_PX - y))
        rows.append((x, y, x + width, y + height))
    return np.array(rows, np.float32).reshape(-1, 4)


def iou(first: np.ndarray, second: np.ndarray) -> float:
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    common = np.maximum(high - low, 0).prod()
    areas = [(box[2:] - box[:2]).prod() for box in (first, second)]
    return float(common / (sum(areas) - common))


@given(boxes())
def test_a_box_is_as_well_off_as_its_best_anchor(found: np.ndarray) -> None:
    matched = match_boxes(found, (WIDTH_PX, HEIGHT_PX), ANCHORS, match)
    assert len(matched.fates) == len(found)
    for row, (box, fate) in enumerate(zip(found, matched.fates, strict=True)):
        mine = [iou(box, anchor) for anchor in matched.anchors[matched.rows == row]]
        assert matched.best_ious[row] == pytest.approx(max(mine, default=0), abs=1e-5)
        assert (fate is Fate.UNMATCHED) == (not mine)
        # what overlaps less is learnt only by the best there is, and those are all alike
        if fate is Fate.MATCHED:
            assert max(mine) >= 0.5
        if fate is Fate.WEAK:
            assert max(mine) < 0.5
            assert min(mine) == pytest.approx(max(mine), abs=1e-5)


@pytest.mark.parametrize(
    ("rows", "fates"),
    [
        # just an anchor of the level with stride 8
        ([(80, 80, 112, 112)], [Fate.MATCHED]),
        # far smaller than every anchor
        ([(80, 80, 86, 86)], [Fate.WEAK]),
        # two that no anchor tells apart: the first takes all
        ([(80, 80, 86, 86)] * 2, [Fate.WEAK, Fate.UNMATCHED]),
        ([], []),
    ],
)
def test_fates_of_boxes(rows: list[tuple[int, ...]], fates: list[Fate]) -> None:
    found = np.array(rows, np.float32).reshape(-1, 4)
    assert list(match_boxes(found, (WIDTH_PX, HEIGHT_PX), ANCHORS, match).fates) == fates


def test_the_matcher_given_says_which_anchors_learn_a_box() -> None:
    single = Anchors(AnchorConfig(ratios=(1.0,), scales=(1.0,)))
    long = np.array([[10, 60, 240, 72]], np.float32)
    inside = []
    for matcher in (match, match_nearest):
        matched = match_boxes(long, (WIDTH_PX, HEIGHT_PX), single, matcher)
        assert list(matched.fates) == [Fate.WEAK]
        middles = matched.anchors.reshape(-1, 2, 2).mean(axis=1)
        inside.append(bool(((middles > long[0, :2]) & (middles < long[0, 2:])).all()))
    # only the one by place asks that anchors are centred in the box
    assert inside == [False, True]
