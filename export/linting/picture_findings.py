"""What lint finds in the pictures of a data set: damage, wrong sizes and duplicates."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from ..datasets import DatasetError, picture_size_px, read_picture
from ..datasets.fault import Fault
from ..datasets.picture import PICTURE_SUFFIXES, CutShortError, StatedSize
from ..duplicates.near_duplicates import exact_groups, groups
from .findings import Finding


def damaged_pictures(pictures: Sequence[Path]) -> list[Finding]:
    """Pictures that cannot be decoded, or not to their end; all are decoded."""
    with ThreadPoolExecutor() as threads:
        faults = list(
            tqdm(threads.map(picture_fault, pictures), "decoding", len(pictures), unit="picture")
        )
    return [
        Finding(fault.kind, "error", str(path), fault.what, path)
        for path, fault in zip(pictures, faults, strict=True)
        if fault
    ]


def picture_fault(path: Path) -> Fault | None:
    """What is wrong with a picture: "truncated picture", "unreadable picture", or nothing."""
    try:
        read_picture(path)
    except DatasetError as error:
        kind = "truncated picture" if isinstance(error, CutShortError) else "unreadable picture"
        return Fault(kind, str(error).removeprefix(f"{path}: "))
    return None


def wrong_sizes(stated: Iterable[StatedSize]) -> Iterator[Finding]:
    """Pictures of which another size is stated than they have, upright as training sees them."""
    for where, path, stated_px in stated:
        try:
            size_px = picture_size_px(path)
        except DatasetError:
            continue
        if stated_px != size_px:
            found = "found a size of {:g} x {:g} px".format(*stated_px)
            expected = "expected {} x {} px, as the picture has".format(*size_px)
            yield Finding("wrong size", "error", where, f"{found}; {expected}", path)


def pascal_sizes(pictures: Iterable[Path], annotations: Path) -> Iterator[StatedSize]:
    """What the XML files of a data set in PASCAL VOC layout state.

    annotations: the folder of the XML files.

    An XML that states no size, or the 0 of some tools, is taken as it is.
    """
    for path in pictures:
        xml_file = annotations / f"{path.stem}.xml"
        if stated_px := _stated_px(xml_file):
            yield str(xml_file), path, stated_px


def unlabelled_pictures(folder: Path, image_extension: str | None) -> Iterator[Finding]:
    """Pictures of a data set in PASCAL VOC layout that training leaves out for want of an XML.

    folder: the data set's DIR. image_extension: as for `read_pascal`.
    """
    suffixes = {f".{image_extension.lower().lstrip('.')}"} if image_extension else PICTURE_SUFFIXES
    for path in sorted((folder / "JPEGImages").iterdir()):
        xml_file = folder / "Annotations" / f"{path.stem}.xml"
        if path.suffix.lower() in suffixes and not xml_file.is_file():
            what = f"found no {xml_file.name}; the picture is left out"
            yield Finding("no annotation", "warning", str(path), what, path)


def _stated_px(xml_file: Path) -> tuple[int, int] | None:
    try:
        root = ET.parse(xml_file).getroot()
        width_px = int(root.findtext("size/width", "0"))
        height_px = int(root.findtext("size/height", "0"))
    except (ET.ParseError, OSError, LookupError, ValueError, RecursionError):
        return None
    return (width_px, height_px) if width_px > 0 and height_px > 0 else None


def duplicates(lists_of: Mapping[Path, Sequence[str]]) -> Iterator[Finding]:
    """Pictures that are there more than once; an error where they are in two lists.

    lists_of: for each picture the lists that it is in.
    """
    paths = list(lists_of)
    for path, names in lists_of.items():
        if len(names) > 1:
            found = f"found it in the lists {' and '.join(names)}, expected one"
            yield Finding("duplicate across lists", "error", str(path), found, path)
    exact = exact_groups(paths)
    exact_of = {index: number for number, group in enumerate(exact) for index in group}
    for group in exact:
        if len(group) > 1:
            yield _duplicate("duplicate", [paths[index] for index in group], lists_of)
    for group in groups(paths):
        # Files of the same bytes are named above.
        firsts = {exact_of[index]: index for index in reversed(group)}
        if len(firsts) > 1:
            yield _duplicate("near duplicate", [paths[index] for index in group], lists_of)


def _duplicate(kind: str, paths: list[Path], lists_of: Mapping[Path, Sequence[str]]) -> Finding:
    first, *others = paths
    names = list(dict.fromkeys(name for path in paths for name in lists_of[path]))
    also = ", ".join(str(path) for path in others)
    if len(names) == 1:
        return Finding(kind, "warning", str(first), f"found again as {also}", first)
    where = ", ".join(f"{path} in {' and '.join(lists_of[path])}" for path in others)
    found = f"in {' and '.join(lists_of[first])}, found again as {where}"
    return Finding(f"{kind} across lists", "error", str(first), found, first)
