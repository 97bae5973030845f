"""Options of keras-retinanet that mean nothing here any more, and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

# command: {option: (values it takes, why it is gone)}
RETIRED: dict[str, dict[str, tuple[int, str]]] = {
    "train": {
        "--multi-gpu": (1, "start several processes with torchrun instead"),
        "--multi-gpu-force": (0, "start several processes with torchrun instead"),
        "--multiprocessing": (0, "views are always made by --workers processes"),
        "--max-queue-size": (1, "each worker keeps two batches ready"),
        "--tensorboard-freq": (1, "TensorBoard gets one point an epoch"),
        "--weighted-average": (0, "the table shows every class with its count beside the mean"),
        "--group-method": (1, "augmented views have one size; whole pictures go by their shape"),
    },
    "evaluate": {
        "--convert-model": (0, "a snapshot is evaluated as it is"),
        "--backbone": (1, "the model says which backbone it has"),
        "--config": (1, "the model says which anchors it has"),
        "--group-method": (1, "pictures are evaluated one by one"),
    },
    "debug": {
        "--group-method": (1, "pictures are shown one by one"),
    },
    "onnx": {
        "--backbone": (1, "the snapshot says which backbone it has"),
        "--config": (1, "the snapshot says which anchors it has"),
        "--parallel-iterations": (1, "the graph takes a whole batch at once"),
    },
}


class Retired(argparse.Action):
    """Says why an option is gone, and goes on without it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        print(f"{parser.prog}: note: {option_string} is ignored: {self.help}", file=sys.stderr)


def add_retired(parser: argparse.ArgumentParser, command: str) -> None:
    """Let a command take the options that keras-retinanet's had, each with a note instead."""
    group = parser.add_argument_group("options of keras-retinanet that are ignored")
    for option, (count, reason) in RETIRED[command].items():
        group.add_argument(
            option,
            action=Retired,
            nargs=None if count else 0,
            dest=argparse.SUPPRESS,
            default=argparse.SUPPRESS,
            metavar="X" if count else None,
            help=reason,
        )
