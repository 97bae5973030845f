"""Timelines: what the door of a recorded clip must be, and which stretches of that were broken."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from .decision import Door
from .errors import ConfigError
from .schema import Listed, Section, filled, read


@dataclass(frozen=True, slots=True)
class Span:
    """The door must be `state` at every frame with from_seconds <= time < to_seconds.

    masked_seconds: when the last mask was on, from which the time to an unlock counts; None where
        nobody noted it.
    """

    from_seconds: float
    to_seconds: float
    state: Door
    masked_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BrokenSpan:
    """A span that a replay did not keep; its text says how.

    frames: how many frames fell into the span.
    wrong_frames: how many of them showed another state.
    first_wrong_seconds: time of the first of those; None when there is no frame in the span at all.
    """

    span: Span
    frames: int
    wrong_frames: int
    first_wrong_seconds: float | None

    def __str__(self) -> str:
        when = f"{self.span.from_seconds:g} to {self.span.to_seconds:g} s"
        if self.first_wrong_seconds is None:
            return f"{when}: no frame found, expected {self.span.state}"
        found = Door.LOCKED if self.span.state is Door.UNLOCKED else Door.UNLOCKED
        return (
            f"{when}: {found} at {self.wrong_frames} of {self.frames} frames, "
            f"first at {self.first_wrong_seconds:.3f} s, expected {self.span.state}"
        )


def broken(spans: Iterable[Span], frames: Iterable[tuple[float, Door]]) -> list[BrokenSpan]:
    """The spans not kept by a replay, in their order.

    spans: what was expected.
    frames: (time in seconds, state of the door) of every frame.
    """
    shown = list(frames)
    kept_not = []
    for span in spans:
        inside = [at for at in shown if span.from_seconds <= at[0] < span.to_seconds]
        wrong = [time for time, state in inside if state is not span.state]
        if wrong or not inside:
            first = wrong[0] if wrong else None
            kept_not.append(BrokenSpan(span, len(inside), len(wrong), first))
    return kept_not


class _SpanEntry(Section):
    start: float = Field(alias="from", ge=0)
    end: float = Field(alias="to")
    state: Literal["locked", "unlocked"]
    masked: Annotated[float, Field(ge=0)] | None = None

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: float, info: ValidationInfo) -> float:
        start = info.data.get("start")
        if start is not None and end <= start:
            raise ValueError(f"more than `from`, {start:g}")
        return end

    @field_validator("masked")
    @classmethod
    def _before_an_unlock(cls, masked: float | None, info: ValidationInfo) -> float | None:
        unlocked = info.data.get("state") == "unlocked"
        if masked is not None and not (unlocked and masked <= info.data.get("start", masked)):
            raise ValueError("a time up to `from`, of a span that is unlocked")
        return masked


class _ClipEntry(Section):
    what: str = ""
    door: Annotated[Listed[_SpanEntry], AfterValidator(filled)]

    def spans(self) -> tuple[Span, ...]:
        return tuple(
            Span(entry.start, entry.end, Door(entry.state), entry.masked) for entry in self.door
        )


def read_timelines(path: Path) -> dict[str, tuple[Span, ...]]:
    """The expected timelines in a JSON file, by the clip's file name without its ending.

    path: file of the form {"clip": {"what": text, "door": [{"from": seconds, "to": seconds,
        "state": "locked" or "unlocked"}, ...]}, ...}; an unlocked span may say in "masked" when the
        last mask was on.

    Raises ConfigError when the file is missing or wrong, listing everything wrong in it.
    """
    try:
        content = json.loads(path.read_text("utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}, expected a timelines file") from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not a timelines file: {error}") from None
    clips = read(dict[str, _ClipEntry], content, str(path))
    return {stem: clip.spans() for stem, clip in clips.items()}


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"key found twice, expected once: {', '.join(twice)}")
    return dict(pairs)
