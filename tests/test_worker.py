"""The worker: it locks by itself, at the start, at the end and when a lease runs out."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from monitor.actuators.worker import Lease, Worker
from monitor.errors import ActuatorError

PATIENCE_SECONDS = 10.0


class FakeLock:
    """An actuator in memory: remembers its calls and fails when told to."""

    kind = "fake"
    name = "fake"

    def __init__(self, *, failing: tuple[str, ...] = ()) -> None:
        self.failing = failing
        self.calls: list[str] = []
        self.hold_up = threading.Event()
        self.hold_up.set()
        self._changed = threading.Condition()

    def lock(self) -> None:
        self._call("lock")

    def unlock(self) -> None:
        self._call("unlock")

    def _call(self, name: str) -> None:
        with self._changed:
            self.calls.append(name)
            self._changed.notify_all()
        assert self.hold_up.wait(PATIENCE_SECONDS)
        if name in self.failing:
            raise ActuatorError(f"fake: {name}: jammed")

    def wait(self, ready: Callable[[list[str]], bool]) -> None:
        """Return once the calls so far fulfil a condition; fails when they never do."""
        with self._changed:
            assert self._changed.wait_for(lambda: ready(self.calls), PATIENCE_SECONDS), self.calls


class FakeClock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


LOCK = Lease(False, 0.0, "no face")
UNLOCK = Lease(True, math.inf, "1 face masked")


@contextmanager
def working(
    actuator: FakeLock, *, overwrite: bool = True, clock: FakeClock | None = None
) -> Iterator[Worker]:
    """A started worker, at 0 s, that has begun its first call."""
    worker = Worker(
        actuator, overwrite=overwrite, first_retry_seconds=0.01, clock=clock or time.monotonic
    )
    worker.start()
    try:
        actuator.wait(lambda calls: len(calls) >= 1)
        yield worker
    finally:
        actuator.hold_up.set()
        worker.close(PATIENCE_SECONDS)


def test_the_door_is_locked_at_the_start_and_at_the_end() -> None:
    actuator = FakeLock()
    worker = Worker(actuator)
    assert worker.state == "unknown"
    worker.start()
    assert worker.close(PATIENCE_SECONDS)
    assert actuator.calls == ["lock", "lock"]
    assert worker.state == "locked"


def test_each_lease_moves_the_door_only_when_it_changes_it() -> None:
    actuator = FakeLock()
    with working(actuator, overwrite=False, clock=FakeClock()) as worker:
        for lease in (LOCK, UNLOCK, UNLOCK, LOCK, LOCK):
            worker.apply(lease)
    assert actuator.calls == ["lock", "unlock", "lock", "lock"]


def test_the_door_locks_by_itself_when_no_fresh_lease_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    actuator, clock = FakeLock(), FakeClock()
    with working(actuator, clock=clock) as worker:
        worker.apply(Lease(True, 0.05, "1 face masked"))
        actuator.wait(lambda calls: calls == ["lock", "unlock"])
        clock.now = 0.05
        actuator.wait(lambda calls: calls == ["lock", "unlock", "lock"])
    assert "fake: the lease ran out: locking" in caplog.messages


def test_a_fresh_lease_keeps_the_door_open_past_the_end_of_the_one_before() -> None:
    actuator, clock = FakeLock(), FakeClock()
    with working(actuator, overwrite=False, clock=clock) as worker:
        actuator.hold_up.clear()
        worker.apply(Lease(True, 1.0, "1 face masked"))
        actuator.wait(lambda calls: calls == ["lock", "unlock"])
        clock.now = 2.0
        worker.apply(UNLOCK)
        actuator.hold_up.set()
    # The one lock after the unlock is the one at the end.
    assert actuator.calls == ["lock", "unlock", "lock"]


def test_an_unlock_that_comes_too_late_is_refused_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    actuator, clock = FakeLock(), FakeClock()
    clock.now = 2.5
    with working(actuator, overwrite=False, clock=clock) as worker:
        for _ in range(3):
            worker.apply(Lease(True, 1.0, "1 face masked"))
    assert "unlock" not in actuator.calls
    assert caplog.messages == ["fake: refused an unlock that ran out 1.5 s ago: locking"]


def test_a_busy_actuator_never_blocks_and_gets_only_the_newest_lease() -> None:
    actuator = FakeLock()
    actuator.hold_up.clear()
    with working(actuator, clock=FakeClock()) as worker:
        for _ in range(100):
            worker.apply(UNLOCK)
        worker.apply(LOCK)
    assert "unlock" not in actuator.calls


def test_closing_takes_the_place_of_an_unlock_that_still_waits() -> None:
    actuator = FakeLock()
    actuator.hold_up.clear()
    with working(actuator, clock=FakeClock()) as worker:
        worker.apply(UNLOCK)
        assert not worker.close(timeout_seconds=0.0)
    assert "unlock" not in actuator.calls


def test_a_lease_after_the_end_moves_nothing() -> None:
    actuator = FakeLock()
    with working(actuator, clock=FakeClock()) as worker:
        worker.close(PATIENCE_SECONDS)
        worker.apply(UNLOCK)
    assert "unlock" not in actuator.calls


def test_a_failing_unlock_is_said_and_followed_by_a_lock(caplog: pytest.LogCaptureFixture) -> None:
    actuator = FakeLock(failing=("unlock",))
    with working(actuator) as worker:
        worker.apply(UNLOCK)
        # Tried again for as long as it is wanted, and locked after each try.
        actuator.wait(lambda calls: calls[:5] == ["lock", "unlock", "lock", "unlock", "lock"])
    assert "fake: unlock: jammed, state unknown" in caplog.messages


def test_a_failing_lock_is_tried_again_until_it_holds() -> None:
    actuator = FakeLock(failing=("lock",))
    with working(actuator) as worker:
        actuator.wait(lambda calls: len(calls) >= 3)
        assert worker.state == "unknown"
        actuator.failing = ()
        assert worker.close(PATIENCE_SECONDS)
    assert set(actuator.calls) == {"lock"}


def test_the_end_says_when_the_door_is_not_certainly_locked() -> None:
    actuator = FakeLock(failing=("lock",))
    with working(actuator) as worker:
        assert not worker.close(PATIENCE_SECONDS)
        assert worker.state == "unknown"


def test_an_actuator_with_a_defect_does_not_end_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Defect(FakeLock):
        def unlock(self) -> None:
            raise ZeroDivisionError("division by zero")

    actuator = Defect()
    with working(actuator, clock=FakeClock()) as worker:
        worker.apply(UNLOCK)
        actuator.wait(lambda calls: len(calls) >= 2)
        assert worker.close(PATIENCE_SECONDS)
    assert any("division by zero" in message for message in caplog.messages)
