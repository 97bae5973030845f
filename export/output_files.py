"""Output files: their folders, made before a command's work begins, and plain values as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
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


def write_json(path: Path, content: Any, what: str, *, indent: int | None = 1) -> None:
    """Write plain values as JSON, replacing the file when it exists.

    what: the content is, in the message of the UsageError that is raised when it cannot be written.
    indent: spaces a level; None writes one line.
    """
    try:
        path.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot write {what}: {error.strerror}") from None
