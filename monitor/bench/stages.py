"""Bench: how long each stage of a frame takes, and how that compares with another model."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from ..decision import Decision
from ..detections import Detections
from ..detector import Detector
from ..frame import Frame, Image

WARM_UP_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, milliseconds: the middle, and what 95 % of the times stay below."""

    p50_ms: float
    p95_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of times in seconds, at least one."""
        middle, high = np.percentile(np.asarray(seconds) * 1000, [50, 95]).tolist()
        return cls(middle, high)

    def __str__(self) -> str:
        return f"{self.p50_ms:8.2f} {self.p95_ms:8.2f}"


@dataclass(frozen=True, slots=True)
class Bench:
    """What a bench came to.

    frames: how many were timed, after a few that were not.
    stages: the spread of each, in the order in which a frame goes through them.
    frame: the spread of their sum, from asking for the frame to its drawing.
    frames_per_second: what one thread manages that does all of them in turn.
    """

    frames: int
    stages: dict[str, Spread]
    frame: Spread
    frames_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        rows = [*self.stages.items(), ("whole frame", self.frame)]
        lines = [f"{'stage':<14} {'p50 ms':>8} {'p95 ms':>8}"]
        lines += [f"{name:<14} {spread}" for name, spread in rows]
        return "\n".join([*lines, f"{self.frames_per_second:.1f} frames per second on one thread"])


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same frames, in turn.

    ours, other: the spread of each.
    ratio: the middle of the ratios, ours to other, frame by frame; below 1 ours is faster.
    """

    ours: Spread
    other: Spread
    ratio: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def bench(
    frames: Iterable[Frame],
    detector: Detector,
    judge: Callable[[Frame, Detections], Decision],
    draw: Callable[[Frame, Decision], object],
    count: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Bench | None:
    """Take frames through every stage, one by one and on one thread; None if there is none.

    frames: of a source; getting the next one is the first stage.
    judge: decides on a frame and its detections. draw: draws that.
    count: frames to time, fewer where the source ends sooner.
    clock: seconds.
    """
    times: dict[str, list[float]] = {}
    iterator = iter(islice(frames, WARM_UP_FRAMES + count))
    for number in range(WARM_UP_FRAMES + count):
        marks = [clock()]
        frame = next(iterator, None)
        if frame is None:
            break
        marks.append(clock())
        small = detector.shrink(frame.image)
        marks.append(clock())
        outputs = detector.infer(small)
        marks.append(clock())
        faces = detector.detections(outputs, small, frame.image)
        marks.append(clock())
        decision = judge(frame, faces)
        marks.append(clock())
        draw(frame, decision)
        marks.append(clock())
        if number >= WARM_UP_FRAMES:
            names = ("read", "resize", "network", "detections", "decide", "draw")
            for name, seconds in zip(names, np.diff(marks).tolist(), strict=True):
                times.setdefault(name, []).append(seconds)
    if not times:
        return None
    sums = np.sum(list(times.values()), axis=0)
    stages = {name: Spread.of(seconds) for name, seconds in times.items()}
    return Bench(len(sums), stages, Spread.of(sums.tolist()), 1 / float(sums.mean()))


def compare(
    images: Sequence[Image],
    ours: Callable[[Image], object],
    other: Callable[[Image], object],
    count: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Time two models in turn, A B A B, so that both meet the machine in the same mood.

    images: uint8 [H, W, 3] each, at least one; gone through in a circle.
    count: pairs to time.
    """
    seconds = np.zeros((WARM_UP_FRAMES + count, 2))
    for number, row in enumerate(seconds):
        image = images[number % len(images)]
        for column, model in enumerate((ours, other)):
            started = clock()
            model(image)
            row[column] = clock() - started
    timed = seconds[WARM_UP_FRAMES:]
    ratio = float(np.median(timed[:, 0] / timed[:, 1]))
    return Comparison(Spread.of(timed[:, 0].tolist()), Spread.of(timed[:, 1].tolist()), ratio)


def peak_memory_mb() -> float:
    """The most memory that this process has held, megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
