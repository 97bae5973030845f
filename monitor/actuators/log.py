"""The actuator that only writes what would have happened."""

from __future__ import annotations

import logging

from ..policy import Door

_log = logging.getLogger("monitor.door")


class LogActuator:
    """Writes one line for every change of the door.

    name: what the line begins with.
    """

    kind = "log"

    def __init__(self, name: str) -> None:
        self.name = name
        self._state: Door | None = None

    def lock(self) -> None:
        """Say that the door is locked, unless that was said last."""
        self._say(Door.LOCKED)

    def unlock(self) -> None:
        """Say that the door is unlocked, unless that was said last."""
        self._say(Door.UNLOCKED)

    def _say(self, state: Door) -> None:
        if state is not self._state:
            self._state = state
            _log.info("%s: %s", self.name, state)
