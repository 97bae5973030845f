"""The latch: which lease counts, and what an actuator is told by when; has no thread."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence

from ..decision import Door
from .actuator import Actuator
from .lease import Change, Lease

_log = logging.getLogger("monitor.door")

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 8.0
_MOST_DOUBLINGS = 16
_UNLOCK_TRIES = 5
_FAILED = "the unlock failed"
_LONGEST_WAIT_SECONDS = 3600.0


class Latch:
    """Holds the lease that counts, and tells the actuator what follows from it; locked at first.

    An unlock is refused when its number is not above all before it, when it has run out, or when
    its picture is too old; a lock never is. What is refused leaves the lease before it as it was.

    A failed call leaves the state unknown. After a failed unlock the door is locked; unlocking is
    tried again, ever less often, five times for one wish, counted anew once a renewal shows that
    the unlock holds. Locking is never given up, and what is to be locked from now on is told so at
    once, whatever failed before. An order to unlock is a wish of its own.

    actuator: what is moved.
    pulse_seconds: for a strike that wants a pulse: lock this long after each unlock, and unlock
        again only after the door was to be locked in between or by another order, from which a
        pulse that is under way is counted anew; None keeps it unlocked for as long as leases come.
    max_age_seconds: from the taking of the picture until the actuator is told to unlock.
    first_retry_seconds: wait before a failed call is tried again; doubled each time, up to 8 s.
    watchers: told of every change and failure; each must return at once and never raise.
    clock: the seconds in which leases are dated.
    """

    def __init__(
        self,
        actuator: Actuator,
        *,
        pulse_seconds: float | None = None,
        max_age_seconds: float = math.inf,
        first_retry_seconds: float = _FIRST_RETRY_SECONDS,
        watchers: Sequence[Callable[[Change], None]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.actuator = actuator
        self._pulse_seconds = math.inf if pulse_seconds is None else pulse_seconds
        self._max_age_seconds = max_age_seconds
        self._first_retry_seconds = first_retry_seconds
        self._watchers = watchers
        self._clock = clock
        self._lease = Lease(unlocked=False, reason="the start")
        self._sequence = 0
        self._refusing = False
        self._state: Door | None = None
        self._applied: Lease | None = None
        self._renew_at = math.inf
        self._pulse_ends_at = math.inf
        self._spent: str | None = None
        self._tries = 0
        self._failures = 0
        self._retry_at = -math.inf

    @property
    def state(self) -> str:
        """`locked`, `unlocked`, or `unknown`: before and in a first call, and after a failure."""
        return self._state or "unknown"

    def take(self, lease: Lease) -> None:
        """Make this the lease that counts, unless it is refused."""
        fault = self._fault(lease) if lease.unlocked else None
        self._sequence = max(self._sequence, lease.sequence)
        if fault is None:
            if not lease.unlocked and self._state is Door.LOCKED:
                # Only unlocks can have failed, for a wish that is over. A lease that runs out is no
                # such end: an unlock that outlasts each lease would be tried without a pause.
                self._forget_failures()
            self._follow(lease)
        elif not self._refusing:
            # Once for a row of them: a detector that is too slow is late with every frame.
            _log.warning("%s: unlock %d refused: %s", self.actuator.name, lease.sequence, fault)
        self._refusing = fault is not None

    def move(self) -> None:
        """Tell the actuator what is due by now, if anything."""
        now = self._clock()
        self._end_what_is_over(now)
        if now < self._retry_at or not self._is_due(now):
            return
        wanted = self._wanted()
        spent = Lease(unlocked=False, reason=self._spent) if self._spent else None
        if self._tell(wanted, spent or self._lease):
            self._forget_failures()
            return
        if wanted is Door.UNLOCKED:
            self._tell(Door.LOCKED, Lease(unlocked=False, reason=_FAILED))
            self._tries += 1
            if self._tries >= _UNLOCK_TRIES:
                self._spent = _FAILED
                _log.error("%s: unlocking given up until the next wish", self.actuator.name)
        # A bare power of two outgrows what a float holds after some hours of failures.
        doubled = 2 ** min(self._failures, _MOST_DOUBLINGS)
        wait_seconds = min(self._first_retry_seconds * doubled, _LONGEST_RETRY_SECONDS)
        self._failures += 1
        self._retry_at = self._clock() + wait_seconds

    def patience_seconds(self) -> float:
        """How long nothing needs to be done, unless another lease comes."""
        due = [self._lease.expires_at] if self._lease.unlocked else []
        if self._state is not self._wanted():
            due.append(self._retry_at)
        elif self._state is Door.UNLOCKED:
            due.append(self._pulse_ends_at)
            if self._is_newer():
                due.append(self._renew_at)
        patience_seconds = min(due, default=math.inf) - self._clock()
        # Waiting for ever, or for a time beyond what the platform can wait, is an error.
        return min(max(patience_seconds, 0.0), _LONGEST_WAIT_SECONDS)

    def is_over(self, lease: Lease) -> bool:
        """Whether a lease does not unlock, or not any more; may be asked by any thread."""
        return not lease.unlocked or self._clock() >= lease.expires_at

    def leave_behind(self) -> None:
        """Tell the watchers nothing more: what drives this hangs, and another takes its place."""
        self._watchers = ()

    def lock(self, reason: str) -> bool:
        """Lock whatever the lease says, and leave it at that; True when it is certainly done."""
        self._lease = Lease(unlocked=False, reason=reason)
        return self._tell(Door.LOCKED, self._lease)

    def _fault(self, lease: Lease) -> str | None:
        now = self._clock()
        if lease.sequence <= self._sequence:
            return f"repeated or out of order, expected a number above {self._sequence}"
        if now >= lease.expires_at:
            return f"it ran out {now - lease.expires_at:.1f} s ago"
        return self._staleness(lease, now)

    def _staleness(self, lease: Lease, now: float) -> str | None:
        age_seconds = lease.age_seconds(now)
        if age_seconds <= self._max_age_seconds:
            return None
        return f"its picture is {age_seconds:.1f} s old, expected {self._max_age_seconds:g} at most"

    def _end_what_is_over(self, now: float) -> None:
        lease, is_open = self._lease, self._state is Door.UNLOCKED
        if lease.unlocked:
            # A retry may come so late that the door must not be unlocked by that picture any more.
            served = is_open or self._spent
            stale = None if served else self._staleness(lease, now)
            over = "the lease ran out" if now >= lease.expires_at else stale
            if over:
                # Still under the same order, of which another lease is no new wish.
                name, order = lease.door_name, lease.order
                self._follow(Lease(unlocked=False, reason=over, door_name=name, order=order))
        if not self._lease.unlocked:
            self._spent = None
            self._tries = 0
        elif is_open and now >= self._pulse_ends_at:
            self._spent = "the pulse ended"

    def _follow(self, lease: Lease) -> None:
        denied = lease.denies and not self._lease.denies
        ends = not lease.unlocked and (self._lease.unlocked or denied)
        if ends and self._state is not Door.LOCKED:
            # An unlock that seemed to fail may have opened the door all the same.
            self._forget_failures()
        if lease.unlocked and lease.order not in (None, self._lease.order):
            # Whoever gives it may stand before a door that an earlier wish left locked.
            self._spent = None
            self._tries = 0
            self._forget_failures()
            self._pulse_ends_at = self._clock() + self._pulse_seconds
        self._lease = lease

    def _forget_failures(self) -> None:
        self._failures = 0
        self._retry_at = -math.inf

    def _wanted(self) -> Door:
        return Door.LOCKED if self._spent else self._lease.wanted

    def _is_due(self, now: float) -> bool:
        if self._state is not self._wanted():
            return True
        return self._state is Door.UNLOCKED and self._is_newer() and now >= self._renew_at

    def _is_newer(self) -> bool:
        return self.actuator.renews and self._lease is not self._applied

    def _tell(self, wanted: Door, lease: Lease) -> bool:
        before = self._state
        if before is not wanted:
            self._state = None
        try:
            if wanted is Door.UNLOCKED:
                self.actuator.unlock(lease)
            else:
                self.actuator.lock()
        except Exception as error:
            # Whatever it was, the worker's thread must live on: it is the one that locks.
            self._state = None
            _log.error("%s, state unknown", error)
            self._report(lease, str(error))
            return False
        self._state = wanted
        now = self._clock()
        if wanted is Door.UNLOCKED:
            self._applied = lease
            # At half time, so that a renewal that fails or comes late still has the other half.
            self._renew_at = now + (lease.expires_at - now) / 2
            if before is wanted:
                self._tries = 0
            else:
                self._pulse_ends_at = now + self._pulse_seconds
        if before is not wanted:
            self._log_change(self._report(lease, lease.reason))
        return True

    def _report(self, lease: Lease, reason: str) -> Change:
        age_seconds = lease.age_seconds(self._clock())
        latency_seconds = age_seconds if math.isfinite(age_seconds) else None
        change = Change(self.actuator.name, self.state, reason, lease, latency_seconds)
        for watch in self._watchers:
            watch(change)
        return change

    def _log_change(self, change: Change) -> None:
        after = ""
        if change.latency_seconds is not None:
            after = f" after {change.latency_seconds * 1000:.0f} ms"
        _log.info("%s: %s%s: %s", change.actuator, change.state, after, change.reason)
