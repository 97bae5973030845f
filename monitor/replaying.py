"""Replaying recorded sources one after another, and holding them to what was expected."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from .decision import Decision, Door, Order, overruled
from .detections import Detections
from .errors import ActuatorError, SourceError, UsageError
from .evidence import Evidence, FrameRule
from .line import Line
from .pipeline import Pipeline
from .report import ClipFigures, clip_figures
from .result import Result
from .sources import Source, open_source
from .sources.source import printable
from .timeline import Span

Shown = list[tuple[float, Door]]


class Replay:
    """Plays sources, and remembers how each went (`figures`) and whether all did (`failed`).

    start: makes what decides on the frames of a source.
    watch: called with that and each result in turn.
    check_interrupt: called between frames; may raise to end the replay.
    fps_of_pictures: pictures per second at which a folder plays.
    timelines: what is expected of the door, by the source's name. A source that is not listed is
        held to its own timeline, where it has one.
    """

    def __init__(
        self,
        start: Callable[[Source], Line],
        *,
        watch: Sequence[Callable[[Line, Result], None]] = (),
        check_interrupt: Callable[[], None] = lambda: None,
        fps_of_pictures: float = 1.0,
        timelines: Mapping[str, tuple[Span, ...]] | None = None,
    ) -> None:
        self._start = start
        self._watch = watch
        self._check_interrupt = check_interrupt
        self._fps_of_pictures = fps_of_pictures
        self._timelines = timelines or {}
        self._held_to_file = timelines is not None
        self._played: set[str] = set()
        self.failed = False
        self.figures: list[ClipFigures] = []

    def play(self, spec: str) -> None:
        """Replay one source and print its summary and the spans it broke.

        A source that fails is reported on stderr, and what it gave until then is kept and held to
        its timeline. Raises UsageError for a live source.
        """
        try:
            source = open_source(spec, fps_of_pictures=self._fps_of_pictures)
        except SourceError as error:
            name = printable(Path(spec).stem)
            self._played.add(name)
            self.figures.append(clip_figures(name, self._timelines.get(name, ()), [], str(error)))
            self._fail(error)
            return
        if source.live:
            raise UsageError(f"replay: {source.name} is live; expected a recorded source")
        self._played.add(source.name)
        shown: Shown = []
        fault = None
        line = self._start(source)
        try:
            self._show(line, shown)
        except (SourceError, ActuatorError) as error:
            fault = str(error)
            self._fail(error)
        print(f"{source.name}: {line.summary}")
        spans = self._timelines.get(source.name, source.timeline)
        if spans is None and self._held_to_file:
            # a clip that was renamed must not turn a test green
            unlisted = UsageError(f"{source.name}: no timeline of that name found, expected one")
            fault = fault or str(unlisted)
            self._fail(unlisted)
        figures = clip_figures(source.name, spans or (), shown, fault)
        self.figures.append(figures)
        for span in figures.spans:
            if span.complaint is not None:
                print(f"{source.name}: broken span: {span.complaint}")
                self.failed = True

    def conclude(self) -> None:
        """Name on stderr what is expected of sources that were not played."""
        absent = [name for name in self._timelines if name not in self._played]
        if absent:
            print(f"monitor: expected but not replayed: {', '.join(absent)}", file=sys.stderr)

    def _show(self, line: Line, shown: Shown) -> None:
        source = line.capture.source
        bar = tqdm(
            desc=source.name,
            total=source.frame_count_hint,
            unit=" frames",
            file=sys.stderr,
            # only on a terminal, where the lines of the log take its place
            disable=None,
        )
        with bar, Pipeline([line]) as pipeline:
            for found in pipeline.results():
                self._check_interrupt()
                if found is not None:
                    _, result = found
                    shown.append((result.decision.time, result.decision.door))
                    for watch in self._watch:
                        watch(line, result)
                    bar.update()

    def _fail(self, error: Exception) -> None:
        print(f"monitor: error: {error}", file=sys.stderr)
        self.failed = True


class Alone:
    """Judges every picture by itself: the door is unlocked by a CLEAR one, without any hold.

    rule: what must be seen in it.
    """

    def __init__(self, rule: FrameRule) -> None:
        self._rule = rule

    def update(
        self,
        detections: Detections | None,
        time: float,
        *,
        lasts_seconds: float = 0.0,
        fault: str | None = None,
        order: Order | None = None,
    ) -> Decision:
        """Decide about one picture; arguments as for `Policy.update`."""
        seen = self._rule.judge(detections, fault)
        door = Door.UNLOCKED if seen.evidence is Evidence.CLEAR else Door.LOCKED
        decision = Decision(
            time,
            seen.evidence,
            door,
            seen.reason,
            seen.faces,
            held_seconds=0.0,
            hold_seconds=0.0,
            verdicts=seen.verdicts,
            allowed=self._rule.allowed,
        )
        return decision if order is None else overruled(decision, order)
