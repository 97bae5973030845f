"""Data sets in COCO's JSON, https://cocodataset.org/#format-data.

    DIR/annotations/instances_LIST*.json, as instances_train2017.json    DIR/images/LIST*/NAME
    or one FILE.json, with its pictures beside it or in images/ beside it

Boxes of crowds are left out, and so are boxes thinner than 1 px, as keras-retinanet does: COCO
itself holds some. Category ids may have gaps; classes are in order of their ids.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitor.errors import UsageError

from .dataset import DataSet
from .fault import DatasetError, Fault
from .gathering import Gathering
from .picture import StatedSize, find_picture, is_file

LISTS = ("train", "val", "test")
THINNEST_PX = 1.0
log = logging.getLogger(__name__)


def read_coco(path: Path, split: str | None = None) -> DataSet:
    """Read the pictures in the order of their JSON file.

    path: the data set's DIR, or its one JSON file.
    split: a list of a DIR, as in annotations/instances_SPLIT*.json; None takes them all.

    Raises UsageError when a file or list is missing, and DatasetError when one is not COCO's JSON,
    or when the lists of a DIR have different classes.
    """
    files = _json_files(path, split)
    contents = [_read_json(file) for file in files]
    names = [_class_names(content, file) for content, file in zip(contents, files, strict=True)]
    for other, file in zip(names, files, strict=True):
        if other != names[0]:
            raise DatasetError(
                f"{file}: found the categories {_listed(other)}; expected {_listed(names[0])}, "
                f"as in {files[0].name}"
            )
    gathering = Gathering(tuple(names[0].values()))
    for content, file in zip(contents, files, strict=True):
        _gather(content, file, names[0], gathering)
    return gathering.data_set()


def coco_lists(path: Path) -> tuple[str, ...]:
    """Which of the lists train, val and test the data set has; none where it is one file."""
    return tuple(name for name in LISTS if not is_file(path) and _files_of(path, name))


def coco_unlisted(path: Path) -> tuple[str, ...]:
    """Names of the JSON files of a DIR that belong to none of its lists."""
    listed = {file for name in LISTS for file in _files_of(path, name)}
    return tuple(file.name for file in _files_of(path, "") if file not in listed)


def coco_sizes(path: Path) -> Iterator[StatedSize]:
    """The sizes that the JSON files state, where both sides are numbers above 0.

    Raises as `read_coco` does.
    """
    for file in _json_files(path, None):
        folders = _picture_folders(file)
        for number, row in enumerate(_read_json(file)["images"], 1):
            name, sides_px = row.get("file_name"), (row.get("width"), row.get("height"))
            if isinstance(name, str) and all(_is_side(side_px) for side_px in sides_px):
                yield f"{file}: image {number}", find_picture(name, folders), sides_px


def _files_of(folder: Path, split: str) -> list[Path]:
    return sorted((folder / "annotations").glob(f"instances_{split}*.json"))


def _json_files(path: Path, split: str | None) -> list[Path]:
    if is_file(path):
        if split is not None:
            raise UsageError(f"{path}: found one file, expected a folder to have a list {split!r}")
        return [path]
    files = _files_of(path, split or "")
    if not files:
        wanted = path / "annotations" / f"instances_{split or ''}*.json"
        raise UsageError(f"{wanted}: no such file; expected a data set in COCO layout")
    if split is not None and len(files) > 1:
        found = ", ".join(file.name for file in files)
        raise UsageError(f"{path}: found {found} for the list {split!r}, expected one file")
    return files


def _read_json(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The lists of a file that are needed, each a list of objects."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the file: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: cannot read the file as JSON: {error}") from None
    for key in ("images", "annotations", "categories"):
        rows = content.get(key) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DatasetError(f"{path}: found no list of objects {key!r}, expected COCO's JSON")
    return content


def _class_names(content: dict[str, list[dict[str, Any]]], file: Path) -> dict[int, str]:
    """{id: name} in order of id."""
    names: dict[int, str] = {}
    for number, row in enumerate(content["categories"], 1):
        where = f"{file}: category {number}"
        index, name = row.get("id"), row.get("name")
        if not _is_id(index) or not isinstance(name, str) or not name.strip():
            raise DatasetError(f"{where}: found id {index!r}, name {name!r}; expected number, text")
        if index in names or name.strip() in names.values():
            raise DatasetError(
                f"{where}: found id {index}, name {name!r} again, expected each once"
            )
        names[index] = name.strip()
    if not names:
        raise DatasetError(f"{file}: found no category, expected at least one")
    return dict(sorted(names.items()))


def _gather(
    content: dict[str, list[dict[str, Any]]],
    file: Path,
    names: dict[int, str],
    gathering: Gathering,
) -> None:
    """Take in the pictures and boxes of one file."""
    pictures = _gather_pictures(content["images"], file, gathering)
    thin = 0
    for number, row in enumerate(content["annotations"], 1):
        if row.get("iscrowd") in (1, True):
            continue
        picture = None
        try:
            image = row.get("image_id")
            picture = pictures.get(image) if _is_id(image) else None
            if picture is None:
                found = f"found image_id {image!r}, expected the id of an image"
                raise Fault("missing picture", found)
            x, y, width_px, height_px = _bbox(row)
            if 0 <= width_px < THINNEST_PX or 0 <= height_px < THINNEST_PX:
                thin += 1
                continue
            gathering.add_box(picture, (x, y, x + width_px, y + height_px), _label(row, names))
        except Fault as fault:
            gathering.blame(fault, f"{file}: annotation {number}", picture)
    if thin:
        log.warning("%s: boxes left out because they are thinner than 1 px: %d", file, thin)


def _gather_pictures(
    rows: list[dict[str, Any]], file: Path, gathering: Gathering
) -> dict[int, Path]:
    """{image id: picture}."""
    pictures: dict[int, Path] = {}
    folders = _picture_folders(file)
    for number, row in enumerate(rows, 1):
        index, name = row.get("id"), row.get("file_name")
        where = f"{file}: image {number}"
        if not _is_id(index) or not isinstance(name, str) or not name or index in pictures:
            found = f"found id {index!r}, file_name {name!r}; expected a new number and a path"
            gathering.blame(Fault("unreadable annotation", found), where, None)
            continue
        pictures[index] = find_picture(name, folders)
        gathering.add_picture(pictures[index], where)
    return pictures


def _picture_folders(file: Path) -> list[Path]:
    """Where the pictures of a JSON file may lie, the likeliest first."""
    beside = [file.parent, file.parent / "images"]
    if file.parent.name != "annotations":
        return beside
    root, name = file.parent.parent, file.stem.removeprefix("instances_")
    return [root / "images" / name, root / name, root / "images", root, *beside]


def _bbox(row: dict[str, Any]) -> list[float]:
    """x, y, width, height in pixels; raises Fault "unreadable annotation"."""
    found = row.get("bbox")
    try:
        bbox = [float(value) for value in found] if isinstance(found, list) else []
    except (TypeError, ValueError, OverflowError):
        bbox = []
    if len(bbox) != 4 or not all(map(math.isfinite, bbox)):
        wrong = f"found bbox {str(found)[:80]}, expected four numbers x, y, width, height"
        raise Fault("unreadable annotation", wrong)
    return bbox


def _label(row: dict[str, Any], names: dict[int, str]) -> str:
    index = row.get("category_id")
    if not _is_id(index) or index not in names:
        found = f"found category_id {index!r}, expected one of {_listed(names)}"
        raise Fault("unknown class", found)
    return names[index]


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_side(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _listed(names: dict[int, str]) -> str:
    return ", ".join(f"{index} {name}" for index, name in names.items())
