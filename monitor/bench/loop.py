"""Bench of the loop: what all that is done with a frame leaves of the detector's own speed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..frame import Image
from ..line import Line
from ..pipeline import Pipeline
from ..result import Result
from .stages import WARM_UP_FRAMES

# Seconds that have passed, and seconds of processor time that this process has taken.
Moment = tuple[float, float]


def _now() -> Moment:
    return time.perf_counter(), time.process_time()


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast frames went through something.

    frames_per_second: of wall time.
    cpu_ms: processor time of the whole process for each of them, in milliseconds.
    """

    frames_per_second: float
    cpu_ms: float

    @classmethod
    def between(cls, start: Moment, end: Moment, frames: int) -> Speed:
        """The speed of so many frames from one moment to another."""
        return cls(frames / (end[0] - start[0]), (end[1] - start[1]) * 1000 / frames)


@dataclass(frozen=True, slots=True)
class Round:
    """The three that are compared, one right after the other.

    bare: the detector alone.
    loop: all of the loop, with nobody at the live page.
    watched: the same with viewers.
    """

    bare: Speed
    loop: Speed
    watched: Speed


@dataclass(frozen=True, slots=True)
class LoopBench:
    """What several rounds came to; at least one.

    rounds: in order.
    """

    rounds: Sequence[Round]

    @property
    def speeds(self) -> Round:
        """The middle of the rounds, figure by figure."""
        return Round(
            _middle([each.bare for each in self.rounds]),
            _middle([each.loop for each in self.rounds]),
            _middle([each.watched for each in self.rounds]),
        )

    @property
    def ratios(self) -> dict[str, float]:
        """Of frames a second, the middle of the ratios within a round: these share one mood."""
        rates = [
            (
                each.bare.frames_per_second,
                each.loop.frames_per_second,
                each.watched.frames_per_second,
            )
            for each in self.rounds
        ]
        return {
            "loop_to_bare": statistics.median(loop / bare for bare, loop, _ in rates),
            "watched_to_bare": statistics.median(watched / bare for bare, _, watched in rates),
            "watched_to_loop": statistics.median(watched / loop for _, loop, watched in rates),
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        rounds = [asdict(each) for each in self.rounds]
        return {**asdict(self.speeds), "ratios": self.ratios, "rounds": rounds}

    def __str__(self) -> str:
        speeds, ratios = self.speeds, self.ratios
        return "\n".join(
            [
                f"{'':<14} {'frames/s':>8} {'cpu ms':>8} {'of bare':>8}",
                f"{'bare detector':<14} {_cells(speeds.bare)}",
                f"{'whole loop':<14} {_cells(speeds.loop)} {ratios['loop_to_bare']:8.2f}",
                f"{'with viewers':<14} {_cells(speeds.watched)} {ratios['watched_to_bare']:8.2f}",
                f"ratio {ratios['watched_to_loop']:.2f}: with viewers to without; "
                f"all are the middle of {len(self.rounds)} rounds",
            ]
        )


def _middle(speeds: Sequence[Speed]) -> Speed:
    return Speed(
        statistics.median(speed.frames_per_second for speed in speeds),
        statistics.median(speed.cpu_ms for speed in speeds),
    )


def _cells(speed: Speed) -> str:
    return f"{speed.frames_per_second:8.1f} {speed.cpu_ms:8.1f}"


def bare_speed(
    images: Sequence[Image],
    detector: Callable[[Image], object],
    count: int,
    *,
    check_interrupt: Callable[[], None] = lambda: None,
    now: Callable[[], Moment] = _now,
) -> Speed:
    """The speed of a detector alone, on pictures that lie in memory.

    images: uint8 [H, W, 3] each, at least one; gone through in a circle.
    count: frames to time, after a warm-up.
    """
    start = now()
    for number in range(WARM_UP_FRAMES + count):
        if number == WARM_UP_FRAMES:
            start = now()
        detector(images[number % len(images)])
        check_interrupt()
    return Speed.between(start, now(), count)


def loop_speed(
    line: Line,
    use: Callable[[Result], None],
    count: int,
    *,
    check_interrupt: Callable[[], None] = lambda: None,
    now: Callable[[], Moment] = _now,
) -> Speed | None:
    """The speed of a door's whole loop, from its source to the use of each result.

    line: of a recorded source, of which every frame is taken.
    use: what is done with a result on this thread, such as drawing and recording.
    count: frames to time, after a warm-up; fewer where the source ends sooner.

    None where the source has too few.
    """
    moments: list[Moment] = []
    with Pipeline([line]) as pipeline:
        for found in pipeline.results():
            check_interrupt()
            if found is not None:
                use(found[1])
                moments.append(now())
            if len(moments) > WARM_UP_FRAMES + count:
                break
    timed = moments[WARM_UP_FRAMES:]
    return Speed.between(timed[0], timed[-1], len(timed) - 1) if len(timed) > 1 else None
