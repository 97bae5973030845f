"""The worker: it locks by itself, at the start, at the end and when a lease runs out."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fake_lock import PATIENCE_SECONDS, FakeClock, FakeLock, locking, unlocking

from monitor.actuators.deny import Denier
from monitor.actuators.latch import Latch
from monitor.actuators.lease import Change, Lease
from monitor.actuators.worker import Worker
from monitor.errors import ActuatorError


@contextmanager
def working(
    actuator: FakeLock, *, overwrite: bool = True, clock: FakeClock | None = None
) -> Iterator[Worker]:
    """A started worker, at 0 s, that has begun its first call."""
    latch = Latch(actuator, first_retry_seconds=0.01, **({"clock": clock} if clock else {}))
    denier = Denier(actuator, pause_seconds=0.0)
    worker = Worker(latch, denier=denier, overwrite=overwrite, final_waits_seconds=(0.01, 0.01))
    worker.start()
    try:
        actuator.wait(lambda calls: len(calls) >= 1)
        yield worker
    finally:
        actuator.hold_up.set()
        worker.close(PATIENCE_SECONDS)


def test_the_door_is_locked_at_the_start_and_at_the_end() -> None:
    actuator = FakeLock()
    worker = Worker(Latch(actuator))
    assert worker.state == "unknown"
    worker.start()
    assert worker.close(PATIENCE_SECONDS)
    assert actuator.calls == ["lock", "lock", "close"]
    assert worker.state == "locked"


def test_without_a_start_only_what_the_actuator_holds_is_let_go_of() -> None:
    actuator = FakeLock()
    worker = Worker(Latch(actuator), denier=Denier(actuator))
    assert not worker.close(PATIENCE_SECONDS)
    assert actuator.calls == ["close"]


def test_each_lease_moves_the_door_only_when_it_changes_it() -> None:
    actuator = FakeLock()
    with working(actuator, overwrite=False, clock=FakeClock()) as worker:
        for lease in (locking(1), unlocking(2), unlocking(3), locking(4), locking(5)):
            worker.apply(lease)
    assert actuator.calls == ["lock", "unlock", "lock", "lock", "close"]


def test_the_door_locks_by_itself_when_no_fresh_lease_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    actuator, clock = FakeLock(), FakeClock()
    caplog.set_level("INFO", "monitor.door")
    with working(actuator, clock=clock) as worker:
        worker.apply(unlocking(1, expires_at=0.05))
        actuator.wait(lambda calls: calls == ["lock", "unlock"])
        clock.now = 0.05
        actuator.wait(lambda calls: calls == ["lock", "unlock", "lock"])
    assert "fake: locked: the lease ran out" in caplog.messages


def test_a_fresh_lease_keeps_the_door_open_past_the_end_of_the_one_before() -> None:
    actuator, clock = FakeLock(), FakeClock()
    with working(actuator, overwrite=False, clock=clock) as worker:
        actuator.hold_up.clear()
        worker.apply(unlocking(1, expires_at=1.0))
        actuator.wait(lambda calls: calls == ["lock", "unlock"])
        clock.now = 2.0
        worker.apply(unlocking(2))
        actuator.hold_up.set()
    # The one lock after the unlock is the one at the end.
    assert actuator.calls == ["lock", "unlock", "lock", "close"]


def test_a_busy_actuator_never_blocks_and_gets_only_the_newest_lease() -> None:
    actuator = FakeLock()
    actuator.hold_up.clear()
    with working(actuator, clock=FakeClock()) as worker:
        for sequence in range(1, 100):
            worker.apply(unlocking(sequence))
        worker.apply(locking(100))
    assert "unlock" not in actuator.calls


def test_a_lock_is_carried_out_before_a_newer_unlock_however_long_it_had_to_wait() -> None:
    actuator = FakeLock()
    with working(actuator, clock=FakeClock()) as worker:
        actuator.hold_up.clear()
        worker.apply(unlocking(1))
        actuator.wait(lambda calls: calls == ["lock", "unlock"])
        worker.apply(locking(2))
        for sequence in range(3, 9):
            worker.apply(unlocking(sequence))
        actuator.hold_up.set()
        actuator.wait(lambda calls: calls[2:4] == ["lock", "unlock"])
    # A lock that was carried out is not carried out again.
    assert actuator.calls[4:] == ["lock", "close"]


def test_an_unlock_that_was_to_end_in_a_lock_is_not_wanted_again_for_a_newer_one() -> None:
    actuator = FakeLock()
    wanted = []
    with working(actuator, clock=FakeClock()) as worker:
        actuator.hold_up.clear()
        worker.apply(unlocking(1))
        actuator.wait(lambda calls: calls == ["lock", "unlock"])
        for lease in (unlocking(2), locking(3), unlocking(4)):
            worker.apply(lease)
            wanted.append(actuator.is_wanted())
        actuator.hold_up.set()
        actuator.wait(lambda calls: calls[2:4] == ["lock", "unlock"])
        wanted.append(actuator.is_wanted())
    assert wanted == [True, False, False, True]


def test_closing_takes_the_place_of_an_unlock_that_still_waits() -> None:
    actuator = FakeLock()
    actuator.hold_up.clear()
    with working(actuator, clock=FakeClock()) as worker:
        worker.apply(unlocking(1))
        assert not worker.close(timeout_seconds=0.0)
    assert "unlock" not in actuator.calls


def test_an_actuator_that_hangs_delays_neither_the_loop_nor_another_nor_its_last_lock() -> None:
    hung, other = FakeLock(), FakeLock()
    with working(hung, clock=FakeClock()) as first, working(other, clock=FakeClock()) as second:
        hung.hold_up.clear()
        first.apply(unlocking(1))
        hung.wait(lambda calls: calls == ["lock", "unlock"])
        # What the loop does for every picture, one actuator after the other.
        for lease, moved in (
            (unlocking(2), "unlock"),
            (locking(3), "lock"),
            (unlocking(4), "unlock"),
        ):
            for worker in (first, second):
                worker.apply(lease)
            other.wait(lambda calls, moved=moved: calls[-1] == moved)
        for worker in (first, second):
            worker.end()
        other.wait(lambda calls: calls[-2:] == ["lock", "close"])
        assert hung.calls == ["lock", "unlock"]


def test_a_lease_after_the_end_moves_nothing() -> None:
    actuator = FakeLock()
    with working(actuator, clock=FakeClock()) as worker:
        worker.close(PATIENCE_SECONDS)
        worker.apply(unlocking(1))
        worker.apply(locking(2, denies=True))
    assert actuator.calls == ["lock", "lock", "close"]


def test_a_failing_unlock_is_said_and_followed_by_a_lock(caplog: pytest.LogCaptureFixture) -> None:
    actuator = FakeLock(failing=("unlock",))
    with working(actuator) as worker:
        worker.apply(unlocking(1))
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
    assert set(actuator.calls) == {"lock", "close"}


def test_the_end_says_when_the_door_is_not_certainly_locked() -> None:
    actuator = FakeLock(failing=("lock",))
    with working(actuator) as worker:
        assert not worker.close(PATIENCE_SECONDS)
        assert worker.state == "unknown"


def test_the_last_lock_is_tried_again_when_it_fails() -> None:
    class Sticky(FakeLock):
        def lock(self) -> None:
            super().lock()
            if len(self.calls) == 2:
                raise ActuatorError("fake: lock: jammed")

    actuator = Sticky()
    with working(actuator) as worker:
        assert worker.close(PATIENCE_SECONDS)
    assert actuator.calls == ["lock", "lock", "lock", "close"]


def test_in_a_recording_an_unlock_that_waits_at_the_end_is_still_carried_out() -> None:
    actuator = FakeLock()
    actuator.hold_up.clear()
    with working(actuator, overwrite=False, clock=FakeClock()) as worker:
        worker.apply(unlocking(1))
        worker.end()
    assert actuator.calls == ["lock", "unlock", "lock", "close"]


def test_what_hangs_is_left_behind_when_it_was_given_up_in_vain(
    caplog: pytest.LogCaptureFixture,
) -> None:
    actuator, changes = FakeLock(), list[Change]()
    actuator.hold_up.clear()
    worker = Worker(Latch(actuator, watchers=[changes.append]))
    worker.start()
    try:
        assert not worker.close(0.0)
        assert not caplog.messages
        assert not worker.close(0.0)
        assert caplog.messages == ["fake: still busy at the end, state unknown"]
        (thread,) = (each for each in threading.enumerate() if each.name == "actuator fake")
        # The program can end all the same.
        assert thread.daemon
    finally:
        actuator.hold_up.set()
    thread.join(PATIENCE_SECONDS)
    # Another has its name by now.
    assert not changes


def test_a_worker_that_dies_locks_the_door_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def watch(change: Change) -> None:
        if change.state == "unlocked":
            raise ZeroDivisionError

    monkeypatch.setattr(threading, "excepthook", lambda hook: None)
    actuator = FakeLock()
    worker = Worker(Latch(actuator, watchers=[watch]), overwrite=False)
    worker.start()
    worker.apply(unlocking(1))
    actuator.wait(lambda calls: calls[-1] == "close")
    for sequence in range(2, 5):
        worker.apply(unlocking(sequence))
    assert worker.close(PATIENCE_SECONDS)
    assert actuator.calls == ["lock", "unlock", "lock", "close"]


def test_a_worker_that_has_ended_leaves_no_thread() -> None:
    with working(FakeLock()) as worker:
        assert worker.close(PATIENCE_SECONDS)
    for thread in threading.enumerate():
        if thread.name in ("actuator fake", "deny fake"):
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


def test_an_actuator_with_a_defect_does_not_end_the_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Defect(FakeLock):
        def unlock(self, lease: Lease) -> None:
            raise ZeroDivisionError("division by zero")

    actuator = Defect()
    with working(actuator, clock=FakeClock()) as worker:
        worker.apply(unlocking(1))
        actuator.wait(lambda calls: len(calls) >= 2)
        assert worker.close(PATIENCE_SECONDS)
    assert any("division by zero" in message for message in caplog.messages)


def test_whoever_is_turned_away_is_told_so_once() -> None:
    actuator = FakeLock()
    with working(actuator, overwrite=False) as worker:
        for sequence in (1, 2, 3):
            worker.apply(locking(sequence, denies=True, reason="1 face bare"))
        actuator.wait(lambda calls: "deny" in calls)
    assert actuator.reasons == ["1 face bare"]


def test_a_denial_that_hangs_or_fails_reaches_neither_the_lock_nor_the_end() -> None:
    stuck = threading.Event()

    class Deaf(FakeLock):
        def deny(self, reason: str) -> None:
            super().deny(reason)
            assert stuck.wait(PATIENCE_SECONDS)
            raise ActuatorError("fake: deny: jammed")

    actuator = Deaf()
    with working(actuator) as worker:
        worker.apply(locking(1, denies=True))
        actuator.wait(lambda calls: "deny" in calls)
        worker.apply(unlocking(2))
        actuator.wait(lambda calls: calls[-1] == "unlock")
        assert worker.close(PATIENCE_SECONDS)
    stuck.set()


def test_a_worker_that_has_ended_is_held_by_nothing_that_it_drove() -> None:
    actuator = FakeLock()
    worker = Worker(Latch(actuator))
    worker.start()
    assert worker.close(PATIENCE_SECONDS)
    gone = weakref.ref(worker)
    gc.disable()
    try:
        del worker
        assert gone() is None
    finally:
        gc.enable()
