"""The worker: an actuator on its own thread, which locks by itself when its lease runs out."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..channel import Channel, Closed
from ..policy import Door
from . import Actuator

_log = logging.getLogger("monitor.door")

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 8.0
_FINAL_TRIES = 3
_LONGEST_WAIT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Lease:
    """What the door is to be, and until when.

    unlocked: whether the door is to be open.
    expires_at: `time.monotonic()` at which an unlocked door locks by itself; ignored when locked.
    reason: why, in words.
    """

    unlocked: bool
    expires_at: float
    reason: str

    @property
    def door(self) -> Door:
        """The state that the lease asks for, as long as it lasts."""
        return Door.UNLOCKED if self.unlocked else Door.LOCKED


class Worker:
    """Applies the newest lease: locks at the start, when a lease runs out, and at the end.

    A lease that has run out before it could be applied is refused. A failing actuator is logged
    and its state is unknown until a later call succeeds: after a failed unlock the door is locked,
    and a failed call is tried again, ever less often, for as long as it is wanted.

    actuator: what is moved; used by this worker's thread alone.
    overwrite: drop a lease that is waiting when a newer one comes, so that `apply` never blocks
        (live); otherwise `apply` waits until there is room (recorded).
    first_retry_seconds: wait before a failed call is tried again; doubled each time, up to 8 s.
    clock: the seconds in which leases expire.
    """

    def __init__(
        self,
        actuator: Actuator,
        *,
        overwrite: bool = True,
        first_retry_seconds: float = _FIRST_RETRY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._actuator = actuator
        self._overwrite = overwrite
        self._first_retry_seconds = first_retry_seconds
        self._clock = clock
        self._leases: Channel[Lease] = Channel(1, overwrite=overwrite)
        self._state: Door | None = None
        self._failures = 0
        self._refusing = False
        self._retry_at = -math.inf
        self._ending = threading.Event()
        self._abandoned = threading.Event()
        self._thread = threading.Thread(
            target=self._work, name=f"actuator {actuator.name}", daemon=True
        )

    @property
    def state(self) -> str:
        """`locked`, `unlocked`, or `unknown` before the first call and after one that failed."""
        return self._state or "unknown"

    def start(self) -> None:
        """Start the thread, which locks first of all."""
        self._thread.start()

    def apply(self, lease: Lease) -> None:
        """Make this the newest lease; without effect after `close`, which has locked the door."""
        with contextlib.suppress(Closed):
            self._leases.put(lease)

    def close(self, timeout_seconds: float) -> bool:
        """Lock for the last time and end the thread; True when the door is certainly locked.

        timeout_seconds: how long to wait; a thread that hangs longer is left behind.
        """
        if self._overwrite:
            # An unlock that still waits must not click the door open on the way out.
            self._ending.set()
        self._leases.close()
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            self._abandoned.set()
            _log.error(
                "%s: still busy after %g s, state unknown", self._actuator.name, timeout_seconds
            )
            return False
        return self._state is Door.LOCKED

    def _work(self) -> None:
        try:
            self._follow_leases()
        finally:
            # Whatever ended it: nobody may wait on this worker any more, and the door is locked.
            self._leases.close()
            self._lock_finally()

    def _follow_leases(self) -> None:
        lease = Lease(False, 0.0, "the start")
        while not self._ending.is_set():
            self._move(lease.door)
            try:
                lease = self._leases.get(self._patience_seconds(lease))
            except TimeoutError:
                pass
            except Closed:
                return
            lease = self._unless_expired(lease)

    def _patience_seconds(self, lease: Lease) -> float:
        """How long nothing needs to be done, unless a newer lease comes."""
        due = [lease.expires_at] if lease.unlocked else []
        if self._state is not lease.door:
            due.append(self._retry_at)
        patience_seconds = min(due, default=math.inf) - self._clock()
        # Waiting for ever, or for a time beyond what the platform can wait, is an error.
        return min(max(patience_seconds, 0.0), _LONGEST_WAIT_SECONDS)

    def _unless_expired(self, lease: Lease) -> Lease:
        late_seconds = self._clock() - lease.expires_at
        if not lease.unlocked or late_seconds < 0.0:
            self._refusing = False
            return lease
        if self._state is Door.UNLOCKED:
            reason = "the lease ran out"
        else:
            reason = f"refused an unlock that ran out {late_seconds:.1f} s ago"
        if not self._refusing:
            # Once for a row of them: a detector that is too slow is late with every frame.
            _log.warning("%s: %s: locking", self._actuator.name, reason)
        self._refusing = self._state is not Door.UNLOCKED
        return Lease(False, 0.0, reason)

    def _move(self, wanted: Door) -> None:
        if self._state is wanted or self._clock() < self._retry_at:
            return
        if self._call(wanted):
            self._failures = 0
            self._retry_at = -math.inf
            return
        if wanted is Door.UNLOCKED:
            self._call(Door.LOCKED)
        wait_seconds = min(self._first_retry_seconds * 2**self._failures, _LONGEST_RETRY_SECONDS)
        self._failures += 1
        self._retry_at = self._clock() + wait_seconds

    def _call(self, wanted: Door) -> bool:
        try:
            if wanted is Door.UNLOCKED:
                self._actuator.unlock()
            else:
                self._actuator.lock()
        except Exception as error:
            # Whatever it was, this thread must live on: it is the one that locks.
            self._state = None
            _log.error("%s, state unknown", error)
            return False
        self._state = wanted
        return True

    def _lock_finally(self) -> None:
        wait_seconds = self._first_retry_seconds
        for _ in range(_FINAL_TRIES):
            if self._call(Door.LOCKED) or self._abandoned.wait(wait_seconds):
                return
