"""Data sets in the PASCAL VOC layout, as labelImg writes it.

    DIR/JPEGImages/NAME.jpg (or jpeg, png, bmp)    DIR/Annotations/NAME.xml
    DIR/ImageSets/Main/SPLIT.txt, one NAME a line (optional)

Coordinates are taken as they stand: labelImg writes pixel edges counted from 0, up to and including
width and height, not the inclusive 1-based pixels of the VOC challenge. A picture is a negative
only if it has an XML file without objects; labelImg writes one when an empty picture is saved.
"""

from __future__ import annotations

import logging
import math
import xml.etree.ElementTree as ET
from pathlib import Path

from monitor.errors import UsageError

from .sample import (
    PICTURE_SUFFIXES,
    DatasetError,
    Sample,
    as_boxes,
    box_problem,
    read_picture,
    refuse,
)

EDGES = ("xmin", "ymin", "xmax", "ymax")
log = logging.getLogger(__name__)


def read_pascal(folder: Path, split: str | None = None) -> list[Sample]:
    """Read the labelled pictures of a folder, in order of the list or of their names.

    folder: the data set's DIR.
    split: name of a list in ImageSets/Main, without `.txt`; None takes all pictures.

    A picture without an XML file has not been labelled: it is left out, with a warning that counts
    them. Raises UsageError when a folder or list is missing, and DatasetError listing everything
    wrong in the files.
    """
    for needed in (folder / "JPEGImages", folder / "Annotations"):
        if not needed.is_dir():
            raise UsageError(f"{needed}: no such folder; expected a data set in PASCAL VOC layout")
    pictures = _pictures(folder / "JPEGImages")
    names = sorted(pictures) if split is None else _split(folder, split, pictures)
    samples, problems, unlabelled = [], [], 0
    for name in names:
        xml_file = folder / "Annotations" / f"{name}.xml"
        if not xml_file.is_file():
            unlabelled += 1
            continue
        try:
            samples.append(_sample(pictures[name], xml_file))
        except DatasetError as error:
            problems += str(error).splitlines()
    refuse(problems)
    if unlabelled:
        log.warning("%s: pictures left out because they have no XML file: %d", folder, unlabelled)
    if not samples:
        raise DatasetError(f"{folder}: found no labelled picture, expected at least one")
    return samples


def _pictures(folder: Path) -> dict[str, Path]:
    pictures: dict[str, Path] = {}
    problems = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            continue
        if path.stem in pictures:
            first = pictures[path.stem].name
            problems.append(f"{path}: found the name of {first} again, expected one picture a name")
        pictures[path.stem] = path
    refuse(problems)
    return pictures


def _split(folder: Path, split: str, pictures: dict[str, Path]) -> list[str]:
    path = folder / "ImageSets" / "Main" / f"{split}.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot read the list of the split {split!r}: {error}") from None
    numbered = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    names: dict[str, int] = {}
    problems = []
    for number, name in numbered:
        if name not in pictures:
            problems.append(f"{path}:{number}: found {name!r}, expected a picture in JPEGImages")
        if name in names:
            problems.append(f"{path}:{number}: found {name!r} again, first on line {names[name]}")
        names.setdefault(name, number)
    refuse(problems)
    return list(names)


def _sample(picture: Path, xml_file: Path) -> Sample:
    """One picture's boxes and labels; raises DatasetError listing all that is wrong in its XML."""
    try:
        root = ET.parse(xml_file).getroot()
    except (ET.ParseError, OSError, LookupError, ValueError) as error:
        raise DatasetError(f"{xml_file}: cannot parse the XML: {error}") from None
    if root.tag != "annotation":
        raise DatasetError(f"{xml_file}: found <{root.tag}>, expected <annotation>")
    size_px = _size_px(root) or read_picture(picture).shape[1::-1]
    boxes, labels, problems = [], [], []
    for number, node in enumerate(root.findall("object"), 1):
        try:
            label, box = _object(node, size_px)
        except ValueError as error:
            problems.append(f"{xml_file}: object {number}: {error}")
            continue
        labels.append(label)
        boxes.append(box)
    refuse(problems)
    return Sample(picture, as_boxes(boxes), tuple(labels))


def _size_px(root: ET.Element) -> tuple[int, int] | None:
    """Width and height that the XML states; None where it states none, or the 0 of some tools."""
    try:
        width_px = int(root.findtext("size/width", "0"))
        height_px = int(root.findtext("size/height", "0"))
    except ValueError:
        return None
    return (width_px, height_px) if width_px > 0 and height_px > 0 else None


def _object(node: ET.Element, size_px: tuple[int, int]) -> tuple[str, list[float]]:
    """Label and box of one <object>; raises ValueError saying what was found and expected."""
    label = node.findtext("name", "").strip()
    if not label:
        raise ValueError("found no <name>, expected a class name")
    box = [_edge(node, edge) for edge in EDGES]
    problem = box_problem(box, size_px)
    if problem:
        raise ValueError(problem)
    return label, box


def _edge(node: ET.Element, edge: str) -> float:
    text = node.findtext(f"bndbox/{edge}")
    if text is None:
        raise ValueError(f"found no <bndbox> with <{edge}>, expected one")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"found <{edge}> {text!r}, expected a number of pixels")
    return value
