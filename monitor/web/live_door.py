"""A door as the page shows it: its newest result, and how long ago that was."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..actuators.lease import Change
from ..decision import Door, denies
from ..result import Result
from ..summary import Summary

READY_SECONDS = 5.0
HUNG_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Newest:
    """A result with its number among all of the door, and when it and the last look came."""

    result: Result
    number: int
    at: float
    looked_at: float | None


class LiveDoor:
    """Keeps the newest result of one door and the states of its actuators.

    It takes note on the threads that decide and act, and is read on the page's. The picture is
    encoded when somebody asks for it, once for all who ask.

    name: the door's name.
    encode: makes the JPEG of a result.
    note: told of every change, see `RecentChanges.note`.
    clock: seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        encode: Callable[[Result], bytes],
        note: Callable[[str, str, str, Callable[[], bytes]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._encode = encode
        self._note = note
        self._clock = clock
        self._started_at = clock()
        self._summary = Summary(clock)
        # Replaced as a whole, so that a reader on another thread never sees half of it.
        self._newest: _Newest | None = None
        self._jpeg = (0, b"")
        # Several threads add to it, one for each actuator: no one may put back what it has read.
        self._actuators: dict[str, str] = {}

    def see(self, result: Result) -> None:
        """Take note of the door's next result; returns at once."""
        before, now = self._newest, self._clock()
        looked = result.fresh and result.candidates is not None
        looked_before = before.looked_at if before else None
        number = before.number + 1 if before else 1
        self._summary.add(result)
        self._newest = _Newest(result, number, now, now if looked else looked_before)
        what = change_between(before.result if before else None, result)
        if what is not None:
            reason = result.decision.reason
            self._note(self.name, what, reason, lambda: self._encode(result))

    def see_change(self, change: Change) -> None:
        """Take note of what became of an actuator; returns at once."""
        self._actuators[change.actuator] = change.state

    def forget_actuators(self) -> None:
        """Know of none, as before the first change: the door gets others."""
        self._actuators = {}

    @property
    def number(self) -> int:
        """How many results there have been; 0 before the first one."""
        return self._newest.number if self._newest else 0

    def jpeg(self) -> tuple[int, bytes]:
        """The newest result's number, and its picture; without any, 0 and nothing."""
        newest = self._newest
        if newest is not None and newest.number != self._jpeg[0]:
            self._jpeg = (newest.number, self._encode(newest.result))
        return self._jpeg

    @property
    def frame_age_seconds(self) -> float:
        """Time since the detector last looked at a new frame; at first, since the start.

        A camera that is silent, frozen or late makes it grow, and so does a detector that hangs.
        """
        looked_at = self._newest.looked_at if self._newest else None
        return self._clock() - (self._started_at if looked_at is None else looked_at)

    @property
    def ready(self) -> bool:
        """Whether the door has been looked at just now."""
        newest = self._newest
        looked = newest is not None and newest.looked_at is not None
        return looked and self.frame_age_seconds <= READY_SECONDS

    @property
    def hung(self) -> bool:
        """Whether no results come, at first or any more; even a silent camera brings some."""
        newest_at = self._newest.at if self._newest else self._started_at
        return self._clock() - newest_at > HUNG_SECONDS

    def health(self) -> dict[str, Any]:
        """How the door is, in plain values."""
        return {
            "ready": self.ready,
            "frame_age_seconds": round(self.frame_age_seconds, 1),
            "actuators": dict(self._actuators),
        }

    def state(self) -> dict[str, Any]:
        """What the door shows, in plain values; `door` is null before the first result.

        `started_at` is of the clock, and another when the door has begun anew.
        """
        newest = self._newest
        shown: dict[str, Any] = {
            "name": self.name,
            "started_at": self._started_at,
            "door": None,
            **self.health(),
        }
        if newest is None:
            return shown
        decision = newest.result.decision
        return {
            **shown,
            "door": str(decision.door),
            "evidence": str(decision.evidence),
            "reason": decision.reason,
            "faces": len(decision.faces),
            "held_seconds": round(decision.held_seconds, 1),
            "hold_seconds": decision.hold_seconds,
            "frames_per_second": round(self._summary.recent_frames_per_second, 1),
            "number": newest.number,
        }


def change_between(before: Result | None, result: Result) -> str | None:
    """What a result changes: `unlocked`, `locked`, `denied` where that begins, or nothing.

    before: the door's result before it; None for the first one.
    """
    was, now = before and before.decision, result.decision
    if denies(now.evidence, now.door) and not (was and denies(was.evidence, was.door)):
        return "denied"
    if now.door is not (was.door if was else Door.LOCKED):
        return str(now.door)
    return None
