"""The latch: which unlocks are refused, what a pulse does, and what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from fake_lock import FakeClock, FakeLock, locking, unlocking

from monitor.actuators.latch import Latch
from monitor.actuators.lease import Change, Lease
from monitor.decision import Door, Order
from monitor.errors import ActuatorError

BY_ADA, BY_BEN = (Order(Door.UNLOCKED, f"unlocked by {name}", 99.0) for name in ("Ada", "Ben"))


class Bench:
    """A latch with a fake lock, moved at the times that a test says."""

    def __init__(
        self, actuator: FakeLock | None = None, *, pulse_seconds: float | None = None
    ) -> None:
        self.actuator = actuator or FakeLock()
        self.clock = FakeClock()
        self.changes: list[Change] = []
        self.sequence = 0
        self.latch = Latch(
            self.actuator,
            pulse_seconds=pulse_seconds,
            max_age_seconds=1.0,
            watchers=[self.changes.append],
            clock=self.clock,
        )
        self.latch.move()

    def give(self, *leases: Lease) -> None:
        for lease in leases:
            self.latch.take(lease)
            self.latch.move()

    def renew(self, order: Order | None = None) -> None:
        """Give the next unlock, which lasts half a second, and let an eighth pass."""
        self.sequence += 1
        at = self.clock.now
        self.give(unlocking(self.sequence, captured_at=at, expires_at=at + 0.5, order=order))
        self.wait(0.125)

    def wait(self, seconds: float) -> None:
        """Let time pass as a worker does: moving the latch whenever its patience is over."""
        until = self.clock.now + seconds
        for _ in range(100):
            if self.clock.now + self.latch.patience_seconds() > until:
                self.clock.now = until
                return
            self.clock.now += self.latch.patience_seconds()
            self.latch.move()
        raise AssertionError("the latch is never at rest")


class TimedLock(FakeLock):
    """A lock that keeps the time of its lease by itself."""

    renews = True

    def __init__(self) -> None:
        super().__init__()
        self.jammed = False

    def unlock(self, lease: Lease) -> None:
        self._call(f"unlock until {lease.expires_at:g}")
        if self.jammed:
            raise ActuatorError("fake: unlock: jammed")


@pytest.mark.parametrize(
    ("leases", "complaint"),
    [
        pytest.param(
            [unlocking(7, captured_at=10.0), locking(8), unlocking(7, captured_at=10.0)],
            "unlock 7 refused: repeated or out of order, expected a number above 8",
            id="out of order",
        ),
        pytest.param(
            [locking(7), unlocking(7, captured_at=10.0)],
            "unlock 7 refused: repeated or out of order, expected a number above 7",
            id="repeated",
        ),
        pytest.param(
            [unlocking(1, captured_at=10.0, expires_at=10.0)],
            "unlock 1 refused: it ran out 0.0 s ago",
            id="run out",
        ),
        pytest.param(
            [unlocking(1, captured_at=8.7, expires_at=99.0)],
            "unlock 1 refused: its picture is 1.3 s old, expected 1 at most",
            id="of a picture too old",
        ),
        pytest.param(
            [Lease(unlocked=True, reason="masked", sequence=1, expires_at=99.0)],
            "unlock 1 refused: its picture is inf s old",
            id="of no picture",
        ),
    ],
)
def test_an_unlock_that_is_late_repeated_or_out_of_order_is_refused_and_said_once(
    leases: Sequence[Lease], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench()
    bench.clock.now = 10.0
    bench.give(*leases, leases[-1])
    assert bench.actuator.calls[-1] == "lock"
    [message] = [line for line in caplog.messages if "refused" in line]
    assert complaint in message


def test_a_refused_unlock_neither_ends_nor_lengthens_the_one_before_it() -> None:
    bench = Bench()
    bench.give(unlocking(5, expires_at=1.0))
    # The second is above the first, which was refused, but not above all before it.
    bench.give(unlocking(3, expires_at=9.0), unlocking(4, expires_at=9.0))
    assert bench.latch.state == "unlocked"
    bench.wait(1.0)
    assert bench.actuator.calls == ["lock", "unlock", "lock"]


def test_a_lock_is_never_refused() -> None:
    bench = Bench()
    bench.give(unlocking(5), locking(3))
    assert bench.latch.state == "locked"
    bench.give(unlocking(4))
    assert bench.latch.state == "locked"


def test_a_retry_does_not_unlock_by_a_picture_that_has_become_too_old() -> None:
    bench = Bench(FakeLock(failing=("unlock",)))
    bench.give(unlocking(1, captured_at=0.0))
    bench.actuator.failing = ()
    bench.clock.now = 1.5
    bench.latch.move()
    assert bench.actuator.calls == ["lock", "unlock", "lock"]


@pytest.mark.parametrize("pulse_seconds", [None, 0.5])
def test_a_picture_that_becomes_too_old_ends_no_lease_by_which_the_door_was_unlocked(
    pulse_seconds: float | None,
) -> None:
    bench = Bench(pulse_seconds=pulse_seconds)
    bench.give(unlocking(1, captured_at=0.0, expires_at=5.0))
    bench.wait(2.0)
    bench.latch.move()
    # Nor does the pulse begin anew with the next one.
    bench.give(unlocking(2, captured_at=2.0, expires_at=7.0))
    assert bench.actuator.calls == ["lock", "unlock", *(["lock"] if pulse_seconds else [])]


def test_unlocking_is_tried_five_times_for_one_wish_and_locking_for_ever() -> None:
    bench = Bench(FakeLock(failing=("unlock", "lock")))
    for sequence in range(1, 100):
        bench.give(unlocking(sequence, captured_at=bench.clock.now))
        bench.wait(1.0)
    assert bench.actuator.calls.count("unlock") == 5
    assert bench.latch.state == "unknown"
    bench.actuator.failing = ()
    bench.wait(10.0)
    assert bench.latch.state == "locked"
    # The next wish starts anew.
    bench.give(locking(200), unlocking(201, captured_at=bench.clock.now))
    assert bench.latch.state == "unlocked"


def test_failures_between_renewals_that_succeed_never_add_up() -> None:
    lock = TimedLock()
    bench = Bench(lock)
    for sequence in range(1, 400):
        # now and then a renewal is refused, as by a receiver that is busy
        lock.jammed = sequence % 40 < 2
        at = bench.clock.now
        bench.give(unlocking(sequence, captured_at=at, expires_at=at + 1.0))
        bench.wait(0.25)
    assert sum(change.state == "unknown" for change in bench.changes) > 5
    assert bench.latch.state == "unlocked"


def test_that_unlocking_is_given_up_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(FakeLock(failing=("unlock",)))
    for sequence in range(1, 100):
        bench.give(unlocking(sequence, captured_at=bench.clock.now))
        bench.wait(1.0)
    said = [line for line in caplog.messages if "given up" in line]
    assert said == ["fake: unlocking given up until the next wish"]


@pytest.mark.parametrize(
    "later",
    [
        # a bare face
        [locking(100, denies=True)],
        # nobody any more: the lease runs out by itself
        [],
    ],
)
def test_a_wish_to_lock_does_not_wait_for_what_failed_before_it(later: Sequence[Lease]) -> None:
    bench = Bench(FakeLock(failing=("unlock", "lock")))
    for sequence in range(1, 42):
        at = bench.clock.now
        bench.give(unlocking(sequence, captured_at=at, expires_at=at + 0.5))
        bench.wait(0.1)
    # The last call was some seconds ago, and the next is due in some.
    assert bench.latch.patience_seconds() == pytest.approx(0.4)
    bench.actuator.failing = ()
    bench.give(*later)
    bench.wait(0.4)
    assert bench.latch.state == "locked"


def test_a_bare_face_does_not_wait_for_a_lock_that_failed_after_its_lease_had_run_out() -> None:
    bench = Bench()
    bench.give(unlocking(1, expires_at=0.5))
    bench.actuator.failing = ("lock",)
    bench.wait(16.5)
    # The last call was some seconds ago, and the next is due in some.
    assert bench.latch.patience_seconds() > 1.0
    bench.give(locking(2))
    assert bench.latch.state == "unknown"
    bench.actuator.failing = ()
    bench.give(locking(3, denies=True))
    assert bench.latch.state == "locked"


def test_a_bare_face_that_stays_has_a_lock_that_fails_tried_ever_less_often() -> None:
    bench = Bench(FakeLock(failing=("lock",)))
    for sequence in range(1, 200):
        bench.give(locking(sequence, denies=True))
        bench.wait(0.1)
    assert len(bench.actuator.calls) < 10


@pytest.mark.parametrize("order", [None, BY_ADA])
def test_an_unlock_that_outlasts_its_lease_is_tried_ever_less_often(order: Order | None) -> None:
    clock = FakeClock()
    begun: list[float] = []

    class Hanging(FakeLock):
        def unlock(self, lease: Lease) -> None:
            begun.append(clock.now)
            clock.now += 5.0
            super().unlock(lease)

    latch = Latch(Hanging(failing=("unlock",)), max_age_seconds=1.0, clock=clock)
    for sequence in range(1, 400):
        at = clock.now
        latch.take(unlocking(sequence, captured_at=at, expires_at=at + 0.5, order=order))
        latch.move()
        clock.now += 0.1
        latch.move()
    pauses = [later - earlier - 5.0 for earlier, later in pairwise(begun)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 0.5
    assert len(begun) < 8


def test_a_new_wish_is_tried_at_once_however_often_those_before_it_failed() -> None:
    bench = Bench(FakeLock(failing=("unlock",)))
    for visit in range(1, 7):
        bench.renew()
        assert bench.actuator.calls.count("unlock") == visit
        bench.give(locking(denies=True))
    # Within one wish it is still tried ever less often.
    for _ in range(8):
        bench.renew()
    assert bench.actuator.calls.count("unlock") == 8


def test_a_lock_that_fails_after_its_unlock_did_keeps_its_own_times() -> None:
    bench = Bench(FakeLock(failing=("unlock", "lock")))
    bench.renew()
    bench.actuator.calls.clear()
    for _ in range(80):
        bench.give(locking())
        bench.wait(0.125)
    # At once, then 0.5, 1.5, 3.5 and 7.5 s later.
    assert bench.actuator.calls == ["lock"] * 5


def test_what_is_left_behind_reports_nothing_more() -> None:
    bench = Bench()
    bench.latch.leave_behind()
    bench.changes.clear()
    bench.give(unlocking(1, captured_at=bench.clock.now))
    assert bench.latch.state == "unlocked"
    assert bench.changes == []


def test_a_lock_that_fails_for_hours_is_still_tried() -> None:
    bench = Bench(FakeLock(failing=("lock",)))
    for _ in range(5 * 60):
        bench.wait(60.0)
    bench.actuator.failing = ()
    bench.wait(10.0)
    assert bench.latch.state == "locked"


def test_a_pulse_ends_by_itself_and_comes_once_for_one_wish_however_often_it_is_renewed() -> None:
    bench = Bench(pulse_seconds=3.0)
    for sequence in range(1, 101):
        bench.give(unlocking(sequence, captured_at=bench.clock.now))
        bench.wait(0.1)
    assert bench.actuator.calls == ["lock", "unlock", "lock"]
    assert [change.reason for change in bench.changes] == ["the start", "masked", "the pulse ended"]
    bench.give(locking(101), unlocking(102, captured_at=bench.clock.now))
    assert bench.latch.state == "unlocked"
    bench.wait(2.9)
    assert bench.latch.state == "unlocked"
    bench.wait(0.2)
    assert bench.latch.state == "locked"


def test_a_pulse_is_cut_short_when_its_lease_ends() -> None:
    bench = Bench(pulse_seconds=3.0)
    bench.give(unlocking(1, expires_at=0.5))
    bench.wait(0.5)
    assert bench.actuator.calls == ["lock", "unlock", "lock"]


def test_each_order_to_unlock_brings_a_pulse_whatever_came_before_it() -> None:
    bench = Bench(pulse_seconds=3.0)
    for order in (None, BY_ADA, BY_BEN):
        bench.actuator.calls.clear()
        for _ in range(50):
            bench.renew(order)
        assert bench.actuator.calls == ["unlock", "lock"]


def test_a_pulse_that_is_under_way_is_counted_from_a_newer_order() -> None:
    bench = Bench(pulse_seconds=3.0)
    states = []
    for order in [None] * 16 + [BY_ADA] * 32:
        bench.renew(order)
        states.append(bench.latch.state)
    assert states == ["unlocked"] * 39 + ["locked"] * 9
    assert bench.actuator.calls == ["lock", "unlock", "lock"]


def test_an_order_to_unlock_is_tried_at_once_five_times_more_after_five_that_failed() -> None:
    bench = Bench(FakeLock(failing=("unlock",)))
    for order in (None, BY_ADA):
        for _ in range(99):
            bench.renew(order)
    assert bench.actuator.calls.count("unlock") == 10
    bench.actuator.failing = ()
    bench.renew(BY_BEN)
    assert bench.latch.state == "unlocked"


def test_an_order_to_lock_does_not_hasten_a_lock_that_fails() -> None:
    bench = Bench(FakeLock(failing=("lock",)))
    for minute in range(60):
        order = Order(Door.LOCKED, f"closed, it is 20:{minute:02}")
        bench.give(replace(locking(minute), order=order))
        bench.wait(0.1)
    assert len(bench.actuator.calls) < 6


def test_a_lock_that_keeps_the_time_itself_gets_a_newer_lease_at_half_time() -> None:
    bench = Bench(TimedLock())
    for sequence in range(1, 5):
        at = bench.clock.now
        bench.give(unlocking(sequence, captured_at=at, expires_at=at + 1.0))
        bench.wait(0.25)
    bench.wait(9.0)
    assert bench.actuator.calls == [
        "lock",
        "unlock until 1",
        "unlock until 1.25",
        "unlock until 1.75",
        "lock",
    ]


def test_nobody_knows_the_state_while_it_changes_or_after_a_renewal_that_failed() -> None:
    class Asked(TimedLock):
        def unlock(self, lease: Lease) -> None:
            states.append(bench.latch.state)
            super().unlock(lease)

    states: list[str] = []
    lock = Asked()
    bench = Bench(lock)
    bench.renew()
    for lock.jammed in (False, True):
        bench.wait(0.25)
        bench.renew()
    assert states == ["unknown", "unlocked", "unlocked"]
    assert [change.state for change in bench.changes[-2:]] == ["unknown", "locked"]


def test_renewing_the_lease_at_the_lock_does_not_lengthen_a_pulse() -> None:
    bench = Bench(TimedLock(), pulse_seconds=1.0)
    states = []
    for sequence in range(1, 21):
        at = bench.clock.now
        bench.give(unlocking(sequence, captured_at=at, expires_at=at + 0.5))
        states.append(bench.latch.state)
        bench.wait(0.125)
    assert states == ["unlocked"] * 8 + ["locked"] * 12
    assert len(bench.actuator.calls) > 4


def test_each_change_is_reported_with_its_time_since_the_picture(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "monitor.door")
    bench = Bench()
    bench.clock.now = 10.25
    bench.give(unlocking(1, captured_at=10.0, expires_at=10.5, reason="1 face masked"))
    bench.wait(1.0)
    bench.actuator.failing = ("unlock",)
    bench.give(unlocking(2, captured_at=11.125))
    found = [(change.state, change.reason, change.latency_seconds) for change in bench.changes]
    assert found == [
        ("locked", "the start", None),
        ("unlocked", "1 face masked", 0.25),
        ("locked", "the lease ran out", None),
        ("unknown", "fake: unlock: jammed", 0.125),
        ("locked", "the unlock failed", None),
    ]
    assert "fake: unlocked after 250 ms: 1 face masked" in caplog.messages
