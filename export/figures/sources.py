"""Sources: the same figures for each part of a data set, by where its pictures came from.

Gathered data sets say so in front of the file's name, as in `street_0012.jpg`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.detections import Detections

from ..datasets.sample import Sample
from .figures import Figures, measure
from .table import table
from .thresholds import Thresholds

SEPARATOR = "_"


def source_of(path: Path) -> str:
    """What a picture's name says before its first underscore; all of it where there is none."""
    return path.stem.partition(SEPARATOR)[0] or path.stem


def measure_by_source(
    samples: Sequence[Sample], found: Sequence[Detections], thresholds: Thresholds
) -> dict[str, Figures]:
    """The figures of each source, by name; arguments as for `measure`."""
    parts: dict[str, list[int]] = {}
    for number, sample in enumerate(samples):
        parts.setdefault(source_of(sample.path), []).append(number)
    return {
        name: measure(
            [samples[number] for number in numbers],
            [found[number] for number in numbers],
            intervals=True,
            thresholds=thresholds,
        )
        for name, numbers in sorted(parts.items())
    }


def sources_table(sources: Mapping[str, Figures]) -> str:
    """A line for each source; a figure that does not exist is a dash."""
    rows = [["source", "pictures", "boxes", "AP50", "door AUC"]]
    for name, figures in sources.items():
        mean, door = figures.slices[0].mean, figures.door
        values = ((mean.ap50, mean.ap50_interval), (door and door.auc, door and door.auc_interval))
        cells = ["-" if value is None else f"{value:.3f} {span}" for value, span in values]
        rows.append([name, str(figures.pictures), str(mean.boxes), *cells])
    return table(rows)
