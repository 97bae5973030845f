"""The latch's promises, held over random leases, failures and waits, with a slow actuator."""

from __future__ import annotations

import pytest
from fake_lock import FakeClock, FakeLock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from monitor.actuators.latch import Latch
from monitor.actuators.lease import Lease
from monitor.decision import Door, Order
from monitor.errors import ActuatorError

MAX_AGE_SECONDS = 1.0
PULSE_SECONDS = 0.4
ORDERS = [Order(Door.UNLOCKED, f"unlocked by {name}") for name in ("Ada", "Ben")]


class SlowLock(FakeLock):
    """A lock that takes its time, and remembers when it was asked for what."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock
        self.takes_seconds = 0.0
        self.unlocks: list[tuple[float, Lease]] = []
        self.locks: list[float] = []
        self.done: list[tuple[float, str, bool]] = []

    def lock(self) -> None:
        self.locks.append(self.clock.now)
        self._do("lock")

    def unlock(self, lease: Lease) -> None:
        self.unlocks.append((self.clock.now, lease))
        self._do("unlock")

    def _do(self, name: str) -> None:
        self.clock.now += self.takes_seconds
        self.done.append((self.clock.now, name, name not in self.failing))
        if name in self.failing:
            raise ActuatorError(f"fake: {name}: jammed")


class RenewedLock(SlowLock):
    """The same, of the sort that keeps the time of its lease by itself."""

    renews = True


class LatchMachine(RuleBasedStateMachine):
    """Leases come late, never, in any order; calls fail and last. The newest right one counts."""

    kind: type[SlowLock] = SlowLock
    pulse_seconds: float | None = None

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(1000.0)
        self.lock = self.kind(self.clock)
        self.latch = Latch(
            self.lock,
            pulse_seconds=self.pulse_seconds,
            max_age_seconds=MAX_AGE_SECONDS,
            clock=self.clock,
        )
        self.sequence = 0
        self.right = Lease(unlocked=False, reason="the start")
        self.ends_at = self.clock.now
        self.wish = 0
        self.wished_at = self.clock.now
        self.pulses: list[int] = []
        self.move()

    def move(self) -> None:
        """Move the latch, as a worker does, until nothing more is due."""
        for _ in range(20):
            count = len(self.lock.done)
            self.latch.move()
            self.pulses += [
                self.wish for _, name, ok in self.lock.done[count:] if name == "unlock" and ok
            ]
            if self.latch.patience_seconds() > 0.0:
                return
        raise AssertionError("the latch is never at rest")

    @rule(
        unlocked=st.sampled_from([True, True, True, False]),
        ahead=st.sampled_from([1, 1, 1, 1, 2, 0, -1, -3]),
        age_seconds=st.sampled_from([0.0, 0.1, 0.9, 1.5]),
        lasts_seconds=st.sampled_from([-1.0, 0.0, 0.05, 0.5, 5.0, 60.0]),
        order=st.sampled_from([None, None, None, *ORDERS]),
    )
    def offer(
        self,
        unlocked: bool,
        ahead: int,
        age_seconds: float,
        lasts_seconds: float,
        order: Order | None,
    ) -> None:
        now = self.clock.now
        lease = Lease(
            unlocked=unlocked,
            reason="drawn",
            sequence=max(self.sequence + ahead, 0),
            captured_at=now - age_seconds,
            expires_at=now + lasts_seconds,
            order=order,
        )
        fresh = lease.sequence > self.sequence and age_seconds <= MAX_AGE_SECONDS
        if not unlocked or (fresh and lasts_seconds > 0.0):
            over = not self.right.unlocked or now >= self.right.expires_at
            if not unlocked or over or order not in (None, self.right.order):
                self.wish += 1
                self.wished_at = now
            self.right = lease
            # It also ends where the picture is too old for what has to be tried again.
            self.ends_at = (
                min(lease.expires_at, now - age_seconds + MAX_AGE_SECONDS)
                if unlocked
                else min(self.ends_at, now)
            )
        self.sequence = max(self.sequence, lease.sequence)
        self.latch.take(lease)
        self.move()

    @rule(seconds=st.sampled_from([0.05, 0.125, 0.5, 1.0, 8.0, 60.0]))
    def let_time_pass(self, seconds: float) -> None:
        until = self.clock.now + seconds
        for _ in range(1000):
            if self.clock.now + self.latch.patience_seconds() > until:
                break
            self.clock.now += self.latch.patience_seconds()
            self.move()
        else:
            raise AssertionError("the latch is never at rest")
        self.clock.now = max(self.clock.now, until)
        self.move()

    @rule(
        failing=st.sampled_from([(), (), ("unlock",), ("lock",), ("lock", "unlock")]),
        takes_seconds=st.sampled_from([0.0, 0.0, 0.25, 2.0]),
    )
    def mend_or_break(self, failing: tuple[str, ...], takes_seconds: float) -> None:
        self.lock.failing = failing
        self.lock.takes_seconds = takes_seconds

    @invariant()
    def an_unlock_was_asked_for_in_time_and_in_order(self) -> None:
        for at, lease in self.lock.unlocks:
            assert at < lease.expires_at
        numbers = [lease.sequence for _, lease in self.lock.unlocks]
        assert numbers == sorted(numbers)
        if self.lock.unlocks and not self.lock.renews:
            at, lease = self.lock.unlocks[-1]
            assert lease.age_seconds(at) <= MAX_AGE_SECONDS

    @invariant()
    def the_state_is_that_of_the_last_call_and_unknown_if_it_failed(self) -> None:
        _, name, ok = self.lock.done[-1]
        assert self.latch.state == (f"{name}ed" if ok else "unknown")

    @invariant()
    def unlocked_is_nothing_beyond_the_newest_right_lease(self) -> None:
        if self.latch.state == "unlocked":
            assert self.right.unlocked
            assert self.clock.now < self.right.expires_at
            if self.lock.renews:
                assert self.clock.now < self.lock.unlocks[-1][1].expires_at

    @invariant()
    def a_wish_to_lock_waits_for_nothing_that_failed_before_it(self) -> None:
        if not self.right.unlocked or self.clock.now >= self.right.expires_at:
            assert self.latch.state == "locked" or self.lock.locks[-1] >= self.ends_at

    @invariant()
    def a_pulse_is_short_and_comes_once_for_one_wish(self) -> None:
        if self.pulse_seconds is not None:
            assert len(self.pulses) == len(set(self.pulses))
            if self.latch.state == "unlocked":
                begun_at = max(self.lock.done[-1][0], self.wished_at)
                assert self.clock.now < begun_at + self.pulse_seconds

    def teardown(self) -> None:
        count = len(self.lock.done)
        sure = self.latch.lock("the end")
        assert [name for _, name, _ in self.lock.done[count:]] == ["lock"]
        assert sure is (self.latch.state == "locked")


class PulseMachine(LatchMachine):
    pulse_seconds = PULSE_SECONDS


class RenewingMachine(LatchMachine):
    kind = RenewedLock


@pytest.mark.parametrize("machine", [LatchMachine, PulseMachine, RenewingMachine])
def test_the_door_is_never_open_beyond_what_the_leases_allow(machine: type[LatchMachine]) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None)
    )
