"""One entry of the audit: what changed, when, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an entry is about."""

    START = "start"
    STOP = "stop"
    DOOR = "door"
    EVIDENCE = "evidence"
    ACTUATOR = "actuator"
    OVERRIDE = "override"
    RELOAD = "reload"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state.

    at: when, in UTC.
    kind: what changed.
    door: the door's name.
    reason: why, in words.
    state: of the door as decided or as ordered, `locked` or `unlocked`; of an actuator as it says
        itself, also `unknown`; None where nothing is known of it, or an order is refused or over.
    evidence: what the frame says by itself; None without a frame.
    actuator: the name of the actuator that changed.
    source: the name of what the door watches.
    frame: the frame's index in its source.
    faces: the faces judged, each with box, label, score and scores, see `monitor.events`.
    latency_ms: from capture to decision; None for recorded pictures.
    model_sha256: of the model file that found the faces.
    config_sha256: of the configuration in force.
    picture, clip: file names of the snapshot and the clip, in the audit's `pictures` and `clips`.
        A file may be gone: deleted since, or given up by a machine too slow for it.
    """

    at: datetime
    kind: Kind
    door: str
    reason: str
    state: str | None = None
    evidence: str | None = None
    actuator: str | None = None
    source: str | None = None
    frame: int | None = None
    faces: tuple[dict[str, Any], ...] = ()
    latency_ms: float | None = None
    model_sha256: str | None = None
    config_sha256: str | None = None
    picture: str | None = None
    clip: str | None = None


def stamp(at: datetime) -> str:
    """A time as text that sorts by time: UTC, ISO 8601, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
