"""The report of a replay: how the door kept its timelines, as JSON and for CI systems as JUnit."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .decision import Door
from .errors import MaskgateError, UsageError
from .replacing import check_replaceable, replacing
from .timeline import Span, broken

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class SpanFigures:
    """How a replay kept one span of a timeline.

    span: what was expected.
    complaint: how it was broken; None for one that was kept.
    wrong_stretches: how often the door was in the other state, each for one or more frames on end:
        false unlocks of a locked span, false denials of an unlocked one.
    held_seconds: for how long of the span there were frames to hold to it.
    unlocked_after_seconds: of an unlocked span, from the last mask on, or from its beginning where
        that was not noted, to the first frame that shows the door unlocked; None where none does,
        and of a locked span.
    """

    span: Span
    complaint: str | None
    wrong_stretches: int
    held_seconds: float
    unlocked_after_seconds: float | None


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """How one source went.

    seconds: from its first frame to its last.
    fault: why it could not be replayed to its end, or held to a timeline; None where it could.
    """

    name: str
    frames: int
    seconds: float
    spans: tuple[SpanFigures, ...]
    fault: str | None


def clip_figures(
    name: str, spans: Sequence[Span], shown: Sequence[tuple[float, Door]], fault: str | None = None
) -> ClipFigures:
    """The figures of a source.

    spans: what was expected of its door.
    shown: (time in seconds, state of the door) of every frame.
    fault: see `ClipFigures`.
    """
    complaints = {item.span: str(item) for item in broken(spans, shown)}
    figures = []
    for span in spans:
        inside = [at for at in shown if span.from_seconds <= at[0] < span.to_seconds]
        states = [state for state, _ in groupby(state for _, state in inside)]
        wrong = sum(state is not span.state for state in states)
        held = min(span.to_seconds, shown[-1][0]) - span.from_seconds if inside else 0.0
        after = _unlocked_after(span, shown)
        figures.append(SpanFigures(span, complaints.get(span), wrong, round(held, 3), after))
    seconds = shown[-1][0] - shown[0][0] if shown else 0.0
    return ClipFigures(name, len(shown), round(seconds, 3), tuple(figures), fault)


def _unlocked_after(span: Span, shown: Sequence[tuple[float, Door]]) -> float | None:
    if span.state is Door.LOCKED:
        return None
    start = span.from_seconds if span.masked_seconds is None else span.masked_seconds
    opened = (t for t, state in shown if start <= t < span.to_seconds and state is Door.UNLOCKED)
    first = next(opened, None)
    return None if first is None else round(first - start, 3)


def to_json(clips: Sequence[ClipFigures]) -> str:
    """The figures of every source, and of all together."""
    content = {"clips": [_clip(clip) for clip in clips], "total": _total(clips)}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def to_junit(clips: Sequence[ClipFigures]) -> str:
    """A test suite for each source, with a test case for each span and one for the source."""
    root = ElementTree.Element("testsuites", name="monitor replay")
    for clip in clips:
        failures = sum(figures.complaint is not None for figures in clip.spans)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_legal(clip.name),
            tests=str(len(clip.spans) + 1),
            failures=str(failures),
            errors=str(int(clip.fault is not None)),
            time=f"{clip.seconds:.3f}",
        )
        whole = _case(suite, clip.name, "is replayed to its end", clip.seconds)
        if clip.fault is not None:
            ElementTree.SubElement(whole, "error", message=_legal(clip.fault))
        for figures in clip.spans:
            span = figures.span
            title = f"{span.state} from {span.from_seconds:g} to {span.to_seconds:g} s"
            case = _case(suite, clip.name, title, span.to_seconds - span.from_seconds)
            if figures.complaint is not None:
                ElementTree.SubElement(case, "failure", message=_legal(figures.complaint))
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


class ReportFile:
    """A file for a report, tried before the work so that a wrong name is found out in time.

    path: what is there stays until the whole report is. Raises UsageError when it cannot be
        written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            check_replaceable(path)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; expected a file to write to") from None

    def write(self, text: str) -> None:
        """Put a text in place of what is there; raises MaskgateError when that fails."""
        try:
            with replacing(self._path) as partial:
                partial.write_text(text, encoding="utf-8")
        except OSError as error:
            raise MaskgateError(f"{self._path}: {error.strerror}; report not written") from None


def _clip(clip: ClipFigures) -> dict[str, Any]:
    spans = [
        {
            "from": figures.span.from_seconds,
            "to": figures.span.to_seconds,
            "state": str(figures.span.state),
            "masked": figures.span.masked_seconds,
            "kept": figures.complaint is None,
            **{key: value for key, value in asdict(figures).items() if key != "span"},
        }
        for figures in clip.spans
    ]
    head = {"name": clip.name, "frames": clip.frames, "seconds": clip.seconds, "fault": clip.fault}
    return {**head, "spans": spans, **_sums([clip])}


def _total(clips: Sequence[ClipFigures]) -> dict[str, Any]:
    return {
        "clips": len(clips),
        "faults": sum(clip.fault is not None for clip in clips),
        "frames": sum(clip.frames for clip in clips),
        "seconds": sum(clip.seconds for clip in clips),
        **_sums(clips),
    }


def _sums(clips: Sequence[ClipFigures]) -> dict[str, Any]:
    spans = [figures for clip in clips for figures in clip.spans]
    delays = [
        figures.unlocked_after_seconds
        for figures in spans
        if figures.unlocked_after_seconds is not None
    ]
    return {
        "spans_kept": sum(figures.complaint is None for figures in spans),
        "spans_broken": sum(figures.complaint is not None for figures in spans),
        "unlocked_after_seconds": {
            "median": statistics.median(delays) if delays else None,
            "longest": max(delays, default=None),
        },
        "false_unlocks": _rate(spans, Door.LOCKED),
        "false_denials": _rate(spans, Door.UNLOCKED),
    }


def _rate(spans: Sequence[SpanFigures], expected: Door) -> dict[str, Any]:
    """How often the door was in the other state, and that by the hour in which it was held to."""
    held = [figures for figures in spans if figures.span.state is expected]
    count = sum(figures.wrong_stretches for figures in held)
    hours = sum(figures.held_seconds for figures in held) / _SECONDS_PER_HOUR
    return {"count": count, "hours": round(hours, 6), "per_hour": count / hours if hours else None}


def _case(suite: ElementTree.Element, clip: str, title: str, seconds: float) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", classname=_legal(clip), name=title, time=f"{seconds:.3f}"
    )


def _legal(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
