"""What of a door's results is a change of state, and so belongs into the audit."""

from __future__ import annotations

from datetime import UTC, datetime

from ..actuators.lease import Change
from ..decision import Door
from ..events import event
from ..evidence import Evidence
from ..result import Result
from .event import Kind
from .pictures import Pictures
from .trail import Trail


class DoorWatch:
    """Watches one door and notes each change; as a context manager also its beginning and end.

    Called with the results of its `Doorkeeper`, it notes a change of the door, of the evidence, and
    between a camera that shows something and one that does not. Called from several threads.

    trail: gets the entries.
    door: the door's name.
    source: the name of what it watches.
    pictures: keeps those of the door; None for none.
    """

    def __init__(
        self, trail: Trail, *, door: str, source: str, pictures: Pictures | None = None
    ) -> None:
        self._trail = trail
        self._door = door
        self._source = source
        self._pictures = pictures
        self._latest: tuple[Door, Evidence, bool] | None = None
        self._actuators: dict[str, tuple[str, str]] = {}

    def __call__(self, result: Result) -> None:
        """Note what has changed since the result before; returns at once."""
        frame, decision = result.frame, result.decision
        before = self._latest
        self._latest = (decision.door, decision.evidence, result.candidates is not None)
        at = datetime.now(UTC) if self._latest != before else None
        picture, clip = self._pictures.see(result, at) if self._pictures else (None, None)
        if at is None:
            return
        same_door = before is not None and before[0] is decision.door
        self._trail.note(
            Kind.EVIDENCE if same_door else Kind.DOOR,
            self._door,
            decision.reason,
            at=at,
            state=str(decision.door),
            evidence=str(decision.evidence),
            source=self._source,
            frame=frame.index,
            faces=tuple(event(self._source, result)["faces"]),
            latency_ms=_milliseconds(result.age_seconds),
            picture=picture,
            clip=clip,
        )

    def changed(self, change: Change) -> None:
        """Note what has become of an actuator, unless that was noted last; returns at once."""
        news = (change.state, change.reason)
        if self._actuators.get(change.actuator) == news:
            return
        self._actuators[change.actuator] = news
        self._trail.note(
            Kind.ACTUATOR,
            self._door,
            change.reason,
            state=change.state,
            actuator=change.actuator,
            source=self._source,
            latency_ms=_milliseconds(change.latency_seconds),
        )

    def __enter__(self) -> DoorWatch:
        self._trail.note(Kind.START, self._door, f"watching {self._source}", source=self._source)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        reason = str(error or "") or (kind.__name__ if kind else "no longer watched")
        self._trail.note(Kind.STOP, self._door, reason, source=self._source)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
