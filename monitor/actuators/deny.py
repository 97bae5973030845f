"""The denier: has an actuator show at the door that someone is turned away."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable

from ..channel import Channel, Closed
from .actuator import Actuator
from .lease import Lease

_log = logging.getLogger("monitor.door")

_PAUSE_SECONDS = 3.0


class Denier:
    """Calls `deny` on its own thread, so that neither its time nor its failure reaches the lock.

    Once when leases begin to deny, and not again within the pause: evidence that flickers must not
    ring without end.

    actuator: what shows it.
    pause_seconds: shortest time between two calls.
    clock: seconds.
    """

    def __init__(
        self,
        actuator: Actuator,
        *,
        pause_seconds: float = _PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._actuator = actuator
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._reasons: Channel[str] = Channel(1, overwrite=True)
        self._denying = False
        self._latest_at = -math.inf
        self._thread = threading.Thread(
            target=self._work, name=f"deny {actuator.name}", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def see(self, lease: Lease) -> None:
        """Look at the next lease of the door; returns at once."""
        begins = lease.denies and not self._denying
        self._denying = lease.denies
        now = self._clock()
        if begins and now - self._latest_at >= self._pause_seconds:
            self._latest_at = now
            with contextlib.suppress(Closed):
                self._reasons.put(lease.reason)

    def end(self) -> None:
        """Show nothing more; a call that is under way is not waited for."""
        self._reasons.close()

    def _work(self) -> None:
        while True:
            try:
                reason = self._reasons.get()
            except Closed:
                return
            try:
                self._actuator.deny(reason)
            except Exception as error:
                # Whatever it was: the next one may be shown again.
                _log.warning("%s", error)
