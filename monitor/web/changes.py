"""The changes of the doors that the page lists, each with the picture that brought it about."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..channel import Channel

_log = logging.getLogger("monitor.web")

KEPT = 100
_WAITING = 16

_Noted = tuple[float, str, str, str, Callable[[], bytes]]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened at a door.

    number: 1 for the first change, then one more for each.
    at: seconds since 1970, UTC.
    door: the door's name.
    what: locked, unlocked or denied.
    reason: why, in words.
    pictured: whether there is a picture of it.
    snapshot: the file of that picture where it is not in memory; it may be gone since.
    """

    number: int
    at: float
    door: str
    what: str
    reason: str
    pictured: bool = True
    snapshot: Path | None = None


class Changes(Protocol):
    """Where the page finds the changes that it lists."""

    def newest(self, count: int) -> Sequence[Change]:
        """At most so many changes, the newest first."""
        ...

    def picture(self, number: int) -> bytes | Path | None:
        """The JPEG of a change, or the file that should hold it; None where it is not kept."""
        ...


class RecentChanges:
    """The last changes, in memory.

    `note` is called on the inference thread and returns at once; all else, on the page's thread.

    earlier: those from before, numbered from 1 on.
    clock: seconds since 1970.
    """

    def __init__(
        self, earlier: Sequence[Change] = (), *, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._noted: Channel[_Noted] = Channel(_WAITING, overwrite=True)
        self._kept: deque[tuple[Change, bytes | Path | None]] = deque(
            ((change, change.snapshot) for change in earlier), maxlen=KEPT
        )
        self._count = len(earlier)

    def note(self, door: str, what: str, reason: str, encode: Callable[[], bytes]) -> None:
        """Remember a change; arguments as for `Change`.

        encode: makes its JPEG.
        """
        self._noted.put((self._clock(), door, what, reason, encode))

    def take_in(self) -> None:
        """Encode the pictures of what was noted since the last call."""
        while True:
            try:
                at, door, what, reason, encode = self._noted.get(timeout_seconds=0.0)
            except TimeoutError:
                return
            self._count += 1
            picture = _picture(door, encode)
            change = Change(self._count, at, door, what, reason, picture is not None)
            self._kept.append((change, picture))

    def newest(self, count: int) -> Sequence[Change]:
        """At most so many changes, the newest first."""
        return [change for change, _ in reversed(self._kept)][:count]

    def picture(self, number: int) -> bytes | Path | None:
        """The JPEG of a change, or the file that should hold it; None where it is not kept."""
        return next((picture for change, picture in self._kept if change.number == number), None)


def _picture(door: str, encode: Callable[[], bytes]) -> bytes | None:
    try:
        return encode()
    except Exception:
        # the list matters more than one picture in it, and the page more than both
        _log.exception("live page: no picture of a change of %s", door)
        return None
