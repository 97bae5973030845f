"""Mean: `python -m export mean`, one snapshot of what several trainings of a network learnt."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from monitor.errors import ModelError, UsageError

from . import checkpoint
from .output_files import make_folders

# What only a training that goes on would need.
_UNDER_WAY = ("network", "steps_averaged", "optimiser", "scaler")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `mean`."""
    parser.add_argument("output", type=Path, metavar="OUT.pt", help="snapshot to be written")
    parser.add_argument(
        "snapshots",
        type=Path,
        nargs="+",
        metavar="SNAPSHOT.pt",
        help="two or more of one network, each begun from the one before or from the same weights",
    )


def run(options: argparse.Namespace) -> int:
    """Carry out `mean`; returns the exit code."""
    if len(options.snapshots) < 2:
        raise UsageError("SNAPSHOT.pt: one found, expected two or more")
    make_folders(files=(options.output,))
    contents = [checkpoint.load_network(path)[1] for path in options.snapshots]
    for path, content in zip(options.snapshots, contents, strict=True):
        check_alike(path, content, options.snapshots[0], contents[0])
    last = {name: value for name, value in contents[-1].items() if name not in _UNDER_WAY}
    last["averaged"] = mean_state([content["averaged"] for content in contents])
    last["arguments"] |= {"mean_of": [path.name for path in options.snapshots]}
    # They were those of another network.
    last["history"] = []
    checkpoint.save(options.output, last)
    print(f"{options.output}: the mean of {len(contents)} snapshots")
    return 0


def check_alike(path: Path, content: dict[str, Any], first: Path, wanted: dict[str, Any]) -> None:
    """Raise ModelError where a snapshot is of another network, or looks at another size."""
    for part in ("config", "resize"):
        differing = [
            f"{name} {content[part].get(name)} found, expected {value}"
            for name, value in wanted[part].items()
            if content[part].get(name) != value
        ]
        if differing:
            raise ModelError(f"{path}: {'; '.join(differing)}, as in {first}")


def mean_state(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of each tensor; of what counts, such as batches seen, the last one's.

    Wortsman et al. 2022, https://arxiv.org/abs/2203.05482: where trainings went on from the same
    weights, the mean of theirs is a network as well, often a better one than each.
    """
    return {
        name: sum(state[name] / len(states) for state in states)
        if value.is_floating_point()
        else value
        for name, value in states[-1].items()
    }
