"""A lock and a clock in memory, for whatever drives an actuator."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence

from monitor.actuators.actuator import Actuator
from monitor.actuators.lease import Lease
from monitor.decision import Order
from monitor.errors import ActuatorError

PATIENCE_SECONDS = 10.0


class FakeLock(Actuator):
    """An actuator in memory: remembers its calls, fails when told to, and can be held up."""

    kind = "fake"

    def __init__(self, *, failing: Sequence[str] = ()) -> None:
        super().__init__("fake")
        self.failing = failing
        self.calls: list[str] = []
        self.reasons: list[str] = []
        self.hold_up = threading.Event()
        self.hold_up.set()
        self._changed = threading.Condition()

    def lock(self) -> None:
        self._call("lock")

    def unlock(self, lease: Lease) -> None:
        self._call("unlock")

    def deny(self, reason: str) -> None:
        self.reasons.append(reason)
        self._call("deny")

    def close(self) -> None:
        self._call("close")

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

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def locking(sequence: int = 0, *, denies: bool = False, reason: str = "no face") -> Lease:
    """A lease that locks."""
    return Lease(unlocked=False, reason=reason, sequence=sequence, denies=denies, captured_at=0.0)


def unlocking(
    sequence: int,
    *,
    captured_at: float = 0.0,
    expires_at: float = math.inf,
    reason: str = "masked",
    order: Order | None = None,
) -> Lease:
    """A lease that unlocks."""
    return Lease(
        unlocked=True,
        reason=reason,
        sequence=sequence,
        captured_at=captured_at,
        expires_at=expires_at,
        order=order,
    )
