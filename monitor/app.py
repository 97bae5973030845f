"""The commands: each puts the parts together as the configuration says, and runs them."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from .actuators import make
from .actuators.worker import Worker
from .annotate import annotate
from .config import Config, DoorSection
from .detector import Detector
from .doorkeeper import Doorkeeper, Result
from .errors import SourceError, UsageError
from .events import EventFile
from .frame import Image
from .orientation import Orientation
from .pipeline import Pipeline
from .policy import Policy
from .record import Recorder
from .replay import Alone, Replay
from .sources import Source, open_source
from .timeline import read_timelines
from .window import Window, display_works
from .zones import Zones

_log = logging.getLogger("monitor.app")

_FPS_OF_LAST_RESORT = 25.0


def run(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    source: str | None = None,
    actuate: bool = False,
    window: bool = True,
    seconds: float | None = None,
) -> None:
    """Watch one source as it plays, until it ends, someone quits, or the time is over.

    check_interrupt: called often; may raise to end the run.
    source: what to watch in place of the configured source.
    actuate: let a recorded source drive every actuator.
    window: show a window where there is a display and the configuration wants one.
    seconds: how long to run; None for as long as the source lasts.
    """
    door = config.doors[0]
    watched = open_source(door.source if source is None else source)
    detector = _detector(config)
    with ExitStack() as stack:
        shown = _window(stack) if window and config.window == "auto" else None
        pipeline = _pipeline(door, watched, detector, actuate=actuate, paced=True)
        stack.callback(lambda: print(f"{watched.name}: {pipeline.summary}"))
        stack.enter_context(pipeline)
        ends_at = time.monotonic() + seconds if seconds else float("inf")
        for result in pipeline.results():
            check_interrupt()
            if result is not None and shown:
                shown.show(_picture(door, pipeline, result))
            if time.monotonic() >= ends_at or (shown and shown.wants_to_quit()):
                break


def replay(
    config: Config,
    sources: Sequence[str],
    *,
    check_interrupt: Callable[[], None],
    events: Path | None = None,
    video: Path | None = None,
    expect: Path | None = None,
    each: bool = False,
    actuate: bool = False,
    fps_of_pictures: float = 1.0,
) -> bool:
    """Decide on every frame of recorded sources as fast as possible; True if all went well.

    sources: what to replay, in order.
    check_interrupt: called between frames; may raise to end the replay.
    events: file for one JSON object a frame.
    video: file for the annotated pictures, of one source.
    expect: timelines that the sources must keep, by file stem.
    each: decide on each picture alone, without hold.
    actuate: drive every actuator, not only the log.
    fps_of_pictures: pictures per second at which a folder plays.
    """
    if video and len(sources) > 1:
        raise UsageError(f"--video: {len(sources)} sources found, expected one")
    door = config.doors[0]
    timelines = read_timelines(expect) if expect else None
    watch: list[Callable[[Source, Pipeline, Result], None]] = []
    with ExitStack() as stack:
        if events:
            file = stack.enter_context(EventFile(events))
            watch.append(lambda source, _, result: file.write(source.name, result))
        if video:
            recorder = stack.enter_context(Recorder(video))
            watch.append(
                lambda source, pipeline, result: recorder.write(
                    _picture(door, pipeline, result), source.fps or _FPS_OF_LAST_RESORT
                )
            )
        detector = _detector(config)
        session = Replay(
            lambda source: _pipeline(door, source, detector, actuate=actuate, each=each),
            watch=watch,
            check_interrupt=check_interrupt,
            fps_of_pictures=fps_of_pictures,
            timelines=timelines,
        )
        for spec in sources:
            session.play(spec)
        session.conclude()
    return not session.failed


def check(config: Config) -> None:
    """Load the model, take one picture from the source, and print what was found."""
    door = config.doors[0]
    detector = _detector(config)
    _row("model", f"{detector.path}, sha256 {detector.sha256[:12]}")
    _row("classes", ", ".join(detector.contract.classes))
    _row("provider", detector.provider)
    _row("door", door.name)
    _policy(door, detector)
    _row("actuators", ", ".join(f"{part.name} ({part.kind})" for part in door.actuators))
    source = open_source(door.source)
    try:
        frame = next(source.frames(), None)
    finally:
        source.close()
    if frame is None:
        raise SourceError(f"{source.name}: no picture found, expected at least one")
    image = Orientation(door.rotate_degrees, door.mirror).apply(frame.image)
    height_px, width_px = image.shape[:2]
    kind = "live" if source.live else "recorded"
    _row("source", f"{source.name}, {kind}, {width_px} x {height_px} px")
    started = time.monotonic()
    faces = detector(image)
    milliseconds = (time.monotonic() - started) * 1000
    _row("first picture", f"{len(faces)} candidates in {milliseconds:.0f} ms")


def _row(name: str, value: str) -> None:
    print(f"{name:<14} {value}")


def _detector(config: Config) -> Detector:
    model = config.model
    path = Path(model.path) if model.path else None
    detector = Detector(path, device=model.device, threads=model.threads)
    _log.info("%s runs on %s", detector.path.name, detector.provider)
    return detector


def _policy(door: DoorSection, detector: Detector) -> Policy:
    rules, model = door.policy, detector.contract
    return Policy(
        classes=model.classes,
        allowed=rules.allowed,
        grant=model.grant if rules.grant is None else rules.grant,
        deny=model.deny if rules.deny is None else rules.deny,
        min_faces=rules.min_faces,
        smallest_face_px=rules.smallest_face_px,
        hold_seconds=rules.hold_seconds,
        grace_seconds=rules.grace_seconds,
    )


def _pipeline(
    door: DoorSection,
    source: Source,
    detector: Detector,
    *,
    actuate: bool,
    paced: bool = False,
    each: bool = False,
) -> Pipeline:
    policy = _policy(door, detector)
    # Playing a clip must not open a real door.
    driven = [part for part in door.actuators if source.live or actuate or part.kind == "log"]
    for part in door.actuators:
        if part not in driven:
            _log.info("%s: left alone while %s plays, but for --actuate", part.name, source.name)
    locks = [Worker(make(**part.model_dump()), overwrite=source.live) for part in driven]
    doorkeeper = Doorkeeper(
        detector=detector,
        zones=Zones(watch=door.zones.watch, ignore=door.zones.ignore),
        judge=Alone(policy) if each else policy,
        locks=locks,
        live=source.live,
        grace_seconds=door.policy.grace_seconds,
        max_age_seconds=door.policy.max_age_seconds,
    )
    orientation = Orientation(door.rotate_degrees, door.mirror)
    return Pipeline(source, doorkeeper, locks=locks, orientation=orientation, paced=paced)


def _picture(door: DoorSection, pipeline: Pipeline, result: Result) -> Image:
    image = np.copy(result.frame.image)
    annotate(
        image,
        result.decision,
        allowed=door.policy.allowed,
        frames_per_second=pipeline.summary.recent_frames_per_second,
    )
    return image


def _window(stack: ExitStack) -> Window | None:
    if display_works():
        return stack.enter_context(Window())
    print("monitor: no display: running without a window", file=sys.stderr)
    return None
