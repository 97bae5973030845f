"""Service: telling systemd that the doors are watched, and that this has not come to a halt."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping

MICROSECONDS = 1_000_000
# systemd asks for a sign at least twice within its own patience
_SIGNS_A_PATIENCE = 3


class Service:
    """Speaks the notification protocol of systemd's sd_notify(3); silent where nobody listens.

    environment: where systemd says its socket, NOTIFY_SOCKET, and its patience, WATCHDOG_USEC.
    clock: seconds.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # an address that begins with @ is of Linux's abstract namespace, which begins with a NUL
        self._address = "\0" + address[1:] if address.startswith("@") else address
        patience = environment.get("WATCHDOG_USEC", "")
        patience_seconds = int(patience) / MICROSECONDS if patience.isdecimal() else 0.0
        self._period_seconds = patience_seconds / _SIGNS_A_PATIENCE
        self._clock = clock
        self._next_sign_at = 0.0

    def ready(self) -> None:
        """Say that every door is watched from now on."""
        self._send("READY=1")

    def alive(self, turned_at: float) -> None:
        """Give a sign of life, as often as systemd wants one, unless decisions have stalled.

        turned_at: when the thread that decides last came round, seconds of the clock. A main loop
            that runs on says nothing about a detector that hangs.
        """
        now = self._clock()
        if not self._period_seconds or now < self._next_sign_at:
            return
        if now - turned_at <= self._period_seconds:
            self._next_sign_at = now + self._period_seconds
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the doors are being locked for good."""
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.setblocking(False)
            try:
                out.connect(self._address)
                out.sendall(state.encode())
            except OSError:
                # whoever started the program is gone or deaf, and no door may depend on it
                return
