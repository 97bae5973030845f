"""Training log: what each epoch brought, as JSON lines, curves and, if asked for, TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitor.errors import MaskgateError, UsageError
from monitor.replacing import replacing

from .drawing.curves import draw_history


class LogError(MaskgateError):
    """The log of a training could not be written."""


class TrainingLog:
    """Where a training tells of its epochs.

    folder: gets `history.jsonl`, one JSON line an epoch, and `curves.png`; None for neither.
    tensorboard_folder: gets TensorBoard's files; None for none.

    Raises UsageError when TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path | None, tensorboard_folder: Path | None) -> None:
        self._folder = folder
        self._writer = None
        if tensorboard_folder is not None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                raise UsageError(
                    "--tensorboard-dir: TensorBoard is not installed; expected "
                    "`pip install tensorboard`"
                ) from None
            self._writer = SummaryWriter(tensorboard_folder)

    def write(self, history: list[dict[str, Any]]) -> None:
        """Tell of the last epoch of a history; the table of its validation has been printed.

        Raises LogError or DrawingError when that is not possible.
        """
        shown = {name: value for name, value in history[-1].items() if name != "validation"}
        print(json.dumps(shown), flush=True)
        if self._folder is not None:
            self._write_lines(self._folder / "history.jsonl", history)
            draw_history(history, self._folder / "curves.png")
        if self._writer is not None:
            for name, value in numbers(history[-1]):
                self._writer.add_scalar(name, value, history[-1]["epoch"])
            self._writer.flush()

    def _write_lines(self, path: Path, history: list[dict[str, Any]]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "".join(json.dumps(entry) + "\n" for entry in history)
            with replacing(path) as partial:
                partial.write_text(text, encoding="utf-8")
        except OSError as error:
            raise LogError(f"{path}: cannot write the history: {error.strerror}") from None


def numbers(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every number in nested dictionaries, by its path: `validation/door/auc`."""
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from numbers(value, path + "/")
        elif isinstance(value, int | float):
            yield path, value
