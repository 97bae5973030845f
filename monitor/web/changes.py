"""The changes of the doors that the page lists, each with the picture that brought it about."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..channel import Channel
from ..doorkeeper import Result
from ..evidence import Evidence
from ..policy import Door

_KEPT = 100
_WAITING = 16


@dataclass(frozen=True, slots=True)
class Change:
    """What happened at a door.

    number: 1 for the first change, then one more for each.
    at: seconds since 1970, UTC.
    door: the door's name.
    what: locked, unlocked or denied.
    reason: why, in words.
    """

    number: int
    at: float
    door: str
    what: str
    reason: str


class Changes(Protocol):
    """Where the page finds the changes that it lists."""

    def newest(self, count: int) -> Sequence[Change]:
        """At most so many changes, the newest first."""
        ...

    def picture(self, number: int) -> bytes | None:
        """The JPEG of a change; None where it is not kept."""
        ...


class RecentChanges:
    """The last changes, in memory.

    `note` is called on the inference threads and returns at once; all else, on the page's thread.

    encode: makes the JPEG of a result.
    clock: seconds since 1970.
    """

    def __init__(
        self, encode: Callable[[str, Result], bytes], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._encode = encode
        self._clock = clock
        self._noted: Channel[tuple[float, str, str, Result]] = Channel(_WAITING, overwrite=True)
        self._kept: deque[tuple[Change, bytes]] = deque(maxlen=_KEPT)
        self._count = 0

    def note(self, door: str, before: Result | None, result: Result) -> None:
        """Remember a result if it is a change from the one before it."""
        what = change_between(before, result)
        if what is not None:
            self._noted.put((self._clock(), door, what, result))

    def take_in(self) -> None:
        """Encode the pictures of what was noted since the last call."""
        while True:
            try:
                at, door, what, result = self._noted.get(timeout_seconds=0.0)
            except TimeoutError:
                return
            self._count += 1
            change = Change(self._count, at, door, what, result.decision.reason)
            self._kept.append((change, self._encode(door, result)))

    def newest(self, count: int) -> Sequence[Change]:
        """At most so many changes, the newest first."""
        return [change for change, _ in reversed(self._kept)][:count]

    def picture(self, number: int) -> bytes | None:
        """The JPEG of a change; None where it is not kept any more."""
        return next((jpeg for change, jpeg in self._kept if change.number == number), None)


def change_between(before: Result | None, result: Result) -> str | None:
    """What a result changes: `unlocked`, `locked`, `denied` where a violation begins, or nothing.

    before: the door's result before it; None for the first one.
    """
    was, now = before and before.decision, result.decision
    if now.evidence is Evidence.VIOLATION and (not was or was.evidence is not Evidence.VIOLATION):
        return "denied"
    if now.door is not (was.door if was else Door.LOCKED):
        return str(now.door)
    return None
