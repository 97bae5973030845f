"""Replacing: a file that is the old one or the whole new one at every moment."""

from __future__ import annotations

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
    and no file, such as a device or a pipe, is yielded itself, and stays.

    durable: wait for the disk also where nothing is replaced, so that no crash leaves it empty.

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
        if (durable or path.is_file()) and not partial.is_symlink():
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            if path.is_file() and not path.is_symlink():
                shutil.copymode(path, partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
