"""The decision: what a door is to be and why, and the order that overrules it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from .detections import Detections
from .evidence import Evidence, Verdict


class Door(StrEnum):
    """What the door is to be."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy makes of one frame and of the frames before it.

    time: seconds, of the frame.
    evidence: what this frame says, given how long each of its faces has been followed.
    door: what the door is to be from now on.
    reason: why, in words; the same for the same frames.
    faces: the faces judged: large enough and above the noise.
    held_seconds: how long CLEAR has held, 0 when it does not.
    hold_seconds: how long it must hold before the door is unlocked.
    verdicts: of each of the faces.
    tracks: the number of each face, the same from frame to frame; empty where none is followed.
    locks_at: time in seconds at which an unlocked door locks, whatever is seen until then.
    allowed: the classes with which a face may pass.
    """

    time: float
    evidence: Evidence
    door: Door
    reason: str
    faces: Detections
    held_seconds: float
    hold_seconds: float
    verdicts: tuple[Verdict, ...] = ()
    tracks: tuple[int, ...] = ()
    locks_at: float = math.inf
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What the door is to be whatever is seen.

    reason: why, in words.
    until: seconds on the clock of the leases, when it ends at the latest.
    """

    door: Door
    reason: str
    until: float = math.inf


def denies(evidence: str | None, door: str | None) -> bool:
    """Whether a door is locked for someone in the picture who must not pass.

    An order to unlock lets in whoever is there.
    """
    return evidence == Evidence.VIOLATION and door == Door.LOCKED


def overruled(decision: Decision, order: Order) -> Decision:
    """The decision with the door as ordered, and both reasons."""
    reason = f"{order.reason}; {decision.reason}"
    return replace(decision, door=order.door, reason=reason, locks_at=order.until)
