"""Output files: their folders, made before a command's work begins, and whole at every moment."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor.errors import UsageError


def make_folders(*folders: Path | None, files: Sequence[Path | None] = ()) -> None:
    """Make these folders, and those that the files lie in, so that no work is lost for want of one.

    folders, files: those that are None were not asked for.

    Raises UsageError where that is not possible, or where a folder has the name of a file.
    """
    for path in files:
        if path is not None and path.is_dir():
            raise UsageError(f"{path}: found a folder, expected the name of a file to write")
    needed = [(path, path) for path in folders if path is not None]
    needed += [(path, path.parent) for path in files if path is not None]
    for path, folder in needed:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{path}: the folder cannot be made: {error.strerror}") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file so that an old one is there until the whole new one is, also after a crash.

    Yields where to write it: a file beside it, which takes the place and the mode of `path` at the
    end. A link to a file is replaced, not followed. An error leaves `path` as it was. What is there
    and no file, such as a device or a pipe, is yielded itself, and stays.

    Raises OSError when that is not possible.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    # Nobody else has a file of this name, and it is no longer than any disk takes.
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        yield partial
        # To wait for the disk takes longer than all else, and a new file takes nothing's place.
        if path.is_file() and not partial.is_symlink():
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            if not path.is_symlink():
                shutil.copymode(path, partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any, what: str, *, indent: int | None = 1) -> None:
    """Write plain values as JSON, replacing the file when it exists.

    what: the content is, in the message of the UsageError that is raised when it cannot be written.
    indent: spaces a level; None writes one line.
    """
    try:
        path.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot write {what}: {error.strerror}") from None
