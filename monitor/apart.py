"""Apart: what a command writes is never what it reads, nor two things in one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path

from .errors import UsageError


def check_apart(
    outputs: Mapping[str, Path | None], inputs: Iterable[int | str | Path | None]
) -> None:
    """Raise UsageError where a command would write over what it reads, or one file twice.

    Devices and pipes may take as many outputs as one likes.

    outputs: the files that it writes, by option; None for one that was not asked for.
    inputs: files and other sources that it reads; None for one that was not asked for.
    """
    written = [(option, path) for option, path in outputs.items() if path]
    read = [Path(str(each)) for each in inputs if each is not None]
    for option, path in written:
        if any(_same_file(path, other) for other in read):
            raise UsageError(f"{option}: {path} found, which is read; expected another file")
    for (one, path), (other, again) in combinations(written, 2):
        if _same_file(path, again):
            raise UsageError(f"{one} and {other}: {again} found for both, expected two files")


def _same_file(one: Path, other: Path) -> bool:
    try:
        if one.exists() and other.exists():
            return one.is_file() and one.samefile(other)
        return one.resolve() == other.resolve()
    except (OSError, RuntimeError, ValueError):
        # a name that no file can have, which whoever opens it says
        return False
