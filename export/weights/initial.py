"""Initial weights: the network that a training starts with, and where its values come from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from monitor.errors import ModelError, UsageError

from .. import checkpoint
from ..anchor_config import read_anchor_config
from ..arguments.training import NORMALISATIONS
from ..backbone import EXPANSION
from ..heads import NORM_GROUPS
from ..retinanet import RetinaNet, RetinaNetConfig, network_of
from .fusing import fuse
from .published import FetchError, fetch_imagenet_weights
from .shape import BLOCKS_APART, FUSED, network_shape
from .state_dict import Weights, load_weights, read_weights
from .unfolding import unfold


@dataclass(frozen=True)
class Start:
    """What a training starts with.

    loaded: names of the tensors of the network that are not random.
    folded: whether what was loaded has its batch normalisations folded away, see `unfolding`.
    apart: what `fusing` needs where the network is fused and what was loaded is not, else None.
    """

    network: RetinaNet
    loaded: frozenset[str]
    folded: bool = False
    apart: RetinaNet | None = None

    def adapt(self, pictures: Callable[[], Iterable[Tensor]]) -> None:
        """Find on pictures what was not loaded because the network is built otherwise.

        pictures: gives batches as the network takes them, the same ones at every call.
        """
        if self.apart is not None:
            fuse(self.network, self.apart, pictures)
        if self.folded or self.apart is not None:
            unfold(self.network, pictures())


def initial_network(options: argparse.Namespace, classes: tuple[str, ...]) -> Start:
    """The network that the options describe, with the weights that they name.

    Raises ModelError or UsageError when
    that cannot be done, and FetchError when weights that were asked for cannot be fetched.
    """
    if options.snapshot is not None:
        return _of_snapshot(options.snapshot, classes)
    weights = _weights(options)
    config = RetinaNetConfig(classes=classes, **_shape(options, weights))
    start = Start(RetinaNet(config), frozenset()) if weights is None else _loaded(config, weights)
    if (options.freeze_backbone or options.freeze_stem) and not start.loaded:
        print("nothing is frozen: the backbone starts from random weights", file=sys.stderr)
    return start


def _loaded(config: RetinaNetConfig, weights: Weights) -> Start:
    """A network with what fits of the weights."""
    apart = None
    if config.fused and BLOCKS_APART in weights.state:
        apart = RetinaNet(replace(config, fused=False))
    taking = apart or RetinaNet(config)
    report = load_weights(taking, weights)
    print(f"{weights.name}: {report}", file=sys.stderr)
    if apart is None:
        return Start(taking, report.loaded, weights.folded)
    network = RetinaNet(config)
    same = load_weights(network, Weights(weights.name, apart.state_dict()))
    # what `fuse` finds is not what was loaded, even where it is called the same
    loaded = {name for name in report.loaded & same.loaded if not name.startswith(FUSED)}
    return Start(network, frozenset(loaded), weights.folded, apart)


def _of_snapshot(path: Path, classes: tuple[str, ...]) -> Start:
    """The network of a snapshot, its values still to be restored, and what it had loaded."""
    content = checkpoint.load(path)
    try:
        network = network_of(content["config"])
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from None
    known = network.config.classes
    if known != classes:
        raise UsageError(
            f"--snapshot {path}: trained on the classes {', '.join(known)}, found "
            f"{', '.join(classes)}; expected the same data set"
        )
    return Start(network, frozenset(content["loaded"]))


def _weights(options: argparse.Namespace) -> Weights | None:
    """The weights to start from; None for random ones."""
    if options.weights is not None:
        return read_weights(options.weights)
    if options.no_weights:
        return None
    if options.width not in (None, 1.0):
        if options.imagenet_weights:
            raise UsageError(
                f"--imagenet-weights: found with --width {options.width:g}, expected --width 1: "
                "there are none of other widths"
            )
        _say_random(f"there are none from ImageNet of --width {options.width:g}")
        return None
    try:
        return read_weights(fetch_imagenet_weights(options.backbone or RetinaNetConfig.backbone))
    except FetchError as error:
        if options.imagenet_weights:
            raise
        _say_random(error)
        return None


def _say_random(reason: object) -> None:
    print(f"starting from random weights, which learn far slower: {reason}", file=sys.stderr)


def _shape(options: argparse.Namespace, weights: Weights | None) -> dict[str, Any]:
    """Values for RetinaNetConfig: what was typed, else what the weights imply."""
    shape = network_shape(weights) if weights is not None else {}
    typed = {
        name: value
        for name in ("backbone", "width", "expansion", "fused", "fpn_channels", "subnet_depth")
        if (value := getattr(options, name)) is not None
    }
    if options.normalisation is not None:
        typed["mean"], typed["std"] = NORMALISATIONS[options.normalisation]
    if options.config is not None:
        for name, values in asdict(read_anchor_config(options.config)).items():
            typed[f"anchor_{name}"] = values
    if typed.get("backbone", shape.get("backbone")) != shape.get("backbone", typed.get("backbone")):
        raise UsageError(
            f"--backbone: {typed['backbone']} found, expected {shape['backbone']}, which the "
            f"weights in {weights.name if weights else '?'} are of"
        )
    shape |= typed
    if shape.get("expansion", EXPANSION) < 2:
        raise UsageError(
            f"{weights.name if weights else '?'}: a {shape['backbone']} whose blocks expand "
            "nothing found, expected an expansion of 2 or more"
        )
    for name in ("expansion", "fused"):
        if name in typed and shape.get("backbone") != "mobilenet_v2":
            raise UsageError(
                f"--{name}: found with {shape.get('backbone', RetinaNetConfig.backbone)}, expected "
                "--backbone mobilenet_v2"
            )
    channels = shape.get("fpn_channels", RetinaNetConfig.fpn_channels)
    if shape.get("head_norm") == "group" and channels % NORM_GROUPS:
        raise UsageError(
            f"--fpn-channels: {channels} found, expected a multiple of {NORM_GROUPS}, as the "
            "weights normalise that many groups of them"
        )
    return shape
