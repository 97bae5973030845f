"""Data sets in the PASCAL VOC layout, as labelImg writes it.

    DIR/JPEGImages/NAME.jpg (or another format)    DIR/Annotations/NAME.xml
    DIR/ImageSets/Main/LIST.txt, one NAME a line, or NAME and a column of 1, 0, -1 (optional)

Coordinates are taken as they stand: labelImg writes pixel edges counted from 0, up to and including
width and height, not the inclusive 1-based pixels of the VOC challenge. A picture is a negative
only if it has an XML file without objects; labelImg writes one when an empty picture is saved.
Boxes are checked against the picture itself, whatever size its XML states.
"""

from __future__ import annotations

import logging
import math
import xml.etree.ElementTree as ET
from pathlib import Path

from monitor.errors import UsageError

from .dataset import DataSet
from .fault import Fault, reason
from .gathering import Gathering
from .picture import PICTURE_SUFFIXES, is_file

EDGES = ("xmin", "ymin", "xmax", "ymax")
LISTS = ("train", "val", "trainval", "test")
MEMBERSHIP = ("-1", "0", "1")
log = logging.getLogger(__name__)


def read_pascal(
    folder: Path, split: str | None = None, image_extension: str | None = None
) -> DataSet:
    """Read the labelled pictures of a folder, in order of the list or of their names.

    folder: the data set's DIR.
    split: name of a list in ImageSets/Main, without `.txt`; None takes all pictures.
    image_extension: only pictures whose file name ends so, such as ".png", are looked at; None
        takes every format.

    A picture without an XML file has not been labelled: it is left out, with a warning that counts
    them. Classes are those that occur. Raises UsageError when a folder or list is missing.
    """
    for needed in (folder / "JPEGImages", folder / "Annotations"):
        if not needed.is_dir():
            raise UsageError(f"{needed}: no such folder; expected a data set in PASCAL VOC layout")
    gathering = Gathering()
    pictures = _pictures(folder / "JPEGImages", image_extension, gathering)
    if split is not None:
        names = _split(folder, split, pictures, gathering)
    else:
        names = sorted(pictures)
        if image_extension is None:
            _blame_orphans(folder, pictures, gathering)
    unlabelled = 0
    for name in names:
        xml_file = folder / "Annotations" / f"{name}.xml"
        if is_file(xml_file):
            _read_annotation(xml_file, pictures[name], gathering)
        else:
            unlabelled += 1
    if unlabelled:
        log.warning("%s: pictures left out because they have no XML file: %d", folder, unlabelled)
    return gathering.data_set()


def pascal_lists(folder: Path) -> tuple[str, ...]:
    """Which of the lists train, val, trainval and test divide the data set in a folder.

    The list trainval is the sum of the two before it, and named only where there is neither.

    Raises UsageError where there is one of the two: the rest of trainval would be on no list, or
    what both hold on two.
    """
    found = [name for name in LISTS if is_file(_list_file(folder, name))]
    parts = [name for name in ("train", "val") if name in found]
    if "trainval" in found and parts:
        if len(parts) == 1:
            raise UsageError(
                f"{folder}: found the lists {parts[0]} and trainval, expected both train and val "
                "beside it, or neither"
            )
        found.remove("trainval")
    return tuple(found)


def pascal_labelled(folder: Path, image_extension: str | None = None) -> set[str]:
    """Names of the pictures in a folder that have an XML file; none of either is read.

    folder, image_extension: see `read_pascal`.
    """
    names = _pictures(folder / "JPEGImages", image_extension, Gathering())
    return {name for name in names if is_file(folder / "Annotations" / f"{name}.xml")}


def _list_file(folder: Path, name: str) -> Path:
    return folder / "ImageSets" / "Main" / f"{name}.txt"


def _pictures(folder: Path, extension: str | None, gathering: Gathering) -> dict[str, Path]:
    suffixes = PICTURE_SUFFIXES if extension is None else {f".{extension.lower().lstrip('.')}"}
    pictures: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes:
            continue
        first = pictures.setdefault(path.stem, path)
        if first != path:
            for one, other in ((path, first), (first, path)):
                found = f"found the name of {other.name} again, expected one picture a name"
                gathering.blame(Fault("ambiguous picture", found), one, one)
    return pictures


def _split(folder: Path, split: str, pictures: dict[str, Path], gathering: Gathering) -> list[str]:
    path = _list_file(folder, split)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot read the list {split!r}: {reason(error)}") from None
    first_lines: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        name = _listed_name(line, pictures)
        if not name:
            continue
        where = f"{path}:{number}"
        if name not in pictures:
            fault = Fault("missing picture", f"found {name!r}, expected a picture in JPEGImages")
            gathering.blame(fault, where, None)
        elif name in first_lines:
            again = f"found {name!r} again, first on line {first_lines[name]}"
            gathering.blame(Fault("malformed line", again), where, None)
        else:
            first_lines[name] = number
    return list(first_lines)


def _listed_name(line: str, pictures: dict[str, Path]) -> str:
    """The name on a line; a name may hold spaces, and even end like the second column."""
    name = line.strip()
    before, _, last = name.rpartition(" ")
    return before.strip() if name not in pictures and last in MEMBERSHIP else name


def _blame_orphans(folder: Path, pictures: dict[str, Path], gathering: Gathering) -> None:
    for xml_file in sorted((folder / "Annotations").iterdir()):
        if xml_file.suffix == ".xml" and xml_file.stem not in pictures:
            missing = f"found no picture {xml_file.stem!r} in JPEGImages, expected one"
            gathering.blame(Fault("missing picture", missing), xml_file, None)


def _read_annotation(xml_file: Path, picture: Path, gathering: Gathering) -> None:
    """Take in one picture with the boxes of its XML, or what is wrong with it."""
    gathering.add_picture(picture, xml_file)
    try:
        root = ET.parse(xml_file).getroot()
    except (ET.ParseError, OSError, LookupError, ValueError, RecursionError) as error:
        damaged = Fault("unreadable annotation", f"cannot parse the XML: {reason(error)}")
        gathering.blame(damaged, xml_file, picture)
        return
    if root.tag != "annotation":
        foreign = Fault("unreadable annotation", f"found <{root.tag}>, expected <annotation>")
        gathering.blame(foreign, xml_file, picture)
        return
    for number, node in enumerate(root.findall("object"), 1):
        try:
            gathering.add_box(picture, [_edge(node, edge) for edge in EDGES], _label(node))
        except Fault as fault:
            gathering.blame(fault, f"{xml_file}: object {number}", picture)


def _label(node: ET.Element) -> str:
    label = node.findtext("name", "").strip()
    if not label:
        raise Fault("unreadable annotation", "found no <name>, expected a class name")
    return label


def _edge(node: ET.Element, edge: str) -> float:
    text = node.findtext(f"bndbox/{edge}")
    if text is None:
        missing = f"found no <bndbox> with <{edge}>, expected one"
        raise Fault("unreadable annotation", missing)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        wrong = f"found <{edge}> {text!r}, expected a number of pixels"
        raise Fault("unreadable annotation", wrong)
    return value
