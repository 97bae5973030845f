"""The log: whoever writes a line goes on, whether anybody reads it or not."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from monitor.log import Log

PATIENCE_SECONDS = 10.0


class Terminal:
    """Takes what is written, some bytes at a time, unless it is stopped."""

    def __init__(self, at_once: int = 7) -> None:
        self.shown = b""
        self.going = threading.Event()
        self.going.set()
        self.asked = threading.Event()
        self._at_once = at_once

    def __call__(self, line: bytes) -> int:
        self.asked.set()
        assert self.going.wait(PATIENCE_SECONDS)
        self.shown += line[: self._at_once]
        return min(len(line), self._at_once)

    @property
    def messages(self) -> list[str]:
        """The lines without their dates."""
        return [re.sub(r"^[\d-]+ [\d:,]+ ", "", line) for line in self.shown.decode().splitlines()]


@contextmanager
def logging_to(terminal: Callable[[bytes], int], **options: int) -> Iterator[logging.Logger]:
    """A log where nothing has set up logging before, as at the start of the program."""
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        with Log(terminal, **options):
            yield logging.getLogger("monitor.door")
    finally:
        root.handlers = before


def test_all_lines_are_there_at_the_end_in_their_order() -> None:
    terminal = Terminal()
    with logging_to(terminal) as log:
        for number in range(100):
            log.info("line %d", number)
    assert terminal.messages == [f"line {number}" for number in range(100)]


def test_a_terminal_that_is_stopped_holds_up_nobody_and_is_told_what_it_missed() -> None:
    terminal = Terminal()
    with logging_to(terminal, most_lines=3) as log:
        terminal.going.clear()
        log.info("shown")
        assert terminal.asked.wait(PATIENCE_SECONDS)
        for number in range(10):
            log.info("waits %d", number)
        terminal.going.set()
    waited = [f"waits {number}" for number in range(3)]
    assert terminal.messages == ["shown", *waited, "7 lines left out: nobody read the log"]


def test_the_end_does_not_wait_for_a_terminal_that_is_stopped_for_good() -> None:
    terminal = Terminal()
    terminal.going.clear()
    with logging_to(terminal) as log:
        log.info("never shown")
    assert terminal.shown == b""
    terminal.going.set()


def test_a_log_that_cannot_be_written_is_no_reason_to_stop() -> None:
    written = []

    def full(line: bytes) -> int:
        written.append(line)
        raise OSError(28, "No space left on device")

    with logging_to(full) as log:
        for number in range(2):
            log.info("line %d", number)
    assert len(written) == 2


def test_where_logging_is_set_up_already_it_stays_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    terminal, before = Terminal(), list(logging.getLogger().handlers)
    with Log(terminal):
        logging.getLogger("monitor.door").warning("elsewhere")
        assert logging.getLogger().handlers == before
    assert terminal.shown == b""
    assert caplog.messages == ["elsewhere"]
