"""Repair of one PASCAL VOC annotation in place: what is not repaired stays byte for byte."""

from __future__ import annotations

import math
import shutil
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import PIL.Image

from monitor.replacing import replacing

from ..datasets import DatasetError, picture_size_px
from ..datasets.pascal import EDGES
from .box_repair import number_text, repaired_box


@dataclass(frozen=True, slots=True)
class _Element:
    """Where an element stands in its file, in bytes: all of it, and what is inside."""

    path: str
    start: int
    inside_start: int
    inside_end: int
    end: int


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: bytes


def repair_xml(xml_file: Path, picture: Path) -> list[str]:
    """Repair what is certain, and leave the file as it was beside it as `NAME.xml.orig`.

    xml_file: the annotation. picture: its picture.

    Boxes are repaired as `repaired_box` does; of two objects of the same class and place the second
    goes; a width and height of 0, or exchanged, are corrected if every box lies inside the picture
    and the picture is not stored turned. Any other size may be that of the picture before it was
    scaled, cut or stretched, whose boxes would be wrong too. An existing `.orig` is kept. A file
    that cannot be understood is left alone.

    Returns a line for each change. Raises DatasetError when the file cannot be written.
    """
    try:
        data = xml_file.read_bytes()
        elements = _elements(data)
        size_px = picture_size_px(picture)
    except (OSError, expat.ExpatError, ValueError, DatasetError):
        return []
    edits, said, boxes = _box_edits(data, elements, size_px)
    edges_px = (*size_px, *size_px)
    if all(0 <= v <= edge for box in boxes for v, edge in zip(box, edges_px, strict=True)):
        size_edits, size_said = _size_edits(data, elements, size_px, picture)
        edits, said = edits + size_edits, said + size_said
    if not edits:
        return []
    for edit in sorted(edits, key=lambda edit: -edit.start):
        data = data[: edit.start] + edit.text + data[edit.end :]
    try:
        ET.fromstring(data)
    except ET.ParseError:  # An encoding in which positions are not what they seem.
        return []
    replace_keeping_original(xml_file, data)
    return [f"{xml_file}: {line}" for line in said]


def replace_keeping_original(path: Path, data: bytes) -> None:
    """Write a file, after copying it to `NAME.orig` unless there is one.

    What a link leads to is written, and keeps its mode. Raises DatasetError when a file cannot be
    written; each is then as it was.
    """
    original = path.with_name(f"{path.name}.orig")
    try:
        if not original.exists():
            with replacing(original) as partial:
                shutil.copy2(path, partial)
        with replacing(path.resolve()) as partial:
            partial.write_bytes(data)
    except OSError as error:
        raise DatasetError(f"{path}: cannot repair the file: {error.strerror}") from None


def _elements(data: bytes) -> list[_Element]:
    """Every element of a file, in the order of their ends; raises ExpatError or ValueError."""
    found: list[_Element] = []
    open_elements: list[tuple[str, int]] = []
    parser = expat.ParserCreate()

    def start(name: str, _: dict[str, str]) -> None:
        path = f"{open_elements[-1][0]}/{name}" if open_elements else name
        open_elements.append((path, parser.CurrentByteIndex))

    def end(_: str) -> None:
        path, start = open_elements.pop()
        inside_start = data.index(b">", start) + 1
        if data[inside_start - 2 : inside_start] == b"/>":
            found.append(_Element(path, start, inside_start, inside_start, inside_start))
            return
        inside_end = parser.CurrentByteIndex
        end = data.index(b">", inside_end) + 1
        found.append(_Element(path, start, inside_start, inside_end, end))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    return found


def _box_edits(
    data: bytes, elements: list[_Element], size_px: tuple[int, int]
) -> tuple[list[_Edit], list[str], list[list[float]]]:
    """Edits of the objects, a line for each, and the boxes that are left."""
    edits: list[_Edit] = []
    said: list[str] = []
    boxes: list[list[float]] = []
    first_number: dict[tuple[str, ...], int] = {}
    objects = [element for element in elements if element.path == "annotation/object"]
    for number, whole in enumerate(objects, 1):
        inside: dict[str, _Element] = {}
        for element in elements:
            if whole.start < element.start < whole.end:
                inside.setdefault(element.path.removeprefix(f"{whole.path}/"), element)
        edges = [inside.get(f"bndbox/{edge}") for edge in EDGES]
        box = [_number(data, edge) for edge in edges]
        if not all(map(math.isfinite, box)):
            boxes.append(box)
            continue
        mended, done = repaired_box(box, size_px)
        name = _text(data, inside.get("name"))
        key = (name, *map(number_text, mended))
        if key in first_number:
            start = len(data[: whole.start].rstrip())
            edits.append(_Edit(start, whole.end, b""))
            said.append(f"object {number}: removed, the same as object {first_number[key]}")
            continue
        first_number[key] = number
        boxes.append(mended)
        said += [f"object {number}: {line}" for line in done]
        edits += [
            _Edit(edge.inside_start, edge.inside_end, number_text(new).encode())
            for edge, old, new in zip(edges, box, mended, strict=True)
            if edge is not None and old != new
        ]
    return edits, said, boxes


def _size_edits(
    data: bytes, elements: list[_Element], size_px: tuple[int, int], picture: Path
) -> tuple[list[_Edit], list[str]]:
    tags = [
        next((e for e in elements if e.path == f"annotation/size/{tag}"), None)
        for tag in ("width", "height")
    ]
    present = [tag for tag in tags if tag is not None and tag.end > tag.inside_end]
    stated = [_number(data, tag) for tag in present]
    if len(present) < len(tags) or stated == list(size_px):
        return [], []
    if not _is_slip(stated, size_px, picture):
        return [], []
    edits = [
        _Edit(tag.inside_start, tag.inside_end, str(side_px).encode())
        for tag, side_px in zip(present, size_px, strict=True)
    ]
    found = " x ".join(f"{value:g}" for value in stated)
    return edits, [f"size {found} px corrected to {size_px[0]} x {size_px[1]} px"]


def _is_slip(stated: list[float], size_px: tuple[int, int], picture: Path) -> bool:
    """Whether a stated size is plainly wrong, rather than that of the picture before a change."""
    width_px, height_px = stated
    if not (width_px > 0 and height_px > 0):
        return True
    return (height_px, width_px) == size_px and not _is_turned(picture, size_px)


def _is_turned(picture: Path, size_px: tuple[int, int]) -> bool:
    """Whether a picture is stored lying and shown upright; also where that cannot be told."""
    try:
        with PIL.Image.open(picture) as header:
            return header.size != size_px
    except (OSError, ValueError):
        return True


def _text(data: bytes, element: _Element | None) -> str:
    if element is None:
        return ""
    return data[element.inside_start : element.inside_end].decode("utf-8", "replace").strip()


def _number(data: bytes, element: _Element | None) -> float:
    try:
        return float(_text(data, element))
    except ValueError:
        return math.nan
