"""Output files: tried before a command's work begins, their folders made, and values as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.errors import UsageError
from monitor.replacing import check_replaceable, replacing


def make_folders(*folders: Path | None, files: Sequence[Path | None] = ()) -> None:
    """Make these folders, and those that the files lie in, so that no work is lost for want of one.

    folders, files: those that are None were not asked for.

    Raises UsageError where that is not possible, or where a file could not be written there.
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
    for path in files:
        try:
            if path is not None:
                check_replaceable(path)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def write_json(path: Path, content: Any, what: str, *, indent: int | None = 1) -> None:
    """Write plain values as JSON; a file that exists is there until the whole new one is.

    what: the content is, in the message of the UsageError that is raised when it cannot be written.
    indent: spaces a level; None writes one line.
    """
    try:
        with replacing(path) as partial:
            partial.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot write {what}: {error.strerror}") from None
