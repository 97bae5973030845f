"""Data sets in one CSV file, as keras-retinanet reads them.

`path,x1,y1,x2,y2,class` is an object, `path,,,,,` a picture, which is a negative if no other line
gives it an object. Picture paths are relative to the CSV file's folder. A second file numbers the
classes: `name,id`. Either file may start with a line of exactly these column names. Cells after
these are ignored in the first file, as are spaces around a cell in both.
"""

from __future__ import annotations

import csv
import logging
import math
from pathlib import Path

from monitor.errors import UsageError

from .dataset import DataSet
from .fault import DatasetError, Fault, refuse
from .gathering import Gathering
from .picture import find_picture

OBJECT_COLUMNS = ["path", "x1", "y1", "x2", "y2", "class"]
CLASS_COLUMNS = ["name", "id"]
LARGEST_ID_DIGITS = 9
log = logging.getLogger(__name__)


def read_csv(data: Path, classes: Path) -> DataSet:
    """Read the pictures, in order of first appearance, and the class names in order of their ids.

    data: the CSV file of objects.
    classes: the CSV file of class names and ids. Ids may start anywhere and have gaps; the score
        columns are then numbered in order of id, and a warning says so.

    Raises UsageError when a file cannot be opened, and DatasetError when one is not CSV in UTF-8 or
    a line of the classes is wrong.
    """
    gathering = Gathering(_read_classes(classes))
    for where, row in _rows(data, OBJECT_COLUMNS):
        cells = row[: len(OBJECT_COLUMNS)]
        picture = find_picture(cells[0], [data.parent]) if cells[0] else None
        try:
            if picture is None or len(cells) < len(OBJECT_COLUMNS):
                raise _malformed(cells)
            gathering.add_picture(picture, where)
            if any(cells[1:]):
                gathering.add_box(picture, _box(cells), cells[5])
        except Fault as fault:
            gathering.blame(fault, where, picture)
    return gathering.data_set()


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
    return [(where, row) for where, row in rows[header:] if row not in ([], [""])]


def _read_classes(path: Path) -> tuple[str, ...]:
    ids: dict[str, int] = {}
    lines: dict[int, str] = {}
    problems = []
    for where, row in _rows(path, CLASS_COLUMNS):
        if len(row) != 2 or not row[0]:
            problems.append(f"{where}: found {','.join(row)!r}, expected name,id")
        elif not row[1].isdecimal() or len(row[1]) > LARGEST_ID_DIGITS:
            problems.append(f"{where}: found the id {row[1]!r}, expected a whole number from 0")
        elif row[0] in ids:
            problems.append(f"{where}: found the class {row[0]!r} again, expected it once")
        elif int(row[1]) in lines:
            problems.append(
                f"{where}: found the id {row[1]} again, expected it once; it is the one of "
                f"{lines[int(row[1])]!r}; to fold two classes use --merge FROM=TO"
            )
        else:
            ids[row[0]] = int(row[1])
            lines[int(row[1])] = row[0]
    if not problems and not ids:
        problems.append(f"{path}: found no class, expected at least one line name,id")
    refuse(problems)
    names = tuple(sorted(ids, key=ids.__getitem__))
    if sorted(lines) != list(range(len(lines))):
        columns = ", ".join(f"{name} {column}" for column, name in enumerate(names))
        log.warning("%s: ids are not 0 to %d; columns are numbered %s", path, len(ids) - 1, columns)
    return names


def _box(cells: list[str]) -> list[float]:
    """x1, y1, x2, y2 of one line, pixels; raises Fault "malformed line"."""
    box = []
    for column, cell in zip(OBJECT_COLUMNS[1:5], cells[1:5], strict=True):
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise Fault("malformed line", f"found {column} {cell!r}, expected a number of pixels")
        box.append(value)
    return box


def _malformed(cells: list[str]) -> Fault:
    found, expected = ",".join(cells), ",".join(OBJECT_COLUMNS)
    return Fault("malformed line", f"found {found!r}, expected {expected} or path,,,,,")
