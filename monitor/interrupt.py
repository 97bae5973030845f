"""Signals: ending in good order, and reading the configuration again."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

# Not every system has the first one.
_SIGNALS = [number for number in signal.Signals if number.name in ("SIGHUP", "SIGINT", "SIGTERM")]


class Interrupted(Exception):
    """The user or the system asked the program to end.

    exit_code: 128 plus the number of the signal, as shells have it; that of a failure once it turns
        out that a door cannot be locked.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signal_number).name}")
        self.exit_code = 128 + signal_number


class Interrupt:
    """Catches the signals, so that the main loop ends where it is safe; a context manager.

    A signal that raised wherever the main thread happens to be could break off the very shutdown
    that locks the door. A SIGHUP that is ignored stays so: with nohup, a command outlives its
    terminal. Used on the main thread.
    """

    def __init__(self) -> None:
        self._signal_number: int | None = None

    def check(self) -> None:
        """Raise Interrupted once a signal has come."""
        if self._signal_number is not None:
            raise Interrupted(self._signal_number)

    def __enter__(self) -> Interrupt:
        self._handlers = {
            number: signal.signal(number, self._note)
            for number in _SIGNALS
            if not (number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN)
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signal_number = number


class Hangup:
    """Notes SIGHUP, which asks a service to read its configuration again; a context manager.

    Used on the main thread.
    """

    def __init__(self) -> None:
        self._came = False

    def came(self) -> bool:
        """Whether one came since this was asked last."""
        came, self._came = self._came, False
        return came

    def __enter__(self) -> Hangup:
        self._handler = signal.signal(signal.SIGHUP, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGHUP, self._handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = True
