"""Soak: the demo at full speed for an hour, while memory and open files are watched.

python tests/soak.py [SECONDS] prints a line after each time the demo was played, an hour long, and
exits with 1 when memory, in the middle of the last third, is more than 5 % above that of the first
third after a minute's warm-up, or when there are more files or threads. Linux only: /proc.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.config import Config
from monitor.detector import Detector
from monitor.parts import make_detector, make_line, make_source
from monitor.pipeline import Pipeline

HOUR_SECONDS = 3600.0
WARM_UP_SECONDS = 60.0
LEAST_PLAYS = 6
GROWTH = 1.05


@dataclass(frozen=True)
class Footprint:
    """What the process holds: resident memory in bytes, open files, threads."""

    memory_bytes: int
    files: int
    threads: int

    @classmethod
    def now(cls) -> Footprint:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
        return cls(pages * os.sysconf("SC_PAGE_SIZE"), files, threading.active_count())

    def __str__(self) -> str:
        return f"{self.memory_bytes / 1e6:7.1f} MB {self.files:4d} files {self.threads:4d} threads"


def main(seconds: float) -> int:
    detector = make_detector(Config().model)
    started = time.monotonic()
    frames, warm = 0, []
    while (spent := time.monotonic() - started) < seconds:
        frames += play(detector)
        latest = Footprint.now()
        print(f"{spent / 60:6.1f} min {frames:8d} frames {latest}", flush=True)
        if spent >= WARM_UP_SECONDS:
            warm.append(latest)
    if len(warm) < LEAST_PLAYS:
        print(
            f"played {len(warm)} times after the warm-up, expected {LEAST_PLAYS}", file=sys.stderr
        )
        return 1
    return 1 if grown(warm) else 0


def grown(footprints: Sequence[Footprint]) -> bool:
    """Whether the last third holds more than the first; says so."""
    third = len(footprints) // 3
    first, last = footprints[:third], footprints[-third:]
    # The allocator gives memory back when it likes: single lines go up and down.
    before, after = (statistics.median(f.memory_bytes for f in part) for part in (first, last))
    print(f"memory {before / 1e6:.1f} MB, then {after / 1e6:.1f} MB: {after / before - 1:+.1%}")
    # A thread that is just ending may still be counted; what is left behind is in every line.
    files, threads = (
        min(getattr(f, name) for f in last) > min(getattr(f, name) for f in first)
        for name in ("files", "threads")
    )
    return after > GROWTH * before or files or threads


def play(detector: Detector) -> int:
    """Watch the demo once from beginning to end; the number of its frames."""
    door = Config().doors[0]
    line = make_line(door, make_source(door, "demo"), detector, actuate=False, overwrite=False)
    with Pipeline([line]) as pipeline:
        return sum(result is not None for result in pipeline.results())


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else HOUR_SECONDS))
