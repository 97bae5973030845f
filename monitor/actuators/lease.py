"""The lease: what a door is to be, and until when; and the change that it brings about."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..decision import Door, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What the door is to be. An unlock is never more than this: it runs out by itself.

    unlocked: whether the door is to be open.
    reason: why, in words.
    door_name: which door.
    sequence: counts up with every lease of a door, from 1; an unlock that is not above all before
        it is refused.
    captured_at: `time.monotonic()` of the picture that it goes back to; None without one.
    expires_at: `time.monotonic()` at which an unlocked door locks by itself; ignored when locked.
    denies: whether it locks because someone in the picture must not pass.
    order: what overruled the picture; None for nothing. With another one a new wish begins.
    """

    unlocked: bool
    reason: str
    door_name: str = ""
    sequence: int = 0
    captured_at: float | None = None
    expires_at: float = -math.inf
    denies: bool = False
    order: Order | None = None

    @property
    def wanted(self) -> Door:
        """The state that the lease asks for, as long as it lasts."""
        return Door.UNLOCKED if self.unlocked else Door.LOCKED

    def age_seconds(self, now: float) -> float:
        """How long ago its picture was taken; without one it is older than any bound."""
        return math.inf if self.captured_at is None else now - self.captured_at


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an actuator.

    actuator: its name.
    state: `locked`, `unlocked` or, after a call that failed, `unknown`.
    reason: why, in words.
    lease: what was being done.
    latency_seconds: from the picture until the actuator was done; None without a picture.
    """

    actuator: str
    state: str
    reason: str
    lease: Lease
    latency_seconds: float | None
