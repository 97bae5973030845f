"""What a bench prints at its beginning and its end, and what it leaves as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..apart import check_apart
from ..bench.baseline import ratios, read_baseline
from ..detector import Detector
from ..frame import Image
from ..report import ReportFile


class BenchReport:
    """Collects the figures of one bench.

    json_file: gets all of them as plain values; None for no file.
    baseline: what such a file got earlier, to print the ratios to it; None for nothing.
    reads: what else the bench reads, and must not write over; None for what was not asked for.

    Raises UsageError, before anything is timed, when one cannot be written or the other read.
    """

    def __init__(
        self,
        json_file: Path | None,
        baseline: Path | None,
        reads: Iterable[int | str | Path | None],
    ) -> None:
        check_apart({"--json": json_file}, [baseline, *reads])
        self._before = read_baseline(baseline) if baseline else None
        self._file = ReportFile(json_file) if json_file else None
        self._content: dict[str, Any] = {}

    def begin(self, detector: Detector, source: str, image: Image) -> None:
        """Say what is measured and on what.

        source: its name, without secrets.
        image: one of its pictures, uint8 [H, W, 3].
        """
        height_px, width_px = image.shape[:2]
        print_row("model", f"{detector.path.name}, sha256 {detector.sha256[:12]}")
        buffers = "bound buffers" if detector.bound else "plain session"
        graph = ", CUDA graph" if detector.graph else ""
        print_row("runs on", f"{detector.provider}, {buffers}{graph}, {detector.threads} threads")
        print_row("source", f"{source}, {width_px} x {height_px} px")
        self.add(
            {
                "model": {"file": detector.path.name, "sha256": detector.sha256},
                "provider": detector.provider,
                "bound": detector.bound,
                "graph": detector.graph,
                "threads": detector.threads,
                "source": {"name": source, "width_px": width_px, "height_px": height_px},
            }
        )

    def add(self, content: Mapping[str, Any]) -> None:
        """Take more figures, as plain values by name."""
        self._content.update(content)

    def conclude(self) -> None:
        """Print the ratios and write the file; raises MaskgateError when that fails."""
        if self._before is not None:
            print(f"{'against the baseline':<44} {'before':>10} {'now':>10} {'ratio':>8}")
            print("\n".join(ratios(self._content, self._before)))
        if self._file:
            self._file.write(json.dumps(self._content, indent=1) + "\n")


def print_row(name: str, value: str) -> None:
    """Print a value under its name."""
    print(f"{name:<14} {value}")
