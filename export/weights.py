"""Weights: start a network from a published state dict, by parameter name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from monitor.errors import ModelError

from .checkpoint import read_torch_file
from .retinanet import RetinaNet

BODY = "backbone.body."


@dataclass(frozen=True)
class WeightsReport:
    """What a file gave to a network.

    loaded: parameters and buffers taken.
    missing: names of the network's backbone that the file lacks; they keep their random start.
    unused: names of the file that the network lacks.
    other_shape: names found in both, with different shapes; they keep their random start.
    """

    loaded: int
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    other_shape: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{self.loaded} tensors loaded"]
        for title, names in (
            ("missing", self.missing),
            ("unused", self.unused),
            ("other shape", self.other_shape),
        ):
            if names:
                shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
                parts.append(f"{len(names)} {title} ({shown})")
        return "; ".join(parts)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .pth file, as float32; never runs code found in it."""
    if path.suffix != ".safetensors":
        state = read_torch_file(path)
    elif not path.is_file():
        raise ModelError(f"{path}: no such file")
    else:
        try:
            state = load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path}: damaged: {error}") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ModelError(f"{path}: no state dict found, expected tensors by name")
    return {name: value.float() for name, value in state.items() if value.is_floating_point()}


def load_weights(network: RetinaNet, path: Path) -> WeightsReport:
    """Copy what fits, by name and shape, into the network.

    path: a whole RetinaNet under torchvision's names, or a bare backbone.

    Raises ModelError when nothing fits.
    """
    state = read_state(path)
    if not any(name.startswith("backbone.") for name in state):
        state = {BODY + name: value for name, value in state.items()}
    own = network.state_dict()
    fitting = {n: v for n, v in state.items() if n in own and v.shape == own[n].shape}
    if not fitting:
        raise ModelError(
            f"{path}: no tensor fits a {network.config.backbone} of width {network.config.width}"
        )
    network.load_state_dict(fitting, strict=False)
    wanted = {n for n, v in own.items() if n.startswith(BODY) and v.is_floating_point()}
    return WeightsReport(
        loaded=len(fitting),
        missing=tuple(sorted(wanted - state.keys())),
        unused=tuple(sorted(state.keys() - own.keys())),
        other_shape=tuple(sorted((state.keys() & own.keys()) - fitting.keys())),
    )
