"""Data sets in Ultralytics' YOLO layout, https://docs.ultralytics.com/datasets/detect/.

    DATA.yaml        path, train, val, test: folders or lists of pictures; names: the classes;
                     kpt_shape: [COUNT, 2 or 3] where each object has key points
    images/.../NAME.jpg    labels/.../NAME.txt, one object a line: class cx cy width height

Numbers are fractions of the picture's width and height. Of a line with key points the box alone is
taken. In a data set without them a longer line is a polygon, of which the bounding box is taken. A
picture without a label file is a negative, as YOLO has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from monitor.errors import UsageError

from .dataset import DataSet
from .fault import DatasetError, Fault, reason
from .gathering import Gathering
from .picture import PICTURE_SUFFIXES, find_picture, is_file

LISTS = ("train", "val", "test")
LARGEST_CLASS_DIGITS = 9


def read_yolo(path: Path, split: str | None = None) -> DataSet:
    """Read the pictures in order of name, or of their list.

    path: the DATA.yaml file. Its `path` is relative to its own folder, else to the working folder;
        its lists are relative to `path`, and pictures in a list to the list or to `path`.
    split: "train", "val" or "test"; None takes all pictures.

    Raises UsageError when a file, folder or list is missing, and DatasetError when the file is not
    such a YAML, or when none of the pictures has a label file.
    """
    content = _read_yaml(path)
    names = _class_names(content, path)
    key_numbers = _key_numbers(content, path)
    gathering = Gathering(tuple(names.values()))
    pictures = []
    for wanted in [split] if split is not None else [name for name in LISTS if content.get(name)]:
        pictures += _pictures(content, path, wanted)
    labelled = False
    for picture in dict.fromkeys(pictures):
        gathering.add_picture(picture, path)
        label_file = _label_file(picture)
        if is_file(label_file):
            labelled = True
            _gather_labels(label_file, picture, names, key_numbers, gathering)
    if pictures and not labelled:
        raise DatasetError(
            f"{path}: found no label file for any of {len(pictures)} pictures, expected "
            f"{_label_file(pictures[0])} and others like it"
        )
    return gathering.data_set()


def yolo_lists(path: Path) -> tuple[str, ...]:
    """Which of the lists train, val and test the data set names; raises as `read_yolo`."""
    content = _read_yaml(path)
    return tuple(name for name in LISTS if content.get(name))


def _read_yaml(path: Path) -> dict[str, object]:
    """The mapping in the file; every scalar in it is text, so the class `no` stays what it is."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"{path}: cannot read the file: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        text = " ".join(str(error).split())
        raise DatasetError(f"{path}: cannot read the file as YAML: {text}") from None
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: found no keys, expected train, val and names")
    return content


def _class_names(content: dict[str, object], path: Path) -> dict[int, str]:
    """{number: name} in order of number."""
    names = content.get("names")
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not names:
        raise DatasetError(f"{path}: found no names, expected a list of class names")
    found: dict[int, str] = {}
    for number, name in names.items():
        if not isinstance(name, str) or not name.strip() or name.strip() in found.values():
            raise DatasetError(f"{path}: found the name {name!r}, expected text, each once")
        if not _is_number(number) or int(number) in found:
            raise DatasetError(f"{path}: found the class number {number!r}, expected 0, 1, ...")
        found[int(number)] = name.strip()
    return dict(sorted(found.items()))


def _key_numbers(content: dict[str, object], path: Path) -> int:
    """How many numbers of key points follow each box; 0 where there are none."""
    shape = content.get("kpt_shape")
    if not shape:
        return 0
    if isinstance(shape, list) and len(shape) == 2 and all(map(_is_number, shape)):
        count, numbers = map(int, shape)
        if count > 0 and numbers in (2, 3):
            return count * numbers
    raise DatasetError(f"{path}: found the kpt_shape {shape!r}, expected [COUNT, 2 or 3]")


def _is_number(text: object) -> bool:
    return isinstance(text, str) and text.isdecimal() and len(text) <= LARGEST_CLASS_DIGITS


