"""The worker: a latch on its own thread, so that a slow actuator delays nothing else."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence

from ..channel import Channel, Closed
from ..result import Result
from .deny import Denier
from .latch import Latch
from .lease import Lease

_log = logging.getLogger("monitor.door")

_FINAL_WAITS_SECONDS = (0.5, 1.0)


class Worker:
    """Moves a latch by the newest lease: locks at the start, when a lease runs out, and at the end.

    latch: what is moved; used by this worker's thread alone.
    denier: what shows at the door that someone is turned away.
    overwrite: drop a lease that is waiting when a newer one comes, so that `apply` never blocks
        (live); otherwise `apply` waits until there is room (recorded). Before an unlock that took
        the place of a lock, the door is locked all the same.
    final_waits_seconds: waits before each further try to lock at the end.

    `name` is the actuator's.
    """

    def __init__(
        self,
        latch: Latch,
        *,
        denier: Denier | None = None,
        overwrite: bool = True,
        final_waits_seconds: Sequence[float] = _FINAL_WAITS_SECONDS,
    ) -> None:
        self._latch = latch
        self._denier = denier
        self._overwrite = overwrite
        self._final_waits_seconds = final_waits_seconds
        # Each lease with the latest one that locks, which it may have taken the place of.
        self._leases: Channel[tuple[Lease, Lease]] = Channel(1, overwrite=overwrite)
        self._locked_at_the_end = False
        self._ending = threading.Event()
        self._abandoned = threading.Event()
        self._newest = self._latest_lock = self._taken_lock = Lease(
            unlocked=False, reason="the start"
        )
        latch.actuator.is_wanted = self._is_wanted
        self.name = latch.actuator.name
        self._thread = threading.Thread(
            target=self._work, name=f"actuator {self.name}", daemon=True
        )

    @property
    def state(self) -> str:
        """See `Latch.state`."""
        return self._latch.state

    def start(self) -> None:
        """Start the thread, which locks first of all."""
        self._thread.start()
        if self._denier:
            self._denier.start()

    def apply(self, lease: Lease) -> None:
        """Make this the newest lease; without effect after `end`, which locks the door."""
        if self._denier:
            self._denier.see(lease)
        self._newest = lease
        if not lease.unlocked:
            self._latest_lock = lease
        with contextlib.suppress(Closed):
            self._leases.put((self._latest_lock, lease))

    def watch(self, result: Result) -> None:
        """Let the actuator take note of what became of a frame; returns at once."""
        self._latch.actuator.watch(result)

    def end(self) -> None:
        """Have the door locked for the last time, without waiting for it; may be called again."""
        if self._overwrite:
            # An unlock that still waits must not click the door open on the way out.
            self._ending.set()
        self._leases.close()
        if self._denier:
            self._denier.end()

    def close(self, timeout_seconds: float) -> bool:
        """End, and wait for the thread; True when the door is certainly locked.

        Of a worker that was never started, only what its actuator holds is let go of.

        timeout_seconds: how long to wait; a thread that hangs longer is told to give up an unlock
            and further tries to lock, and left behind if it still hangs after another call.
        """
        self.end()
        if self._thread.ident is None:
            self._latch.actuator.close()
            return False
        self._thread.join(timeout_seconds)
        if not self._thread.is_alive():
            return self._locked_at_the_end
        if self._abandoned.is_set():
            self._latch.leave_behind()
            _log.error("%s: still busy at the end, state unknown", self.name)
        self._abandoned.set()
        return False

    def _is_wanted(self) -> bool:
        """Whether an unlock that is going on is to be brought to its end."""
        ends = self._ending.is_set() or self._abandoned.is_set()
        # Also where a newer unlock waits behind the lock: that one is a wish of its own.
        ends = ends or self._latest_lock is not self._taken_lock
        return not ends and not self._latch.is_over(self._newest)

    def _work(self) -> None:
        try:
            self._follow_leases()
        finally:
            # Whatever ended it: nobody may wait on this worker any more, and the door is locked.
            self._leases.close()
            self._lock_finally()
            self._latch.actuator.close()
            # Each would hold the other, and the last picture with them, until somebody looked for
            # such circles, which may be hours later.
            self._latch.actuator.is_wanted = _unwanted

    def _follow_leases(self) -> None:
        while not self._ending.is_set():
            self._latch.move()
            try:
                lock, lease = self._leases.get(self._latch.patience_seconds())
            except TimeoutError:
                continue
            except Closed:
                return
            if lock is not self._taken_lock:
                self._taken_lock = lock
                self._latch.take(lock)
                self._latch.move()
            self._latch.take(lease)

    def _lock_finally(self) -> None:
        self._locked_at_the_end = self._latch.lock("the end")
        for wait_seconds in self._final_waits_seconds:
            if self._locked_at_the_end or self._abandoned.wait(wait_seconds):
                return
            self._locked_at_the_end = self._latch.lock("the end")


def _unwanted() -> bool:
    return False
