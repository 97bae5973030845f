"""Data sets in one CSV file: `path,x1,y1,x2,y2,class` a face, `path,,,,,` a picture without one.

A second file numbers the classes: `name,id`. Picture paths are relative to the CSV file's folder.
Either file may start with a line of exactly these column names.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

from monitor.errors import UsageError

from .sample import DatasetError, Sample, as_boxes, box_problem, refuse

FACE_COLUMNS = ["path", "x1", "y1", "x2", "y2", "class"]
CLASS_COLUMNS = ["name", "id"]
Face = tuple[str, list[float]]


def read_csv(data: Path, classes: Path) -> tuple[list[Sample], list[str]]:
    """Read the samples, in order of first appearance, and the class names in order of their ids.

    data: the CSV file of faces.
    classes: the CSV file of class names and ids; the ids are 0 to the number of classes - 1.

    Raises UsageError when a file cannot be opened, and DatasetError listing every wrong line.
    """
    names = _read_classes(classes)
    faces: dict[Path, list[Face]] = {}
    negatives: dict[Path, str] = {}
    problems = []
    for where, row in _rows(data, FACE_COLUMNS):
        try:
            path, face = _face(row, data.parent, names)
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        faces.setdefault(path, [])
        if face:
            faces[path].append(face)
        else:
            negatives[path] = where
    problems += [
        f"{where}: found no face for {path}, but other lines give it some"
        for path, where in negatives.items()
        if faces[path]
    ]
    refuse(problems)
    if not faces:
        raise DatasetError(f"{data}: found no picture, expected at least one")
    samples = [
        Sample(path, as_boxes([box for _, box in found]), tuple(label for label, _ in found))
        for path, found in faces.items()
    ]
    return samples, names


def _rows(path: Path, columns: list[str]) -> list[tuple[str, list[str]]]:
    """(`file:line`, stripped cells) of each line that is neither empty nor the header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            rows = [(f"{path}:{reader.line_num}", [cell.strip() for cell in row]) for row in reader]
    except OSError as error:
        raise UsageError(f"{path}: cannot read the file: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: cannot read the file as CSV in UTF-8: {error}") from None
    header = 1 if rows and rows[0][1] == columns else 0
    return [(where, row) for where, row in rows[header:] if row]


def _read_classes(path: Path) -> list[str]:
    ids: dict[str, int] = {}
    problems = []
    for where, row in _rows(path, CLASS_COLUMNS):
        if len(row) != 2 or not row[0] or not row[1].isdecimal():
            problems.append(f"{where}: found {','.join(row)!r}, expected name,id")
        elif row[0] in ids:
            problems.append(f"{where}: found the class {row[0]!r} again, expected it once")
        else:
            ids[row[0]] = int(row[1])
    if not problems and sorted(ids.values()) != list(range(len(ids))):
        problems.append(
            f"{path}: found the ids {sorted(ids.values())}, "
            f"expected each of 0 to {len(ids) - 1} once"
        )
    if not problems and not ids:
        problems.append(f"{path}: found no class, expected at least one line name,id")
    refuse(problems)
    return sorted(ids, key=ids.__getitem__)


def _face(row: list[str], folder: Path, names: list[str]) -> tuple[Path, Face | None]:
    """Picture and face of one line, None for a negative; raises ValueError with found, expected."""
    if len(row) != len(FACE_COLUMNS) or not row[0]:
        raise ValueError(f"found {','.join(row)!r}, expected {','.join(FACE_COLUMNS)}")
    path = folder / row[0]
    if not path.is_file():
        raise ValueError(f"found no picture {path}, expected one")
    if not any(row[1:]):
        return path, None
    label = row[5]
    if label not in names:
        raise ValueError(f"found the class {label!r}, expected one of {', '.join(names)}")
    try:
        box = [float(cell) for cell in row[1:5]]
    except ValueError:
        box = [math.nan]
    if not all(map(math.isfinite, box)):
        raise ValueError(f"found x1,y1,x2,y2 {','.join(row[1:5])!r}, expected four numbers")
    problem = box_problem(box)
    if problem:
        raise ValueError(problem)
    return path, (label, box)