def _pictures(content: dict[str, object], path: Path, split: str) -> list[Path]:
    """The pictures of one list; raises UsageError when the list or a folder is missing."""
    entries = content.get(split)
    if not entries:
        raise UsageError(f"{path}: found no list {split!r}, expected a folder or list of pictures")
    root = _root(content, path)
    pictures: list[Path] = []
    for entry in entries if isinstance(entries, list) else [entries]:
        pictures += _pictures_at(root, str(entry), f"{path}: {split}")
    return pictures


def _root(content: dict[str, object], path: Path) -> Path:
    given = str(content.get("path") or ".")
    for root in (path.parent / given, Path(given)):
        if _is_folder(root):
            return root
    raise UsageError(f"{path}: path: found no folder {path.parent / given}, expected one")


def _pictures_at(root: Path, entry: str, where: str) -> Iterable[Path]:
    # Exports of Roboflow say ../train/images where they mean train/images.
    for place in (root / entry, root / entry.removeprefix("../")):
        if _is_folder(place):
            return sorted(_pictures_below(place))
        if is_file(place):
            return _listed_pictures(place, root)
    raise UsageError(f"{where}: found no folder or list {root / entry}, expected one")


def _pictures_below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """The pictures in a folder and all below it, linked ones among them.

    above: the folders that it lies in; a link back to one of them is not followed.
    """
    real = folder.resolve()
    if real in above:
        return
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder}: cannot read the folder: {error.strerror}") from None
    for entry in entries:
        if _is_folder(entry):
            yield from _pictures_below(entry, above | {real})
        elif entry.suffix.lower() in PICTURE_SUFFIXES:
            yield entry


def _listed_pictures(file: Path, root: Path) -> list[Path]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot read the list of pictures: {reason(error)}") from None
    return [find_picture(line.strip(), [file.parent, root]) for line in lines if line.strip()]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _label_file(picture: Path) -> Path:
    """labels/.../NAME.txt for the last images/ in the path; beside the picture where none is."""
    # A list may name /, which has no name whose suffix could be replaced.
    parts = list((picture.parent / f"{picture.stem}.txt").parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index("images")
        parts[last] = "labels"
    return Path(*parts)


def _gather_labels(
    file: Path, picture: Path, names: dict[int, str], key_numbers: int, gathering: Gathering
) -> None:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        unread = Fault("unreadable annotation", f"cannot read the labels: {reason(error)}")
        gathering.blame(unread, file, picture)
        return
    size_px = gathering.size_px(picture)
    for number, line in enumerate(lines, 1):
        cells = line.split()
        if not cells or size_px is None:
            continue
        try:
            label, box = _object(cells, names, key_numbers)
            width_px, height_px = size_px
            edges = (width_px, height_px, width_px, height_px)
            pixels = [value * edge for value, edge in zip(box, edges, strict=True)]
            gathering.add_box(picture, pixels, label)
        except Fault as fault:
            gathering.blame(fault, f"{file}:{number}", picture)


def _object(cells: list[str], names: dict[int, str], key_numbers: int) -> tuple[str, list[float]]:
    """Label and box of one line, x1, y1, x2, y2 as fractions."""
    try:
        number, *values = map(float, cells)
    except ValueError:
        number, values = math.nan, []
    polygon = not key_numbers and len(values) >= 6 and len(values) % 2 == 0
    if not (len(values) == 4 + key_numbers or polygon) or not all(
        map(math.isfinite, (number, *values))
    ):
        found = " ".join(cells)[:80]
        more = f" and {key_numbers} numbers of key points" if key_numbers else ""
        raise Fault("malformed line", f"found {found!r}, expected class cx cy width height{more}")
    if number not in names:
        known = ", ".join(f"{index} {name}" for index, name in names.items())
        raise Fault("unknown class", f"found the class {cells[0]}, expected one of {known}")
    label = names[int(number)]
    if polygon:
        xs, ys = values[::2], values[1::2]
        return label, [min(xs), min(ys), max(xs), max(ys)]
    cx, cy, width, height = values[:4]
    return label, [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]
