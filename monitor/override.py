"""Override: somebody says what a door is to be for a while, and takes responsibility for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .decision import Door, Order
from .errors import UsageError

_log = logging.getLogger("monitor.door")

ACTIONS = {"lock": Door.LOCKED, "unlock": Door.UNLOCKED}
_LONGEST_NAME = 64


class Override:
    """What a person has ordered a door to be; may be asked and read by any thread.

    An unlock opens without any evidence: whoever asks for it stands there instead of the camera. So
    it also outlasts a camera that fails, but never its own end nor that of the door's source, at
    which the door locks and CLEAR must hold anew. A lock beats everything, also an unlock that is
    asked for while it lasts; only another lock replaces it, and a short one takes it back.

    door_name: in the log.
    max_seconds: longest time that may be asked for.
    noted: told in words of each order that is given, refused or over, and what the door is to be
        from now on by a new one; must return at once and never raise.
    clock: the seconds in which leases expire.

    `ended` says whether the door's source has ended, so that nobody may unlock it any more.
    """

    def __init__(
        self,
        door_name: str,
        *,
        max_seconds: float,
        noted: Callable[[str, Door | None], None] = lambda what, door: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_seconds = max_seconds
        self.ended: Callable[[], bool] = lambda: False
        self._door_name = door_name
        self._noted = noted
        self._clock = clock
        self._guard = threading.Lock()
        self._order: Order | None = None

    def request(self, action: str, seconds: float, by: str, *, way: str = "") -> str:
        """Order the door locked or unlocked from now on; returns what was ordered, in words.

        action: `lock` or `unlock`.
        seconds: for how long, above 0, at most `max_seconds`.
        by: who asks, 1 to 64 printable characters.
        way: for the record, on which way it was asked, such as `on the live page`.

        Raises UsageError when any of them is wrong, and for an unlock while a lock lasts or once
        the source has `ended`.
        """
        with self._guard:
            self._end()
            problem = self._problem(action, seconds, by)
            if problem is not None:
                asked = f"{action} by {by} for {seconds:g} s {way}".rstrip()
                # Whoever asks must not be able to forge a line of the record.
                asked = asked if asked.isprintable() else repr(asked)
                self._note(f"{asked} refused: {problem}")
                raise UsageError(f"override: {self._door_name}: {problem}")
            if self._order is not None:
                self._note(f"{self._order.reason}: replaced")
            door = ACTIONS[action]
            self._order = Order(door, f"{door} by {by}", self._clock() + seconds)
            said = f"{self._order.reason} for {seconds:g} s"
            self._note(f"{said} {way}".rstrip(), door)
        return f"{self._door_name}: {said}"

    def order(self) -> Order | None:
        """What the door is to be now; None when nothing is ordered any more."""
        with self._guard:
            self._end()
            return self._order

    def leave(self) -> None:
        """End an unlock and take none until `ended` is set anew: the door is gone. A lock lasts."""
        self.ended = lambda: True
        with self._guard:
            self._end()

    def _problem(self, action: str, seconds: float, by: str) -> str | None:
        """What stands against an order; None for nothing."""
        if action not in ACTIONS:
            return f"action {action!r} found, expected {' or '.join(ACTIONS)}"
        if not 0.0 < seconds <= self.max_seconds:
            return f"{seconds:g} s found, expected more than 0, at most {self.max_seconds:g} s"
        if not (by.strip() and by.isprintable() and len(by) <= _LONGEST_NAME):
            return f"name {by!r} found, expected 1 to {_LONGEST_NAME} printable characters"
        if self.ended() and action == "unlock":
            return "its source has ended, and it stays locked"
        if self._order is not None and self._order.door is Door.LOCKED and action == "unlock":
            left_seconds = self._order.until - self._clock()
            return f"{self._order.reason}, for another {left_seconds:.0f} s"
        return None

    def _end(self) -> None:
        if self._order is None:
            return
        forsaken = self._order.door is Door.UNLOCKED and self.ended()
        if forsaken or self._clock() >= self._order.until:
            self._note(f"{self._order.reason}: ended")
            self._order = None

    def _note(self, what: str, door: Door | None = None) -> None:
        _log.warning("%s: %s", self._door_name, what)
        self._noted(what, door)
