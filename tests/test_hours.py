"""The hours in which a door never opens, by the clock on the wall."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.decision import Door
from monitor.hours import DAYS, Closed, Hours

NIGHT = Closed(DAYS, time(20), time(7))
WEEKEND_NIGHT = Closed(("sat", "sun"), time(20), time(7))
LUNCH = Closed(("mon",), time(12), time(13, 30))
SUNDAY = Closed(("sun",), time(0), time(0))


def at(text: str) -> datetime:
    """A moment of November 2026, whose 2nd is a Monday, such as "2 19:59:59"."""
    return datetime.strptime(f"2026-11-{text}", "%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("closed", "now", "holds"),
    [
        # Within one day: its beginning belongs to it, its end does not.
        (LUNCH, "2 11:59:59", False),
        (LUNCH, "2 12:00:00", True),
        (LUNCH, "2 12:00:30", True),
        (LUNCH, "2 13:29:59", True),
        (LUNCH, "2 13:30:00", False),
        # Only on its days.
        (LUNCH, "3 12:30:00", False),
        # Over midnight.
        (NIGHT, "3 19:59:59", False),
        (NIGHT, "3 20:00:00", True),
        (NIGHT, "4 00:00:00", True),
        (NIGHT, "4 06:59:59", True),
        (NIGHT, "4 07:00:00", False),
        # The day is the one on which it begins, also from Sunday to Monday.
        (WEEKEND_NIGHT, "7 03:00:00", False),
        (WEEKEND_NIGHT, "7 21:00:00", True),
        (WEEKEND_NIGHT, "8 03:00:00", True),
        (WEEKEND_NIGHT, "9 03:00:00", True),
        (WEEKEND_NIGHT, "9 21:00:00", False),
        (WEEKEND_NIGHT, "10 03:00:00", False),
        # From a time to the same one: a whole day.
        (SUNDAY, "7 23:59:59", False),
        (SUNDAY, "8 00:00:00", True),
        (SUNDAY, "8 23:59:59", True),
        (SUNDAY, "9 00:00:00", False),
    ],
)
def test_a_stretch_of_the_day_holds_on_its_days(closed: Closed, now: str, holds: bool) -> None:
    for moment in (at(now), at(now) + timedelta(milliseconds=500)):
        assert closed.holds(moment) is holds


def berlin(begin: datetime) -> Callable[[], datetime]:
    """A clock on a wall in Berlin, a quarter of an hour later at each look."""
    looks = (begin + timedelta(minutes=15 * step) for step in range(100))
    return lambda: next(looks).astimezone(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("begin", "closed", "expected"),
    [
        # 01:30, 01:45, then 03:00 at once: the rest of the stretch is kept.
        ((2026, 3, 29, 0, 30), Closed(DAYS, time(1, 45), time(3, 15)), ".xx."),
        # A stretch that the clock leaves out altogether does not come.
        ((2026, 3, 29, 0, 30), Closed(DAYS, time(2, 15), time(2, 45)), "...."),
        # 02:30, 02:45, 02:00 again to 02:45, 03:00: closed whenever the wall says so.
        ((2026, 10, 25, 0, 30), Closed(DAYS, time(2, 30), time(2, 45)), "x...x.."),
        ((2026, 10, 25, 0, 30), Closed(DAYS, time(22), time(3)), "xxxxxx."),
    ],
)
def test_summer_time_begins_and_ends(begin: tuple[int, ...], closed: Closed, expected: str) -> None:
    hours = Hours([closed], berlin(datetime(*begin, tzinfo=UTC)))
    assert "".join("x" if hours.order() else "." for _ in expected) == expected


def test_the_order_locks_and_says_why() -> None:
    order = Hours([LUNCH, NIGHT], lambda: at("3 21:05:00")).order()
    assert order is not None
    assert order.door is Door.LOCKED
    assert order.reason == "closed from 20:00 to 07:00, it is tue 21:05"
    assert Hours([LUNCH, NIGHT], lambda: at("3 12:05:00")).order() is None
