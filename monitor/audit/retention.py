"""How long pictures are kept: not beyond a number of days, nor beyond a number of bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from .ledger import FILE

PICTURES = "pictures"
CLIPS = "clips"


def prune_pictures(folder: Path, before: datetime, most_bytes: int) -> None:
    """Delete pictures and clips from before a time, and the oldest while all takes too much.

    folder: of the audit; its ledger counts, but only `Ledger.prune` makes that smaller.
    most_bytes: for all of it together.

    Raises OSError when one cannot be deleted.
    """
    found = sorted(_pictures(folder))
    taken_bytes = sum(size for _, size, _ in found)
    taken_bytes += sum(path.stat().st_size for path in folder.glob(f"{FILE}*"))
    for written_at, size, path in found:
        if written_at < before.timestamp() or taken_bytes > most_bytes:
            path.unlink(missing_ok=True)
            taken_bytes -= size


def _pictures(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """(seconds since 1970 of the last write, bytes, path) of every picture and clip."""
    for name in (PICTURES, CLIPS):
        for path in folder.glob(f"{name}/*"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                yield status.st_mtime, status.st_size, path
