"""How long pictures and damaged records are kept: so many days, and so many bytes at most."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from .ledger import DAMAGED, FILE

PICTURES = "pictures"
CLIPS = "clips"


def prune_pictures(folder: Path, before: datetime, most_bytes: int) -> None:
    """Delete what is from before a time, and the oldest while all takes too much.

    That is pictures, clips, and records that were damaged and kept aside.

    What is no file, as a folder among them, is left alone.

    folder: of the audit; its ledger counts, but only `Ledger.prune` makes that smaller.
    most_bytes: for all of it together.

    Raises OSError when one cannot be deleted, after all the others are.
    """
    found = sorted(_files(folder, f"{PICTURES}/*", f"{CLIPS}/*", f"{DAMAGED}*"))
    taken_bytes = sum(size for _, size, _ in found)
    taken_bytes += sum(size for _, size, _ in _files(folder, FILE, f"{FILE}-*"))
    failure: OSError | None = None
    for written_at, size, path in found:
        if written_at < before.timestamp() or taken_bytes > most_bytes:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                failure = failure or error
            else:
                taken_bytes -= size
    if failure:
        raise failure


def _files(folder: Path, *patterns: str) -> Iterator[tuple[float, int, Path]]:
    """(seconds since 1970 of the last write, bytes, path) of every file; others may delete some."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    yield status.st_mtime, status.st_size, path
