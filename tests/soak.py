"""Soak: the demo at full speed for an hour, while memory and open files are watched.

python tests/soak.py [SECONDS] prints sixty lines, of an hour one a minute, and exits with 1 when memory
has grown by more than 5 % since the first minute, or there are more files or threads than then. Linux
only: /proc.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from monitor.config import Config
from monitor.detector import Detector
from monitor.parts import make_detector, make_line, make_source
from monitor.pipeline import Pipeline

HOUR_SECONDS = 3600.0
WARM_UP_SECONDS = 60.0
LINES = 60
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

    def outgrows(self, first: Footprint) -> bool:
        grown = self.memory_bytes > GROWTH * first.memory_bytes
        return grown or self.files > first.files or self.threads > first.threads

    def __str__(self) -> str:
        return f"{self.memory_bytes / 1e6:7.1f} MB {self.files:4d} files {self.threads:4d} threads"


def main(seconds: float) -> int:
    detector = make_detector(Config().model)
    started = time.monotonic()
    first: Footprint | None = None
    frames = 0
    for line in range(1, LINES + 1):
        while time.monotonic() < started + line * seconds / LINES:
            frames += play(detector)
        latest = Footprint.now()
        minutes = (time.monotonic() - started) / 60
        print(f"{minutes:6.1f} min {frames:8d} frames {latest}", flush=True)
        if first is None and minutes * 60 >= WARM_UP_SECONDS:
            first = latest
        if first is not None and latest.outgrows(first):
            print(f"more than at first: {first}", file=sys.stderr)
            return 1
    return 0


def play(detector: Detector) -> int:
    """Watch the demo once from beginning to end; the number of its frames."""
    door = Config().doors[0]
    line = make_line(door, make_source(door, "demo"), detector, actuate=False, overwrite=False)
    with Pipeline([line]) as pipeline:
        return sum(result is not None for result in pipeline.results())


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else HOUR_SECONDS))
