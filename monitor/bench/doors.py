"""Bench of doors: what one process gives to several live cameras at once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import SourceError
from ..frame import Frame, Image
from ..line import Line
from ..pipeline import Pipeline
from ..record import fitted
from ..summary import Summary

WARM_UP_SECONDS = 1.0
_NOISES = 61


class Looped:
    """Recorded pictures as a live camera that never ends, and whose sensor is as noisy as any.

    name: what messages call it.
    images: uint8 [H, W, 3] each, shown in a circle; those of another size are fitted into that of
        the first.
    fps: how many of them a second.
    wait: waits for some seconds.
    """

    live = True
    frame_count_hint = None
    timeline = None

    def __init__(
        self,
        name: str,
        images: Sequence[Image],
        fps: float,
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.name = name
        self.fps = fps
        height_px, width_px = images[0].shape[:2]
        self._images = [fitted(image, width_px, height_px) for image in images]
        bits = np.random.default_rng(0).integers(0, 2, (height_px + _NOISES, width_px, 3), np.uint8)
        self._noises = [bits[start : start + height_px] for start in range(_NOISES)]
        self._wait = wait

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures, each when it is due and dated by when it is handed over."""
        started_at = time.monotonic()
        for index in itertools.count():
            self._wait(max(started_at + index / self.fps - time.monotonic(), 0.0))
            # Without noise it would be taken for a recorder that plays a loop.
            noise = self._noises[index % _NOISES]
            image = np.bitwise_xor(self._images[index % len(self._images)], noise)
            yield Frame(image, index, time.monotonic())

    def close(self) -> None:
        """Nothing to do: nothing is open."""


@dataclass(frozen=True, slots=True)
class DoorSpeed:
    """What one door got.

    frames_per_second: how many of its frames were decided on.
    p50_ms, p99_ms: from the capture of a frame to the decision, the middle and nearly the longest.
    """

    frames_per_second: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.frames_per_second:8.1f} {self.p50_ms:8.1f} {self.p99_ms:8.1f}"


@dataclass(frozen=True, slots=True)
class DoorBench:
    """What several doors got that were watched together.

    doors: each by its name.
    frames_per_second: of all of them.
    cpu_ms: processor time of the whole process for each frame that was decided on.
    """

    doors: dict[str, DoorSpeed]
    frames_per_second: float
    cpu_ms: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        rows = [f"{name:<14} {speed}" for name, speed in self.doors.items()]
        total = f"{'together':<14} {self.frames_per_second:8.1f}"
        return "\n".join([*rows, f"{total}, {self.cpu_ms:.1f} ms of processor time a frame"])


def bench_doors(
    lines: Sequence[Line],
    seconds: float,
    *,
    check_interrupt: Callable[[], None],
    warm_up_seconds: float = WARM_UP_SECONDS,
) -> DoorBench:
    """Watch doors for a while, after a warm-up, as `monitor run` does.

    lines: live, and without an end of their own.
    check_interrupt: called often; may raise to end it.

    Raises SourceError when a door never had its turn.
    """
    with Pipeline(lines) as pipeline:
        _watch(pipeline, warm_up_seconds, check_interrupt)
        for line in lines:
            line.summary = Summary()
        started, cpu_started = time.monotonic(), time.process_time()
        _watch(pipeline, seconds, check_interrupt)
        elapsed, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
    doors = {}
    for line in lines:
        ages_ms = line.summary.ages_ms
        if ages_ms is None:
            raise SourceError(f"{line.name}: no frame decided on in {seconds:g} s; give it longer")
        doors[line.name] = DoorSpeed(line.summary.frames / elapsed, *ages_ms)
    frames = sum(line.summary.frames for line in lines)
    return DoorBench(doors, frames / elapsed, cpu_seconds * 1000 / frames)


def _watch(pipeline: Pipeline, seconds: float, check_interrupt: Callable[[], None]) -> None:
    ends_at = time.monotonic() + seconds
    for _ in pipeline.results():
        check_interrupt()
        if time.monotonic() >= ends_at:
            return
