"""The tracker: which face is which, and for how long it has been seen to pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detections import FloatArray
from monitor.track import Track, Tracker

Box = tuple[float, float, float, float]
LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (300.0, 0.0, 400.0, 100.0)


def rows(boxes: Sequence[Box]) -> FloatArray:
    return np.array(boxes, np.float32).reshape(-1, 4)


def follow(tracker: Tracker, time: float, *boxes: Box, passing: bool = True) -> tuple[Track, ...]:
    return tracker.follow(rows(boxes), [passing] * len(boxes), time, time)


def numbers(tracks: Sequence[Track]) -> list[int]:
    return [track.number for track in tracks]


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([LEFT, RIGHT], [1, 2]),  # nobody moves
        ([RIGHT, LEFT], [2, 1]),  # the detector's order says nothing
        ([(30, 10, 130, 110), RIGHT], [1, 2]),  # a step to the side
        ([(10, 10, 90, 90)], [1]),  # the other one is gone
        ([], []),  # both are
        ([(500, 0, 600, 100), LEFT], [3, 1]),  # a newcomer
        ([(90, 0, 190, 100), RIGHT], [3, 2]),  # too little overlap: somebody else
        ([(0, 0, 400, 400)], [3]),  # a box around much more than the face: somebody else
        ([(40, 0, 140, 100), (10, 0, 110, 100)], [3, 1]),  # of two, the one that overlaps more
        ([(10, 0, 110, 100), (10, 0, 110, 100)], [1, 3]),  # of equal ones the first
        ([(50, 50, 50, 50)], [3]),  # a box without area overlaps nothing
    ],
)
def test_a_face_keeps_its_number_where_its_box_overlaps_the_last_one(
    boxes: list[Box], expected: list[int]
) -> None:
    tracker = Tracker(forget_seconds=0.5)
    assert numbers(follow(tracker, 0.0, LEFT, RIGHT)) == [1, 2]
    assert numbers(follow(tracker, 0.1, *boxes)) == expected


@pytest.mark.parametrize(
    ("away_seconds", "number"),
    [
        (0.25, 1),  # a frame or two without the face
        (0.5, 1),  # exactly as long as it is remembered
        (0.75, 2),  # longer: it might be anybody
    ],
)
def test_a_face_out_of_sight_is_remembered_for_a_while(away_seconds: float, number: int) -> None:
    tracker = Tracker(forget_seconds=0.5)
    follow(tracker, 0.0, LEFT)
    follow(tracker, away_seconds / 2)
    assert numbers(follow(tracker, away_seconds, LEFT)) == [number]


def test_a_number_is_never_given_again() -> None:
    tracker = Tracker(forget_seconds=0.0)
    assert [numbers(follow(tracker, float(time), LEFT)) for time in range(3)] == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("votes", "settled_seconds"),
    [
        ("+", 0.0),  # just appeared
        ("+++++", 1.0),  # seen passing all the time
        ("----+", 0.25),  # counted from the last time that it was not
        ("+++-+", 0.25),  # a single other sighting is enough to begin anew
        ("++++-", 0.0),  # however long it was right before
        ("+.+.+", 1.0),  # not seen is no vote
    ],
)
def test_one_sighting_that_does_not_pass_begins_the_vote_anew(
    votes: str, settled_seconds: float
) -> None:
    tracker = Tracker(forget_seconds=0.5)
    for index, vote in enumerate(votes):
        boxes = () if vote == "." else (LEFT,)
        tracks = follow(tracker, index / 4, *boxes, passing=vote == "+")
    assert tracks[0].settled_seconds == settled_seconds


def test_a_picture_that_lasts_is_a_sighting_until_its_end() -> None:
    tracker = Tracker(forget_seconds=0.5)
    boxes = rows([LEFT])
    assert tracker.follow(boxes, [True], 0.0, 1.0)[0].settled_seconds == 1.0
    assert tracker.follow(boxes, [False], 1.0, 2.0)[0].settled_seconds == 0.0
    assert tracker.follow(boxes, [True], 2.5, 3.5)[0].settled_seconds == 1.5


def test_two_faces_that_pass_each_other_have_a_vote_each() -> None:
    tracker = Tracker(forget_seconds=0.5)
    tracker.follow(rows([LEFT, RIGHT]), [True, False], 0.0, 0.0)
    left, right = tracker.follow(rows([LEFT, RIGHT]), [True, True], 0.25, 0.25)
    assert (left.settled_seconds, right.settled_seconds) == (0.25, 0.25)
    right, left = tracker.follow(rows([RIGHT, LEFT]), [False, True], 0.5, 0.5)
    assert (left.settled_seconds, right.settled_seconds) == (0.5, 0.0)


coordinates = st.floats(-50, 500, width=32)
crowds = st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates), max_size=6)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 1.0]), crowds), max_size=8))
def test_the_same_frames_give_the_same_numbers_each_of_them_once(
    frames: list[tuple[float, list[Box]]],
) -> None:
    first, second = Tracker(forget_seconds=0.5), Tracker(forget_seconds=0.5)
    time = 0.0
    for step, boxes in frames:
        time += step
        found = numbers(follow(first, time, *boxes))
        assert found == numbers(follow(second, time, *boxes))
        assert len(set(found)) == len(found) == len(boxes)
