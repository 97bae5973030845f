"""What a conversion is going to write; nothing is written before all of it is known to be free."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monitor.errors import MaskgateError, UsageError

from .sample import Sample

Lists = Mapping[str | None, Sequence[Sample]]
MOST_FILES_NAMED = 3


@dataclass(frozen=True)
class Plan:
    """Files of a data set that are still to be written.

    texts: what each text file is to hold.
    pictures: where each picture is to be found, {new file: file it stands for}.
    """

    texts: dict[Path, str] = field(default_factory=dict)
    pictures: dict[Path, Path] = field(default_factory=dict)

    def carry_out(self, *, force: bool, copy: bool) -> None:
        """Write the texts, and link or copy the pictures.

        force: overwrite what exists; pictures that the data set is made from never are.
        copy: copy pictures instead of writing relative symbolic links to them.

        Raises UsageError, before anything is written, when a file exists, and MaskgateError when
        one cannot be written.
        """
        new = {to: source for to, source in self.pictures.items() if not _same_file(to, source)}
        originals = {_real_folder(source) for source in self.pictures.values()}
        overwritten = (path for path in (*self.texts, *new) if _real_folder(path) in originals)
        _refuse_files(overwritten, "another name: it is a picture of the source")
        if not force:
            _refuse_files(filter(os.path.lexists, (*self.texts, *new)), "no file, or --force")
        for path, text in self.texts.items():
            with _Writing(path):
                path.write_text(text, encoding="utf-8", newline="\n")
        for path, source in new.items():
            with _Writing(path):
                path.unlink(missing_ok=True)
                if copy:
                    shutil.copyfile(source, path)
                else:
                    path.symlink_to(relative_path(source, path.parent))


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


def number_text(value: float) -> str:
    """A float32 in the fewest digits that bring it back, whole numbers without a point."""
    return np.format_float_positional(np.float32(value), trim="-")


class _Writing:
    """Makes the folder of a file, and turns errors of the file system into a clear message."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._error(error) from None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError):
            raise self._error(error) from None

    def _error(self, error: OSError) -> MaskgateError:
        return MaskgateError(f"{self.path}: cannot write the file: {error.strerror or error}")


def _real_folder(path: Path) -> Path:
    """The file in its real folder, so that .. means what it says; the file may be a link."""
    return path.parent.resolve() / path.name


def _same_file(one: Path, other: Path) -> bool:
    return _real_folder(one) == _real_folder(other)


def _refuse_files(paths: Iterable[Path], expected: str) -> None:
    found = [str(path) for path in paths]
    if found:
        named = ", ".join(found[:MOST_FILES_NAMED])
        more = f" and {len(found) - MOST_FILES_NAMED} more" if found[MOST_FILES_NAMED:] else ""
        raise UsageError(f"found {named}{more}; expected {expected}")
