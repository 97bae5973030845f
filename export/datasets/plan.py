"""What a conversion is going to write; nothing is written before all of it is known to be free."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monitor.errors import MaskgateError, UsageError
from monitor.replacing import replacing

from .fault import DatasetError, reason, refuse
from .picture import PICTURE_SUFFIXES
from .sample import Sample

Lists = Mapping[str | None, Sequence[Sample]]
FileId = tuple[int, int]
MOST_FILES_NAMED = 3
READ_SUFFIXES = PICTURE_SUFFIXES | {".txt", ".xml"}
# As Python spells bytes of a file's name that are no UTF-8, in a name up to where its form ends it.
_NOT_UTF_8 = re.compile(r'[^\n,"<>]*[\ud800-\udfff][^\n,"<>]*')


@dataclass(frozen=True)
class Plan:
    """Files of a data set that are still to be written.

    texts: what each text file is to hold.
    pictures: where each picture is to be found, {new file: file it stands for}.
    folders: those of which readers take all that lies in them.
    """

    texts: dict[Path, str] = field(default_factory=dict)
    pictures: dict[Path, Path] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)

    def carry_out(self, *, force: bool, copy: bool) -> None:
        """Write the texts, and link or copy the pictures.

        force: overwrite what exists; pictures that the data set is made from never are, nor are the
            links that lead to them. What a picture comes from may be where it is to be found: it
            then stays.
        copy: copy pictures instead of writing relative symbolic links to them.

        Raises UsageError, before anything is written, when a file exists, or another one that would
        become part of the data set, DatasetError when a text has no UTF-8, and MaskgateError when a
        file cannot be written.
        """
        encoded = {path: _encoded(text, path) for path, text in self.texts.items()}
        originals: set[FileId] = set()
        new: dict[Path, Path] = {}
        for to, source in self.pictures.items():
            chain = _chain(source)
            originals |= chain
            if _file_id(to) not in chain:
                new[to] = source
        overwritten = (path for path in (*self.texts, *new) if _file_id(path) in originals)
        _refuse_files(overwritten, "another name: it is a picture of the source")
        _refuse_files(
            self._others(),
            "a folder of nothing but what is written, as readers would take it for a part of that",
        )
        if not force:
            _refuse_files(filter(os.path.lexists, (*self.texts, *new)), "no file, or --force")
        for path, content in encoded.items():
            with _writing(path) as partial:
                partial.write_bytes(content)
        for path, source in new.items():
            with _writing(path) as partial:
                if copy:
                    shutil.copyfile(source, partial)
                else:
                    partial.symlink_to(relative_path(source, path.parent))

    def _others(self) -> Iterator[Path]:
        """What readers would find in the folders beside what is planned."""
        for folder in sorted(self.folders):
            for path in sorted(folder.rglob("*")):
                planned = path in self.texts or path in self.pictures
                if not planned and path.suffix.lower() in READ_SUFFIXES and not path.is_dir():
                    yield path


def relative_path(path: Path, folder: Path) -> str:
    """The way from a folder to a file, with / between folders; absolute between drives."""
    try:
        return Path(os.path.relpath(_real_folder(path), folder.resolve())).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def unique_names(paths: Iterable[Path]) -> dict[Path, str]:
    """A file name for each picture in one folder; no two differ in their suffix or case alone."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        stem, number = path.stem, 1
        while path not in names and stem.casefold() in taken:
            number += 1
            stem = f"{path.stem}-{number}"
        if path not in names:
            taken.add(stem.casefold())
            names[path] = stem + path.suffix
    return names


def each_once(lists: Lists) -> dict[Path, Sample]:
    """The pictures of all lists, in order, each once however many lists it is on.

    Raises DatasetError where two lists give a picture other boxes: there is no telling which.
    """
    samples: dict[Path, Sample] = {}
    titles: dict[Path, str | None] = {}
    problems = []
    for title, listed in lists.items():
        for sample in listed:
            first = samples.setdefault(sample.path, sample)
            first_title = titles.setdefault(sample.path, title)
            if _objects(sample) != _objects(first):
                found = f"found other boxes on the list {title} than on {first_title}"
                problems.append(f"{sample.path}: {found}, expected the same, or one with --split")
    refuse(problems)
    return samples


def number_text(value: float) -> str:
    """A float32 in the fewest digits that bring it back, whole numbers without a point."""
    return np.format_float_positional(np.float32(value), trim="-")


def _encoded(text: str, path: Path) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        (name,) = _NOT_UTF_8.findall(text)[:1]
        raise DatasetError(
            f"{path}: found the name {name.strip()}, which is not UTF-8; expected another one"
        ) from None


@contextmanager
def _writing(path: Path) -> Iterator[Path]:
    """As `replacing`, with the folder made and a clear message where something is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            yield partial
    except OSError as error:
        raise MaskgateError(f"{path}: cannot write the file: {reason(error)}") from None


def _real_folder(path: Path) -> Path:
    """The file in its real folder, so that .. means what it says; the file may be a link."""
    return path.parent.resolve() / path.name


def _objects(sample: Sample) -> list[tuple[str, list[float]]]:
    return sorted(zip(sample.labels, sample.boxes.tolist(), strict=True))


def _file_id(path: Path) -> FileId | None:
    """What tells a file from every other, whatever its name; of a link, not what it leads to."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _chain(path: Path) -> set[FileId]:
    """A file, and where it is a link everything on the way to what it leads to, and that."""
    found: set[FileId] = set()
    while (file_id := _file_id(path)) is not None and file_id not in found:
        found.add(file_id)
        if path.is_symlink():
            path = path.parent / path.readlink()
    return found


def _refuse_files(paths: Iterable[Path], expected: str) -> None:
    found = [str(path) for path in paths]
    if found:
        named = ", ".join(found[:MOST_FILES_NAMED])
        more = f" and {len(found) - MOST_FILES_NAMED} more" if found[MOST_FILES_NAMED:] else ""
        raise UsageError(f"found {named}{more}; expected {expected}")
