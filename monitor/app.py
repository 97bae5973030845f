"""The commands: each puts the parts together as the configuration says, and runs them."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from .bench import Comparison, bench, compare, peak_memory_mb
from .config import Config
from .detections import Detections
from .detector import Detector
from .door_section import DoorSection
from .doorkeeper import Result
from .errors import SourceError, UsageError
from .events import EventFile
from .frame import Frame, Image
from .orientation import Orientation
from .other_model import OtherModel
from .parts import (
    drawn,
    frames_of,
    make_detector,
    make_hard_frames,
    make_pipeline,
    make_policy,
    make_source,
    make_zones,
)
from .pipeline import Pipeline
from .policy import Decision
from .record import Recorder
from .replay import Replay
from .sources import Source
from .timeline import read_timelines
from .window import Window, display_works

_log = logging.getLogger("monitor.app")

_FPS_OF_LAST_RESORT = 25.0
_COMPARED_PICTURES = 16


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
    watched = make_source(door, source)
    detector = make_detector(config.model)
    with ExitStack() as stack:
        shown = _window(stack) if window and config.window == "auto" else None
        pipeline = make_pipeline(door, watched, detector, actuate=actuate, paced=True)
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
    hard: Path | None = None,
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
    hard: folder for the frames that are nearest to being judged otherwise.
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
        detector = make_detector(config.model)
        if hard:
            frames = stack.enter_context(make_hard_frames(door, detector, hard))
            watch.append(lambda source, _, result: frames.add(source.name, result))
        session = Replay(
            lambda source: make_pipeline(door, source, detector, actuate=actuate, each=each),
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
    detector = make_detector(config.model)
    _row("model", f"{detector.path}, sha256 {detector.sha256[:12]}")
    _row("classes", ", ".join(detector.contract.classes))
    _row("provider", detector.provider)
    _row("door", door.name)
    make_policy(door, detector)
    _row("actuators", ", ".join(f"{part.name} ({part.kind})" for part in door.actuators))
    source = make_source(door)
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


def measure(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    source: str | None = None,
    model: Path | None = None,
    frames: int = 200,
    against: Path | None = None,
    json_file: Path | None = None,
) -> None:
    """Print how long each stage of a frame takes on this machine.

    check_interrupt: called between frames; may raise to end it.
    source: whose frames to take in place of the configured source.
    model: what to measure in place of the configured model.
    frames: how many to time.
    against: another ONNX file, timed in turn with the detector on the same frames.
    json_file: gets all of it as plain values.
    """
    door = config.doors[0]
    spec = door.source if source is None else source
    detector = make_detector(config.model, model)
    policy, zones = make_policy(door, detector), make_zones(door)

    def judge(frame: Frame, faces: Detections) -> Decision:
        check_interrupt()
        height_px, width_px = frame.image.shape[:2]
        return policy.update(zones.select(faces, width_px, height_px), frame.time)

    pictures = _COMPARED_PICTURES if against else 1
    found = bench(frames_of(door, spec), detector, judge, partial(drawn, door), frames)
    images = [frame.image for frame in islice(frames_of(door, spec), pictures)]
    if found is None:
        raise SourceError(f"{spec}: too few frames found, expected more than those of a warm-up")
    height_px, width_px = images[0].shape[:2]
    _row("model", f"{detector.path.name}, sha256 {detector.sha256[:12]}")
    _row("runs on", f"{detector.provider}, {detector.threads} threads")
    _row("frames", f"{found.frames} of {spec}, {width_px} x {height_px} px")
    print(found)
    compared = _compared(images, detector, against, frames) if against else None
    memory_mb = peak_memory_mb()
    print(f"{memory_mb:.0f} MB of memory at most")
    if json_file:
        content: dict[str, Any] = {
            "model": {"file": detector.path.name, "sha256": detector.sha256},
            "provider": detector.provider,
            "threads": detector.threads,
            "source": {"name": str(spec), "width_px": width_px, "height_px": height_px},
            **found.to_dict(),
            "memory_mb": memory_mb,
            "against": {"file": against.name, **compared.to_dict()}
            if against and compared
            else None,
        }
        try:
            json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{json_file}: {error.strerror}; expected a file to write") from None


def _compared(images: Sequence[Image], detector: Detector, against: Path, pairs: int) -> Comparison:
    other = OtherModel(against, threads=detector.threads)
    compared = compare(images, detector, other, pairs)
    print(f"{'in turn':<14} {'p50 ms':>8} {'p95 ms':>8}")
    print(f"{'this detector':<14} {compared.ours}")
    print(f"{'the other':<14} {compared.other}   {against.name}: its resize and its network alone")
    print(f"ratio {compared.ratio:.2f}: the middle of {pairs} pairs")
    return compared


def _row(name: str, value: str) -> None:
    print(f"{name:<14} {value}")


def _picture(door: DoorSection, pipeline: Pipeline, result: Result) -> Image:
    speed = pipeline.summary.recent_frames_per_second
    return drawn(door, result.frame, result.decision, speed)


def _window(stack: ExitStack) -> Window | None:
    if display_works():
        return stack.enter_context(Window())
    print("monitor: no display: running without a window", file=sys.stderr)
    return None
