"""Zone drawing: from clicks to a polygon."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.zone_drawing import Stage, ZoneDrawing

CORNERS = [(0.1, 0.1), (0.4, 0.1), (0.4, 0.5)]


def drawing(*points: tuple[float, float]) -> ZoneDrawing:
    zone = ZoneDrawing()
    for point in points:
        zone.add(point)
    return zone


def test_clicked_points_become_a_polygon_in_their_order() -> None:
    zone = drawing(*CORNERS)
    zone.close()
    assert (zone.stage, zone.points) == (Stage.CLOSED, CORNERS)


@pytest.mark.parametrize(
    "points",
    [
        [],
        CORNERS[:2],
        # three clicks, of which one repeats an earlier one
        [*CORNERS[:2], CORNERS[0]],
    ],
)
def test_what_encloses_nothing_cannot_be_closed(points: list[tuple[float, float]]) -> None:
    zone = drawing(*points)
    zone.close()
    assert zone.stage is Stage.OPEN


def test_the_last_point_can_be_taken_back() -> None:
    zone = drawing(*CORNERS, (0.9, 0.9))
    zone.remove_last()
    assert zone.points == CORNERS
    for _ in range(5):
        zone.remove_last()
    assert zone.points == []


def test_a_double_click_adds_one_point() -> None:
    assert drawing(CORNERS[0], CORNERS[0]).points == CORNERS[:1]


def test_points_outside_the_frame_are_taken_for_its_edge() -> None:
    assert drawing((-0.2, 0.5), (0.5, 1.7)).points == [(0.0, 0.5), (0.5, 1.0)]


def test_the_words_say_what_can_be_done_next() -> None:
    told = [str(drawing(*CORNERS[:count])) for count in range(4)]
    assert "click" in told[0]
    assert "1 of 3 points" in told[1]
    assert "Backspace" in told[2]
    assert "Enter" in told[3]


ACTIONS: list[Callable[[ZoneDrawing], None]] = [
    lambda zone: zone.add((0.3, 0.3)),
    lambda zone: zone.add((0.6, 0.3)),
    lambda zone: zone.add((0.6, 0.9)),
    ZoneDrawing.remove_last,
    ZoneDrawing.close,
    ZoneDrawing.cancel,
]


@given(st.lists(st.sampled_from(ACTIONS), max_size=30))
def test_whatever_is_done_a_closed_polygon_encloses_something_and_stays_as_it_is(
    actions: list[Callable[[ZoneDrawing], None]],
) -> None:
    zone = ZoneDrawing()
    for act in actions:
        before, stage = list(zone.points), zone.stage
        act(zone)
        if stage is not Stage.OPEN:
            assert (zone.points, zone.stage) == (before, stage)
        if zone.stage is Stage.CLOSED:
            assert len(set(zone.points)) >= 3
