"""`monitor bench --viewers`: what drawing, recording and viewers leave of the detector's speed."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from ..bench.loop import LoopBench, Round, Speed, bare_speed, loop_speed
from ..bench.viewers import Viewers
from ..capture import Capture
from ..config import Config
from ..detector import Detector
from ..errors import UsageError
from ..line import Line
from ..orientation import Orientation
from ..parts import make_detector, make_doorkeeper
from ..provider import Device
from ..record import Recorder
from ..result import Result
from ..sources import FPS_OF_LAST_RESORT
from ..view.annotate import annotated
from ..web.section import WebSection
from .bench_report import BenchReport
from .bench_source import BenchSource
from .page import open_page

_ROUNDS = 5


def measure_viewers(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    count: int,
    frames: int,
    source: str | None = None,
    model: Path | None = None,
    device: Device | None = None,
    json_file: Path | None = None,
    baseline: Path | None = None,
) -> None:
    """Print what the whole loop reaches of the bare detector's speed, without and with viewers.

    In each round the detector runs alone, then the loop with a recorded source, which draws and
    records every frame beside a live page that nobody sees, then the same with viewers.

    count: viewers of the video on the live page, which listens on this machine alone.
    frames: how many to time of each.

    The other arguments are as for `measure`. No actuator is told of anything.
    """
    looked_at = BenchSource.of(config, source)
    report = BenchReport(json_file, baseline, [looked_at.spec, model])
    if looked_at.opened().live:
        raise UsageError(f"bench: {looked_at.name} is live; expected a recorded source")
    detector = make_detector(config.model, model, device)
    images = looked_at.pictures()
    report.begin(detector, looked_at.name, images[0])
    rounds, seen = [], []
    with ExitStack() as stack:
        loop = _Loop(stack, looked_at, detector, frames, check_interrupt)
        for _ in range(_ROUNDS):
            bare = bare_speed(images, detector, frames, check_interrupt=check_interrupt)
            unseen = loop.speed()
            with Viewers(loop.address, looked_at.door.name, count) as viewers:
                watched = loop.speed()
            seen.append(viewers.pictures_per_second)
            rounds.append(Round(bare, unseen, watched))
    found = LoopBench(rounds)
    print(found)
    middle = statistics.median(seen)
    print(f"each of the viewers, {count} at once, got {middle:.1f} pictures a second")
    report.add({**found.to_dict(), "frames": frames, "viewers": count})
    report.add({"pictures_per_second": middle})
    report.conclude()


class _Loop:
    """All that `monitor run` and `replay --video` do with a frame, as often as it is wanted.

    stack: holds the live page and the file that is recorded.
    """

    def __init__(
        self,
        stack: ExitStack,
        looked_at: BenchSource,
        detector: Detector,
        frames: int,
        check_interrupt: Callable[[], None],
    ) -> None:
        page = open_page(stack, WebSection(serve="always", port=0))
        assert page
        self.address = page.address
        self._shown = page.add(looked_at.door.name, live=False)
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._looked_at, self._detector = looked_at, detector
        self._frames = frames
        self._check_interrupt = check_interrupt

    def speed(self) -> Speed:
        """How fast it is; raises SourceError where the source has too few frames."""
        door, source = self._looked_at.door, self._looked_at.opened()
        keeper = make_doorkeeper(door, source, self._detector, (), watchers=[self._shown])
        capture = Capture(source, orientation=Orientation(door.rotate_degrees, door.mirror))
        line = Line(door.name, capture, keeper, overwrite=False)
        fps = source.fps or FPS_OF_LAST_RESORT
        with Recorder(self._folder / "loop.mp4") as recorder:

            def use(result: Result) -> None:
                speed = line.summary.recent_frames_per_second
                recorder.write(annotated(result.frame, result.decision, speed), fps)

            found = loop_speed(line, use, self._frames, check_interrupt=self._check_interrupt)
        if found is None:
            raise self._looked_at.too_short()
        return found
