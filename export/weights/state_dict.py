"""Weights: start a network from a published state dict, by parameter name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from monitor.errors import ModelError

from ..checkpoint import check_file, read_torch_file
from ..retinanet import RetinaNet
from .exported import read_exported
from .thinning import thinned

BODY = "backbone.body."
EXPECTED = "a .pth or .safetensors file of PyTorch, such as torchvision publishes"
CLASSIFIER = "head.classification_head.cls_logits."
# torchvision's names before its layers were nested: (pattern, replacement)
OLD_NAMES = (
    (r"(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$", r"\1.0.\2"),
    (
        r"(head\.\w+_head\.conv)\.(\d+)\.(weight|bias)$",
        lambda found: f"{found[1]}.{int(found[2]) // 2}.0.{found[3]}",
    ),
)


@dataclass(frozen=True)
class Weights:
    """The tensors of a file.

    name: of the file, for messages.
    state: float32 tensors under torchvision's current names of a whole RetinaNet.
    config: what the file says of its network: names and values of RetinaNetConfig; empty for a bare
        state dict.
    folded: whether its batch normalisations are part of the convolutions, see `unfolding`.
    """

    name: str
    state: dict[str, Tensor]
    config: dict[str, Any] = field(default_factory=dict)
    folded: bool = False


@dataclass(frozen=True)
class WeightsReport:
    """What a file gave to a network.

    loaded: names of the parameters and buffers taken.
    missing: names of the network's backbone that the file lacks; they keep their random start.
    unused: names of the file that the network lacks.
    other_shape: names found in both, with different shapes; they keep their random start.
    other_classes: whether the file's class head is for other classes or anchors; the network's then
        keeps its random start.
    """

    loaded: frozenset[str]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    other_shape: tuple[str, ...]
    other_classes: bool

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors loaded"]
        for title, names in (
            ("missing, so left random", self.missing),
            ("not used", self.unused),
            ("of another shape, so left random", self.other_shape),
        ):
            if names:
                shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
                parts.append(f"{len(names)} {title} ({shown})")
        if self.other_classes:
            parts.append("the class head is for other classes or anchors and starts anew")
        return "; ".join(parts)


def read_weights(path: Path) -> Weights:
    """The tensors of a .safetensors or .pth file, a snapshot or an exported ONNX file.

    No code found in it is run. Raises ModelError when it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        state, config = read_exported(path)
        return Weights(path.name, state, config, folded=True)
    if suffix != ".safetensors":
        content = read_torch_file(path, EXPECTED)
    else:
        check_file(path)
        try:
            content = load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path}: damaged: {error}") from None
    config = {}
    if isinstance(content, dict) and "averaged" in content and "config" in content:
        content, config = content["averaged"], content["config"]
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise ModelError(f"{path}: no state dict found, expected tensors by name")
    return Weights(path.name, with_current_names(content), config)


def with_current_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point tensors as float32, under torchvision's current names of a whole RetinaNet."""
    if not any(name.startswith("backbone.") for name in state):
        state = {BODY + name: value for name, value in state.items()}
    result = {}
    for name, value in state.items():
        for pattern, replacement in OLD_NAMES:
            name = re.sub(pattern, replacement, name)
        if value.is_floating_point():
            result[name] = value.float()
    return result


def load_weights(network: RetinaNet, weights: Weights) -> WeightsReport:
    """Copy what fits, by name and shape, into the network; raises ModelError when nothing does.

    Two habits of torchvision's do not show in a state dict and are not followed. It gives its
    published retinanet_resnet50_fpn, and no other network here, batch normalisations of epsilon 0;
    here it stays 1e-5, as PyTorch trains none with 0. And the first column of its class heads is
    the background: a head with as many columns as there are classes here is taken column by column,
    unless the file says which classes they are.
    """
    own = network.state_dict()
    state = thinned(_by_class_names(weights, network.config.classes), own)
    fitting = {n: v for n, v in state.items() if n in own and v.shape == own[n].shape}
    if not fitting:
        raise ModelError(
            f"{weights.name}: no tensor fits a {network.config.backbone} of width "
            f"{network.config.width:g}"
        )
    network.load_state_dict(fitting, strict=False)
    wanted = {n for n, v in own.items() if n.startswith(BODY) and v.is_floating_point()}
    return WeightsReport(
        loaded=frozenset(fitting),
        missing=tuple(sorted(wanted - state.keys())),
        unused=tuple(sorted(state.keys() - own.keys())),
        other_shape=tuple(sorted((state.keys() & own.keys()) - fitting.keys())),
        other_classes=CLASSIFIER + "weight" in weights.state.keys() - fitting.keys(),
    )


def _by_class_names(weights: Weights, classes: tuple[str, ...]) -> dict[str, Tensor]:
    """The tensors, those of the class head for these classes in this order.

    They are left out where the file lacks one of the classes, and stay as they are where it does
    not say which ones it has.
    """
    theirs = weights.config.get("classes", classes)
    if tuple(theirs) == classes:
        return weights.state
    head = {name: value for name, value in weights.state.items() if name.startswith(CLASSIFIER)}
    state = {name: value for name, value in weights.state.items() if name not in head}
    if set(classes) <= set(theirs):
        columns = [theirs.index(name) for name in classes]
        for name, value in head.items():
            # the outputs are numbered by anchor, then by class
            state[name] = value.unflatten(0, (-1, len(theirs)))[:, columns].flatten(0, 1)
    return state
