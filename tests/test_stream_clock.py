from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.stream_clock import StreamClock

NOW = 1000.0


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
            [(1, 0), (2, 1), (3, 5.0), (4, 5.1), (5, 5.2), (6, 5.3), (7, 6)],
            [None, 0, 3, 2.1, 1.2, 0.3, 0],
            id="a network that stood still, and what it then hands over",
        ),
        pytest.param(
            [(1, 9.0), (2, 9.1), (3, 9.2), (4, 9.3), (5, 10.3)],
            [None, None, None, None, 0],
            id="a backlog from before the first",
        ),
        pytest.param(
            [(n, 2 * n) for n in range(5)], [None, 1, 1.9, 2.9, 3.8], id="decoded at half speed"
        ),
        pytest.param([(0, n) for n in range(13)], [None] * 11 + [0, 0], id="no timestamps"),
        pytest.param([(0, 9), (0, 9.1), (1, 10), (2, 11)], [None, None, 0, 0], id="first repeated"),
        pytest.param([(7, 0), (8, 1), (2, 2), (3, 3)], [None, 0, None, 0], id="set back"),
        pytest.param([(7, 0), (8, 1), (60, 2), (61, 3)], [None, 0, None, 0], id="set forward"),
    ],
)
def test_a_picture_that_waited_is_known_by_its_timestamp(
    pictures: list[tuple[float, float]], expected: list[float | None]
) -> None:
    assert waited(pictures) == pytest.approx(expected, abs=0.15)


def test_a_camera_whose_clock_is_a_little_slow_never_seems_to_be_late() -> None:
    assert set(waited([(n * 0.99, n) for n in range(3600)])[1:]) == {0.0}


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(0, 10)), min_size=1, max_size=50))
def test_no_picture_is_taken_after_it_came(steps: list[tuple[float, float]]) -> None:
    clock = StreamClock()
    stamps = accumulate(step for step, _ in steps)
    arrivals = accumulate((step for _, step in steps), initial=NOW)
    for stamp, arrived_at in zip(stamps, arrivals, strict=False):
        taken_at = clock.taken_at(stamp, arrived_at)
        assert taken_at is None or taken_at <= arrived_at + 1e-9
