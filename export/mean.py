"""Mean: `python -m export mean`, one snapshot of what several trainings of a network learnt."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from monitor.errors import ModelError, UsageError

from . import checkpoint
from .output_files import make_folders
from .retinanet import RetinaNet
from .weights.folding import expect, folded_into, refold, scale_of, with_norms

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
    loaded = [checkpoint.load_network(path) for path in options.snapshots]
    shapes = [network.config.to_dict() | content["resize"] for network, content in loaded]
    for path, shape in zip(options.snapshots, shapes, strict=True):
        check_alike(path, shape, options.snapshots[0], shapes[0])
    last = {name: value for name, value in loaded[-1][1].items() if name not in _UNDER_WAY}
    last["averaged"] = mean_of([network for network, _ in loaded]).state_dict()
    last["arguments"] |= {"mean_of": [path.name for path in options.snapshots]}
    # They were those of another network.
    last["history"] = []
    checkpoint.save(options.output, last)
    print(f"{options.output}: the mean of {len(loaded)} snapshots")
    return 0


def check_alike(path: Path, found: dict[str, Any], first: Path, wanted: dict[str, Any]) -> None:
    """Raise ModelError where a snapshot is of another network, or looks at another size.

    found, wanted: names and values of its config and resize rule, and of the first one's.
    """
    differing = [
        f"{name} {found[name]} found, expected {value}"
        for name, value in wanted.items()
        if found[name] != value
    ]
    if differing:
        raise ModelError(f"{path}: {'; '.join(differing)}, as in {first}")


@torch.no_grad()
def mean_of(networks: Sequence[RetinaNet]) -> RetinaNet:
    """The network between several: the mean of each parameter, batch normalisations folded.

    Wortsman et al. 2022, https://arxiv.org/abs/2203.05482: where trainings went on from the same
    weights, the mean of theirs is a network as well, often a better one than each.

    A convolution and the normalisation after it can do the same in many ways, and a training begun
    from an exported file has others than one begun from a snapshot; so the mean is of what they do.

    networks: alike but for their weights. What the normalisations of the mean take for usual is
        what those of the last do.
    """
    result = copy.deepcopy(networks[-1])
    for name, parameter in result.named_parameters():
        parameter.copy_(_mean([network.get_parameter(name) for network in networks]))
    pairs = zip(*map(with_norms, networks), strict=True)
    for (convolution, norm), alike in zip(with_norms(result), pairs, strict=True):
        if norm is not None:
            folded = [folded_into(*pair) for pair in alike]
            weight, bias = (_mean(part) for part in zip(*folded, strict=True))
            scale, usual = scale_of(norm), norm.running_mean.clone()
            variance = norm.running_var * scale.square()
            refold(convolution, norm, weight, bias)
            expect(norm, usual * scale, variance)
    return result


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(tuple(tensors)).mean(dim=0)
