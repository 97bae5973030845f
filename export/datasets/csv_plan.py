"""Writing CSV data sets, as `read_csv` reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .plan import Plan, number_text, relative_path
from .sample import Sample


def csv_plan(
    tables: Mapping[Path, Sequence[Sample]], classes: Sequence[str], class_file: Path
) -> Plan:
    """Plan one CSV file for each part of a data set, and one of the classes.

    tables: what each CSV file is to hold; pictures are named relative to its folder.
    classes: class names in order of the ids that they get.
    """
    texts = {
        file: _text(row for sample in samples for row in _rows(sample, file.parent))
        for file, samples in tables.items()
    }
    texts[class_file] = _text((name, str(index)) for index, name in enumerate(classes))
    return Plan(texts)


def _rows(sample: Sample, folder: Path) -> list[list[str]]:
    path = relative_path(sample.path, folder)
    if not sample.labels:
        return [[path, "", "", "", "", ""]]
    return [
        [path, *map(number_text, box), label]
        for box, label in zip(sample.boxes, sample.labels, strict=True)
    ]


def _text(rows: Iterable[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
