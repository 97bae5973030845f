"""Which signals end the program, and which one has its configuration read again."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from monitor.interrupt import Hangup, Interrupt, Interrupted


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handler = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_program_where_it_looks_for_one(number: signal.Signals) -> None:
    with Interrupt() as interrupt:
        interrupt.check()
        signal.raise_signal(number)
        with pytest.raises(Interrupted, match=number.name) as stopped:
            interrupt.check()
    assert stopped.value.exit_code == 128 + number


def test_a_hangup_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGHUP)
        interrupt.check()


def test_whoever_waits_for_a_hangup_gets_it_in_place_of_the_end() -> None:
    with Interrupt() as interrupt:
        with Hangup() as hangup:
            signal.raise_signal(signal.SIGHUP)
            interrupt.check()
            assert hangup.came()
        signal.raise_signal(signal.SIGHUP)
        with pytest.raises(Interrupted):
            interrupt.check()
