"""Line: everything of one door, from its source to what is told to lock."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .capture import Capture
from .doorkeeper import Doorkeeper, Lock
from .frame import Frame
from .result import Result
from .summary import Summary

TICK_SECONDS = 0.25
_GIVING_UP_SECONDS = 1.0


class Line:
    """One door of a pipeline.

    name: the door's.
    capture: takes its frames.
    doorkeeper: decides on them; may be replaced between two frames.
    locks: the actuators that the doorkeeper drives; started and closed by the pipeline.
    overwrite: drop what nobody took in time (live), instead of waiting until it is taken.
    """

    def __init__(
        self,
        name: str,
        capture: Capture,
        doorkeeper: Doorkeeper,
        *,
        locks: Sequence[Lock] = (),
        overwrite: bool,
    ) -> None:
        self.name = name
        self.capture = capture
        self.doorkeeper = doorkeeper
        self.locks = locks
        self.overwrite = overwrite
        self.summary = Summary()
        self._due_at = time.monotonic() + TICK_SECONDS

    @property
    def patience_seconds(self) -> float | None:
        """How long until a live door wants to be told that no frame has come; None for never."""
        if not self.capture.source.live:
            return None
        return max(self._due_at - time.monotonic(), 0.0)

    def see(self, frame: Frame | str) -> Result:
        """What becomes of a frame, or of the fault, in words, that keeps frames from coming."""
        keeper = self.doorkeeper
        result = keeper.fail(frame) if isinstance(frame, str) else keeper.see(frame)
        self.summary.add(result)
        self._due_at = time.monotonic() + TICK_SECONDS
        return result

    def miss(self) -> Result:
        """What becomes of a door whose frames have not come for a while."""
        result = self.doorkeeper.miss()
        self.summary.add(result)
        self._due_at = time.monotonic() + TICK_SECONDS
        return result


def close(lines: Sequence[Line], deadline: float) -> list[tuple[str, str]]:
    """Lock lines for good; what is not certainly locked by a second after `deadline`.

    deadline: monotonic seconds, after which what hangs is told to give up.

    Returns the names of the door and of the actuator of each.
    """
    # All are told before any is waited for: one that hangs must not keep another door open.
    for line in lines:
        for lock in line.locks:
            lock.end()
    locks = [(line, lock) for line in lines for lock in line.locks]
    left = _still_open(locks, deadline)
    # What was just told to give up an unlock may yet lock.
    left = _still_open(left, time.monotonic() + _GIVING_UP_SECONDS)
    return [(line.name, lock.name) for line, lock in left]


def _still_open(locks: Sequence[tuple[Line, Lock]], deadline: float) -> list[tuple[Line, Lock]]:
    return [
        (line, lock)
        for line, lock in locks
        if not lock.close(max(deadline - time.monotonic(), 0.0))
    ]
