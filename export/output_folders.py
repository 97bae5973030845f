"""Output folders: those of the files that a command will write, made before its work begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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
