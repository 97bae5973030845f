"""What is said of a door on MQTT, and under which topics."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ..decision import Door
from ..evidence import Evidence
from .message import Message

ONLINE, OFFLINE = "online", "offline"
UNCERTAIN = "unknown"


@dataclass(frozen=True, slots=True)
class DoorState:
    """What is reported of a door; two states that differ only in their reason are equal.

    door: what it was last told to be; None where it may not have heard that.
    evidence: what the newest picture says.
    faces: how many were judged in it.
    reason: why, in words.
    """

    door: Door | None
    evidence: Evidence
    faces: int
    reason: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class DoorTopics:
    """The topics of a door, all below one.

    base: the topic above them, such as maskgate/door.
    """

    base: str

    @property
    def slug(self) -> str:
        """The base as one word: letters, digits and underscores."""
        return self.base.replace("/", "_")

    @property
    def command(self) -> str:
        """Where the receiver at the lock is told what to do; never retained."""
        return f"{self.base}/command"

    @property
    def ignored(self) -> str:
        """Where nobody listens: for whoever needs a topic for commands that are never obeyed."""
        return f"{self.base}/ignored"

    @property
    def state(self) -> str:
        """Where the newest state stands, retained."""
        return f"{self.base}/state"

    @property
    def availability(self) -> str:
        """Where it stands whether anything is reported at all, retained."""
        return f"{self.base}/availability"

    def commanding(self, door: Door, *, sequence: int, now: float, lasts_seconds: float) -> Message:
        """A command, with what a receiver needs to refuse one that comes late or was overtaken.

        door: what the door is to be.
        sequence: larger than that of every command before.
        now: `time.time()`.
        lasts_seconds: how long the command may be obeyed, and an unlocked door stay so.
        """
        content = {
            "command": "unlock" if door is Door.UNLOCKED else "lock",
            "sequence": sequence,
            "expires_at": round(now + lasts_seconds, 3),
        }
        return Message(self.command, json.dumps(content), lasts_seconds=lasts_seconds)

    def reporting(self, state: DoorState) -> Message:
        """The state, to be kept for whoever asks later."""
        content = {
            "door": str(state.door or UNCERTAIN),
            "evidence": str(state.evidence),
            "faces": state.faces,
            "reason": state.reason,
        }
        return Message(self.state, json.dumps(content, ensure_ascii=False), retained=True)

    def available(self, availability: str) -> Message:
        """That reports come, ONLINE, or none any more, OFFLINE."""
        return Message(self.availability, availability, retained=True)
