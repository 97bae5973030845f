"""Override: somebody says what a door is to be for a while, and takes responsibility for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .errors import UsageError
from .policy import Door, Order

_log = logging.getLogger("monitor.door")

ACTIONS = {"lock": Door.LOCKED, "unlock": Door.UNLOCKED}
_LONGEST_NAME = 64


class Override:
    """What a person has ordered a door to be; may be asked and read by any thread.

    An unlock opens without any evidence: whoever asks for it stands there instead of the camera. So
    it also outlasts a camera that fails, but never its own end, at which the door locks and CLEAR
    must hold anew. A lock beats everything, also an unlock that is asked for while it lasts; only
    another lock replaces it, and a short one takes it back.

    door_name: in the log.
    max_seconds: longest time that may be asked for.
    clock: the seconds in which leases expire.
    """

    def __init__(
        self, door_name: str, *, max_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._door_name = door_name
        self._max_seconds = max_seconds
        self._clock = clock
        self._guard = threading.Lock()
        self._order: Order | None = None

    def request(self, action: str, seconds: float, by: str) -> str:
        """Order the door locked or unlocked from now on; returns what was ordered, in words.

        action: `lock` or `unlock`.
        seconds: for how long, above 0, at most `max_seconds`.
        by: who asks, 1 to 64 printable characters.

        Raises UsageError when any of them is wrong, or a lock that lasts stands against an unlock.
        """
        if action not in ACTIONS:
            raise UsageError(f"override: action {action!r} found, expected {' or '.join(ACTIONS)}")
        if not 0.0 < seconds <= self._max_seconds:
            raise UsageError(
                f"override: {seconds:g} s found, expected more than 0, at most "
                f"{self._max_seconds:g} s"
            )
        if not (by.strip() and by.isprintable() and len(by) <= _LONGEST_NAME):
            raise UsageError(f"override: name {by!r} found, expected 1 to 64 printable characters")
        with self._guard:
            now = self._clock()
            latest = self._order
            if (
                latest is not None
                and latest.door is Door.LOCKED
                and now < latest.until
                and action == "unlock"
            ):
                left_seconds = latest.until - now
                refusal = f"{latest.reason}, for another {left_seconds:.0f} s"
                _log.warning("%s: unlock by %s refused: %s", self._door_name, by, refusal)
                raise UsageError(f"override: {self._door_name}: {refusal}")
            self._order = Order(ACTIONS[action], f"{action}ed by {by}", now + seconds)
        said = f"{self._door_name}: {action}ed by {by} for {seconds:g} s"
        _log.warning("%s", said)
        return said

    def order(self) -> Order | None:
        """What the door is to be now; None when nothing is ordered any more."""
        with self._guard:
            if self._order is not None and self._clock() >= self._order.until:
                _log.info("%s: %s: ended", self._door_name, self._order.reason)
                self._order = None
            return self._order
