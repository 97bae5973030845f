"""Replacing: a file that is the old one or the whole new one at every moment."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Write a file so that an old one is there until the whole new one is, also after a crash.

    Yields where to write it: a file beside it, which takes the place and the mode of `path` at the
    end. A link to a file is replaced, not followed. An error leaves `path` as it was. What is there
    and no file, such as a device or a pipe, is yielded itself, and stays; so is a name of what is
    open, such as /dev/stdout.

    durable: wait for the disk also where nothing is replaced, so that no crash leaves it empty.

    Raises OSError when that is not possible.
    """
    if _stays(path):
        yield path
        return
    partial = _beside(path)
    try:
        yield partial
        # To wait for the disk takes longer than all else, and a new file takes nothing's place.
        if (durable or path.is_file()) and not partial.is_symlink():
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            if path.is_file() and not path.is_symlink():
                shutil.copymode(path, partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def check_replaceable(path: Path) -> None:
    """Raise OSError where `replacing` could not write a file; what is there stays as it is."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    # Not by opening it: the reader of a pipe would take that for all there is.
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if not _stays(path):
        partial = _beside(path)
        partial.touch()
        partial.unlink()


def _stays(path: Path) -> bool:
    # /dev/stdout is a link to whatever the output was sent to, be it a file.
    opened = path.is_symlink() and path.absolute().parts[1] in ("dev", "proc")
    return path.exists() and (opened or not path.is_file())


def _beside(path: Path) -> Path:
    # Nobody else has a file of this name, and it is no longer than any disk takes.
    return path.with_name(f".{secrets.token_hex(8)}.partial")
