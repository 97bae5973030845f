from __future__ import annotations

from itertools import accumulate
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.stream_clock import StreamClock

NOW = 1000.0
FPS = 25


def waited(pictures: list[tuple[float, float]]) -> list[float | None]:
    """How long each picture waited, given its timestamp and when it came after NOW."""
    clock = StreamClock()
    taken = [(clock.taken_at(stamp, NOW + came), NOW + came) for stamp, came in pictures]
    return [None if at is None else round(came - at, 1) for at, came in taken]


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        # The first picture has none before it to be compared with.
        pytest.param([(7, 0), (8, 1), (9, 2)], [None, 0, 0], id="each in its time"),
        pytest.param([(7, 0), (8, 1), (9, 2.5), (10, 3)], [None, 0, 0.5, 0], id="one held up"),
        pytest.param(
            [(1, 0), (2, 1), (3, 3.4), (4, 3.5), (5, 4), (6, 5)],
            [None, 0, 1.4, 0.5, 0, 0],
            id="a network that stood still, and what it then hands over",
        ),
        pytest.param(
            [(1, 9.0), (2, 9.1), (3, 9.2), (4, 9.3), (5, 10.3)],
            [None, None, None, None, 0],
            id="a backlog from before the first",
        ),
        pytest.param(
            [(n / 5, n / 2.5) for n in range(6)],
            [None, None, None, 0.6, 0.8, 1.0],
            id="decoded at half speed",
        ),
        pytest.param(
            [(1, 0), (2, 2), (3, 3), (4, 3.5), (5, 4), (6, 5)],
            [None, None, 1, None, None, 0],
            id="one held up in the first second, and others behind it until that is worked off",
        ),
        pytest.param([(0, n) for n in range(13)], [None] * 11 + [0, 0], id="no timestamps"),
        pytest.param([(0, 9), (0, 9.1), (1, 10), (2, 11)], [None, None, 0, 0], id="first repeated"),
        pytest.param([(7, 0), (8, 1), (2, 2), (3, 3)], [None, 0, None, 0], id="set back"),
        pytest.param(
            [(1, 0), (2, 1), (3, 3.5), (3, 4.5), (5, 5.5), (6, 6.5)],
            [None, 0, 1.5, None, 1.4, 1.4],
            id="one repeated where all wait",
        ),
        pytest.param(
            [(1, 0), (2, 1), (3, 3.5), (-9, 4.5), (-8, 5.5), (-7, 6.5)],
            [None, 0, 1.5, None, 1.4, 1.4],
            id="set back where all wait",
        ),
        pytest.param([(7, 0), (8, 1), (60, 2), (61, 3)], [None, 0, None, 0], id="set forward"),
        pytest.param(
            [(1, 9.0), (1.2, 9.1), (1.4, 9.2), (1.4, 10.2), (1.6, 10.3), (1.8, 10.4)],
            [None] * 6,
            id="a backlog from before the first, grown when a timestamp is repeated",
        ),
    ],
)
def test_a_picture_that_waited_is_known_by_its_timestamp(
    pictures: list[tuple[float, float]], expected: list[float | None]
) -> None:
    assert waited(pictures) == pytest.approx(expected, abs=0.15)


def test_a_camera_whose_clock_is_a_little_slow_never_seems_to_be_late() -> None:
    assert set(waited([(n * 0.99, n) for n in range(3600)])[1:]) == {0.0}


@pytest.mark.parametrize("speed", [1.1, 1.3, 1.5, 1.95, 2.1, 10.0])
@pytest.mark.parametrize("backlog_seconds", [1.5, 5.0])
@pytest.mark.parametrize("stalled_seconds", [0.0, 0.3, 1.0])
def test_no_picture_of_a_backlog_from_before_the_first_passes_for_new(
    stalled_seconds: float, backlog_seconds: float, speed: float
) -> None:
    clock, at = StreamClock(), backlog_seconds
    stalled_at = backlog_seconds + 0.9
    dated = 0
    for taken in (index / FPS for index in range(100 * FPS)):
        # As fast as they are decoded, none before it was taken, and none while the network stalls.
        at = max(at + 1 / (FPS * speed), taken)
        if stalled_at < at < stalled_at + stalled_seconds:
            at = stalled_at + stalled_seconds
        taken_at = clock.taken_at(taken, at)
        if taken_at is not None:
            assert at - taken_at == pytest.approx(at - taken, abs=0.06)
            dated += 1
    # It is worked off after 66 s at most, and a second of doubt follows.
    assert dated >= 32 * FPS


@pytest.mark.parametrize(
    "drift",
    [
        # A quartz is right to some hundred in a million, a camera that counts pictures to 1 in 100.
        pytest.param(200e-6, id="fast"),
        pytest.param(-200e-6, id="slow"),
        pytest.param(0.01, id="very fast"),
        pytest.param(-0.01, id="very slow"),
    ],
)
def test_of_a_usual_stream_each_picture_after_the_first_second_is_dated(drift: float) -> None:
    clock, random, came = StreamClock(), Random(1), 0.0
    ages = []
    for sent in (index / 30 for index in range(60 * 30)):
        way_seconds = 0.1 + random.uniform(-0.015, 0.015)
        # Every ten seconds the network stands still for a moment.
        held_up_seconds = max(0.3 - (sent + 5.0) % 10.0, 0.0)
        came = max(came, sent + way_seconds + held_up_seconds)
        taken_at = clock.taken_at(sent * (1 + drift), NOW + came)
        if sent > 1.1:
            assert taken_at is not None
            ages.append(NOW + came - taken_at)
    assert max(ages) == pytest.approx(0.3, abs=0.05)
    assert median(ages) < 0.04


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0, 10)), min_size=1, max_size=50))
def test_no_picture_is_taken_after_it_came(steps: list[tuple[float, float]]) -> None:
    clock = StreamClock()
    stamps = accumulate(step for step, _ in steps)
    arrivals = accumulate((step for _, step in steps), initial=NOW)
    for stamp, arrived_at in zip(stamps, arrivals, strict=False):
        taken_at = clock.taken_at(stamp, arrived_at)
        assert taken_at is None or taken_at <= arrived_at + 1e-9
