"""The actuator that moves nothing: what is left is the log of its worker."""

from __future__ import annotations

import logging

from .actuator import Actuator
from .lease import Lease

_log = logging.getLogger("monitor.door")


class LogActuator(Actuator):
    """Does nothing but say who is turned away: a worker writes a line for every change.

    name: what each line begins with.
    """

    kind = "log"

    def lock(self) -> None:
        """Nothing to do."""

    def unlock(self, lease: Lease) -> None:
        """Nothing to do."""

    def deny(self, reason: str) -> None:
        """Write the reason to the log."""
        _log.info("%s: denied: %s", self.name, reason)
