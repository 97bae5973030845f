"""`monitor replay`: decide on every frame of recorded sources."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stdout
from functools import partial
from pathlib import Path

from ..apart import check_apart
from ..config import Config
from ..errors import UsageError
from ..events import EventFile
from ..line import Line
from ..parts import make_detector, make_hard_frames, make_line
from ..record import Recorder
from ..replaying import Replay
from ..report import ReportFile, to_json, to_junit
from ..result import Result
from ..sources import FPS_OF_LAST_RESORT
from ..timeline import read_timelines
from ..view.annotate import annotated
from .choice import chosen


def replay(
    config: Config,
    sources: Sequence[str],
    *,
    check_interrupt: Callable[[], None],
    door: str | None = None,
    events: Path | None = None,
    video: Path | None = None,
    expect: Path | None = None,
    report: Path | None = None,
    junit: Path | None = None,
    each: bool = False,
    hard: Path | None = None,
    actuate: bool = False,
    fps_of_pictures: float = 1.0,
) -> bool:
    """Decide on every frame of recorded sources as fast as possible; True if all went well.

    What is printed goes to stderr where an output goes to stdout, such as /dev/stdout.

    sources: what to replay, in order.
    check_interrupt: called between frames; may raise to end the replay.
    door: name of the one that decides; None for the first.
    events: file for one JSON object a frame.
    video: file for the annotated pictures, of one source.
    expect: timelines that the sources must keep, by file stem.
    report, junit: files for how they kept them, as JSON and as JUnit.
    each: decide on each picture alone, without hold.
    hard: folder for the frames that are nearest to being judged otherwise.
    actuate: drive every actuator, not only the log.
    fps_of_pictures: pictures per second at which a folder plays.

    Raises UsageError, before anything is opened, for files that would be written over.
    """
    outputs = {"--events": events, "--video": video, "--report": report, "--junit": junit}
    check_apart(outputs, [*sources, expect])
    if video and len(sources) > 1:
        raise UsageError(f"--video: {len(sources)} sources found, expected one")
    [section] = chosen(config, door or config.doors[0].name)
    timelines = read_timelines(expect) if expect else None
    watch: list[Callable[[Line, Result], None]] = []
    reports = [
        (ReportFile(path), text) for path, text in ((report, to_json), (junit, to_junit)) if path
    ]
    with ExitStack() as stack:
        if any(path and _is_stdout(path) for path in outputs.values()):
            stack.enter_context(redirect_stdout(sys.stderr))
        if events:
            file = stack.enter_context(EventFile(events))
            watch.append(lambda line, result: file.write(line.capture.source.name, result))
        if video:
            recorder = stack.enter_context(Recorder(video))
            watch.append(partial(_record, recorder))
        detector = make_detector(config.model)
        if hard:
            frames = stack.enter_context(make_hard_frames(section, detector, hard))
            watch.append(lambda line, result: frames.add(line.capture.source.name, result))
        session = Replay(
            lambda source: make_line(
                section, source, detector, actuate=actuate, overwrite=False, each=each
            ),
            watch=watch,
            check_interrupt=check_interrupt,
            fps_of_pictures=fps_of_pictures,
            timelines=timelines,
        )
        for spec in sources:
            session.play(spec)
        session.conclude()
        for written, text in reports:
            written.write(text(session.figures))
    return not session.failed


def _is_stdout(path: Path) -> bool:
    try:
        return path.samefile("/dev/stdout")
    except OSError:
        return False


def _record(recorder: Recorder, line: Line, result: Result) -> None:
    # without the speed, which is another in every run
    picture = annotated(result.frame, result.decision)
    recorder.write(picture, line.capture.source.fps or FPS_OF_LAST_RESORT)
