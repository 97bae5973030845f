"""The log: lines on standard error, written by a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType

_FORMAT = "%(asctime)s %(message)s"
_STANDARD_ERROR = 2
# What stands where the line begins goes first, which may be a progress bar.
_ERASE_ROW = "\r\x1b[K"
_MOST_LINES = 1000
_LAST_WAIT_SECONDS = 1.0


class Log(logging.Handler):
    """Takes the lines of all loggers as long as its context lasts; nobody waits for their reader.

    A stopped terminal, a pager or a log driver that stalls would else hold up whoever writes a
    line, such as the thread that is to lock a door next. What finds no room is left out, and a line
    says so where there is room again. Where logging has been set up already, it does nothing.

    write: takes bytes and returns how many of them it has written; may block. None is standard
        error.
    most_lines: that wait at most.
    """

    def __init__(
        self, write: Callable[[bytes], int] | None = None, *, most_lines: int = _MOST_LINES
    ) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_FORMAT))
        self._write = write or _to_standard_error
        on_terminal = write is None and os.isatty(_STANDARD_ERROR)
        self._before_line = _ERASE_ROW if on_terminal else ""
        self._most_lines = most_lines
        # One that a signal may interrupt while the same thread puts something in.
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._left_out = 0
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)

    def __enter__(self) -> Log:
        root = logging.getLogger()
        if not root.handlers:
            root.setLevel(logging.INFO)
            root.addHandler(self)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger().removeHandler(self)
        self._say_left_out()
        self._lines.put(None)
        self._thread.join(_LAST_WAIT_SECONDS)

    def emit(self, record: logging.LogRecord) -> None:
        """Have a line written; returns at once."""
        if self._lines.qsize() >= self._most_lines:
            self._left_out += 1
            return
        self._say_left_out()
        self._lines.put(self.format(record))

    def _say_left_out(self) -> None:
        if self._left_out:
            self._lines.put(f"{self._left_out} lines left out: nobody read the log")
            self._left_out = 0

    def _work(self) -> None:
        while (line := self._lines.get()) is not None:
            self._put(line)

    def _put(self, line: str) -> None:
        left = f"{self._before_line}{line}\n".encode("utf-8", "backslashreplace")
        # A log that cannot be written is no reason to stop.
        with contextlib.suppress(OSError):
            while left:
                left = left[self._write(left) :]


def _to_standard_error(line: bytes) -> int:
    # Past the buffer of `sys.stderr`, whose lock would be held at the exit by a thread that waits.
    return os.write(_STANDARD_ERROR, line)
