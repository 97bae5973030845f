"""Repair of a CSV of boxes: only the lines at fault change."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

from ..datasets import DatasetError, picture_size_px
from ..datasets.csv import OBJECT_COLUMNS
from ..datasets.picture import find_picture
from .box_repair import number_text, repaired_box
from .xml_repair import replace_keeping_original

LINES = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$")


def repair_csv(annotations: Path) -> list[str]:
    """Repair what is certain, and leave the file as it was beside it as `NAME.orig`.

    annotations: a CSV file of `path,x1,y1,x2,y2,class`.

    Boxes are repaired as `repaired_box` does; a line that says the same as one before it goes. A
    line that cannot be understood is left alone, and so is a file with line breaks inside a cell.

    Returns a line for each change. Raises DatasetError when the file cannot be written.
    """
    try:
        text = annotations.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    lines = LINES.findall(text)
    if any(line.count('"') % 2 for line in lines):
        return []
    said: list[str] = []
    kept: list[str] = []
    first_number: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(lines, 1):
        new, key, done = _repaired(line, annotations.parent)
        if key in first_number:
            said.append(f"{annotations}:{number}: removed, same as line {first_number[key]}")
            continue
        if key:
            first_number[key] = number
        said += [f"{annotations}:{number}: {what}" for what in done]
        kept.append(new)
    if said:
        replace_keeping_original(annotations, "".join(kept).encode("utf-8"))
    return said


def _repaired(line: str, folder: Path) -> tuple[str, tuple[str, ...], list[str]]:
    """The line, what it says (nothing where it is no sound object), and what was done to it."""
    row = next(csv.reader([line.strip("\r\n")]), [])
    cells = [cell.strip() for cell in row[: len(OBJECT_COLUMNS)]]
    if len(cells) < len(OBJECT_COLUMNS):
        return line, (), []
    try:
        box = [float(cell) for cell in cells[1:5]]
        picture = find_picture(cells[0].lstrip("\ufeff"), [folder])
        size_px = picture_size_px(picture)
    except (ValueError, DatasetError):
        return line, (), []
    if not all(map(math.isfinite, box)):
        return line, (), []
    mended, done = repaired_box(box, size_px)
    key = (str(picture), *map(number_text, mended), cells[5])
    return (_rewritten(line, row, mended) if done else line), key, done


def _rewritten(line: str, row: list[str], box: list[float]) -> str:
    ending = line[len(line.rstrip("\r\n")) :]
    for column, value in enumerate(box, 1):
        old = row[column].strip()
        if float(old) != value:
            row[column] = row[column].replace(old, number_text(value))
    quoted = [f'"{cell.replace(chr(34), chr(34) * 2)}"' if '"' in line else cell for cell in row]
    return ",".join(quoted) + ending
