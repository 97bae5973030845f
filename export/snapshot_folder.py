"""Snapshot folder: `last.pt` and `best.pt` of one training, and nobody else's by these names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import checkpoint
from .validation import best_epoch

LAST, BEST = "last.pt", "best.pt"


def take(folder: Path) -> None:
    """Make the folder that of a new training; what is there of an earlier one is renamed.

    Raises CheckpointError when that is not possible.
    """
    _set_aside(folder, (LAST, BEST))


def go_on(folder: Path, snapshot: Path, history: Sequence[dict[str, Any]]) -> None:
    """Make the folder that of a training that goes on, with its best epoch so far as `best.pt`.

    snapshot: where it goes on from; that of the best epoch is looked for beside it.
    history: of the epochs until then.

    What is there of another training is renamed. Raises CheckpointError when something cannot be
    renamed or written, and ModelError when what lies beside the snapshot is damaged.
    """
    at_home = folder.samefile(snapshot.parent)
    name, content = _best_beside(snapshot, history)
    if at_home and name == BEST:
        return
    _set_aside(folder, (BEST,) if at_home else (LAST, BEST))
    if content is not None:
        checkpoint.save(folder / BEST, content)
    elif number := best_epoch(history):
        print(
            f"{folder}: no {BEST} before an epoch is better than epoch {number}, whose snapshot is "
            f"not beside {snapshot}",
            file=sys.stderr,
        )


def _best_beside(
    snapshot: Path, history: Sequence[dict[str, Any]]
) -> tuple[str, dict[str, Any] | None]:
    """Name and content of the best epoch's snapshot; empty and None where it is not there."""
    for name in (BEST, _aside(BEST)):
        path = snapshot.with_name(name)
        if path.is_file() and _is_best_of(content := checkpoint.load(path), history):
            return name, content
    return "", None


def _is_best_of(content: dict[str, Any], history: Sequence[dict[str, Any]]) -> bool:
    """Whether a best epoch's snapshot is of the training with that history, and as good."""
    found = content["history"]
    if not found or not history:
        return False
    # a kill may have come when an epoch's best.pt was written, and its last.pt not yet
    is_ahead: bool = found[: len(history)] == history
    return is_ahead or found == history[: best_epoch(history)]


def _set_aside(folder: Path, names: Sequence[str]) -> None:
    """Rename snapshots, `last.pt` to `last.old.pt`, and say so; those that are not there are not.

    An older one of that name is replaced.
    """
    renamed = {}
    for path in (folder / name for name in names if (folder / name).is_file()):
        try:
            renamed[path.name] = path.replace(path.with_name(_aside(path.name))).name
        except OSError as error:
            raise checkpoint.CheckpointError(
                f"{path}: cannot be renamed: {error.strerror}"
            ) from None
    if renamed:
        earlier, kept = (" and ".join(part) for part in (renamed, renamed.values()))
        print(f"{folder}: {earlier} of an earlier training kept as {kept}", file=sys.stderr)


def _aside(name: str) -> str:
    return name.replace(".", ".old.")
