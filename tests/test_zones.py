"""Zones: which faces count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.detections import Detections
from monitor.zones import Polygon, Zones

WIDTH_PX, HEIGHT_PX = 640, 360
LEFT: Polygon = [(0, 0), (0.5, 0), (0.5, 1), (0, 1)]
TOP: Polygon = [(0, 0), (1, 0), (1, 0.5), (0, 0.5)]
WHOLE: Polygon = [(0, 0), (1, 0), (1, 1), (0, 1)]
# An L: the left half and the top half, without the bottom right quarter.
ELL: Polygon = [(0, 0), (1, 0), (1, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)]


def faces_at(*centres: tuple[float, float]) -> Detections:
    """Faces of 40 px with centres at the given fractions of the frame."""
    middles = np.array(centres, np.float32).reshape(-1, 2) * (WIDTH_PX, HEIGHT_PX)
    boxes = np.concatenate([middles - 20, middles + 20], axis=1).astype(np.float32)
    return Detections(boxes, np.full((len(boxes), 1), 0.9, np.float32), ("mask",))


@pytest.mark.parametrize(
    ("watch", "ignore", "centre", "counts"),
    [
        pytest.param([], [], (0.9, 0.9), True, id="no zones: the whole frame"),
        pytest.param([LEFT], [], (0.2, 0.9), True, id="in the watched half"),
        pytest.param([LEFT], [], (0.8, 0.9), False, id="in the other half"),
        pytest.param([LEFT, TOP], [], (0.8, 0.2), True, id="in the second of two"),
        pytest.param([], [LEFT], (0.2, 0.9), False, id="in an ignored half"),
        pytest.param([], [LEFT], (0.8, 0.9), True, id="beside an ignored half"),
        pytest.param([TOP], [LEFT], (0.2, 0.2), False, id="ignored wins over watched"),
        pytest.param([ELL], [], (0.75, 0.75), False, id="in the notch of an L"),
        pytest.param([ELL], [], (0.25, 0.75), True, id="in the foot of an L"),
        pytest.param([LEFT], [], (0.5, 0.5), True, id="on the edge of a watched one: counts"),
        pytest.param([], [LEFT], (0.5, 0.5), True, id="on the edge of an ignored one: counts"),
        pytest.param([LEFT], [], (-0.01, 0.5), True, id="centre beyond the frame's edge"),
        pytest.param([ELL], [], (0.75, 1.01), False, id="beyond the edge, at no zone"),
        pytest.param([ELL], [], (0.25, 1.01), True, id="beyond the edge, at the foot of an L"),
    ],
)
def test_a_face_counts_by_where_its_centre_is(
    watch: list[Polygon], ignore: list[Polygon], centre: tuple[float, float], counts: bool
) -> None:
    chosen = Zones(watch=watch, ignore=ignore).select(faces_at(centre), WIDTH_PX, HEIGHT_PX)
    assert len(chosen) == counts


def test_the_faces_that_count_keep_their_order_and_scores() -> None:
    faces = faces_at((0.1, 0.1), (0.9, 0.1), (0.2, 0.8))
    chosen = Zones(watch=[LEFT]).select(faces, WIDTH_PX, HEIGHT_PX)
    np.testing.assert_array_equal(chosen.boxes, faces.boxes[[0, 2]])
    np.testing.assert_array_equal(chosen.scores, faces.scores[[0, 2]])


def test_no_faces_stay_no_faces() -> None:
    assert len(Zones(watch=[LEFT], ignore=[TOP]).select(faces_at(), WIDTH_PX, HEIGHT_PX)) == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20))
def test_watching_the_whole_frame_is_watching_without_zones(
    centres: list[tuple[float, float]],
) -> None:
    faces = faces_at(*centres)
    assert len(Zones(watch=[WHOLE]).select(faces, WIDTH_PX, HEIGHT_PX)) == len(faces)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20))
def test_no_face_is_lost_between_watching_and_ignoring_the_same_polygon(
    centres: list[tuple[float, float]],
) -> None:
    faces = faces_at(*centres)
    watched = Zones(watch=[ELL]).select(faces, WIDTH_PX, HEIGHT_PX)
    others = Zones(ignore=[ELL]).select(faces, WIDTH_PX, HEIGHT_PX)
    assert len(watched) + len(others) >= len(faces)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        # the same
        (Zones(watch=[TOP], ignore=[LEFT]), True),
        # other polygons
        (Zones(watch=[TOP]), False),
        # the same polygons for something else
        (Zones(watch=[LEFT], ignore=[TOP]), False),
    ],
)
def test_zones_are_the_same_by_their_polygons(other: Zones, same: bool) -> None:
    assert Zones(watch=[TOP], ignore=[LEFT]).same_as(other) is same


def test_a_polygon_added_later_is_ignored_from_then_on() -> None:
    zones = Zones(ignore=[TOP])
    zones.add_ignored(LEFT)
    assert len(zones.select(faces_at((0.2, 0.9), (0.8, 0.2), (0.8, 0.9)), WIDTH_PX, HEIGHT_PX)) == 1
