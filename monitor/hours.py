"""The hours in which a door never opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal, get_args

from .decision import Door, Order

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Closed:
    """A stretch of the day, by the clock on the wall.

    days: those of `DAYS` on which it begins.
    begin, end: the first moment in it and the first one after it; when `end` is not later it is
        on the next day.
    """

    days: Sequence[Day]
    begin: time
    end: time

    def holds(self, now: datetime) -> bool:
        """Whether a moment of local time lies in it."""
        length = (_seconds(self.end) - _seconds(self.begin)) % _DAY_SECONDS or _DAY_SECONDS
        week = len(DAYS) * _DAY_SECONDS
        since_monday = now.weekday() * _DAY_SECONDS + _seconds(now.time())
        begins = (DAYS.index(day) * _DAY_SECONDS + _seconds(self.begin) for day in self.days)
        return any((since_monday - begin) % week < length for begin in begins)


class Hours:
    """Orders the door locked in its closed hours.

    Only what the clock on the wall shows counts. An hour that summer time leaves out is not waited
    for, and one that it repeats counts twice.

    closed: when the door never opens.
    wall_clock: the local time.
    """

    def __init__(self, closed: Sequence[Closed], wall_clock: Callable[[], datetime]) -> None:
        self._closed = closed
        self._wall_clock = wall_clock

    def order(self) -> Order | None:
        """What the door is to be now; None when it may open."""
        now = self._wall_clock()
        for closed in self._closed:
            if closed.holds(now):
                until = f"closed from {closed.begin:%H:%M} to {closed.end:%H:%M}"
                return Order(Door.LOCKED, f"{until}, it is {DAYS[now.weekday()]} {now:%H:%M}")
        return None


def _seconds(at: time) -> float:
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6
