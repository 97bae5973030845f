"""What shape of network a state dict belongs to, so that it need not be typed again."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..backbone import RESNET_BLOCKS
from .state_dict import BODY, Weights

INNER = "backbone.fpn.inner_blocks.0.0.weight"
P6 = "backbone.fpn.extra_blocks.p6.weight"
# of a MobileNetV2; one that is fused has no place for it
BLOCKS_APART = f"{BODY}features.1.conv.0.0.weight"
# what begins the names of the one block in their place
FUSED = f"{BODY}features.2."
SUBNET = "head.classification_head.conv."
SHAPE_FIELDS = (
    "backbone",
    "width",
    "expansion",
    "fused",
    "fpn_channels",
    "subnet_depth",
    "head_norm",
    "p6_from",
    "mean",
    "std",
)


def network_shape(weights: Weights) -> dict[str, Any]:
    """Names and values of RetinaNetConfig that the weights imply, as far as they imply any.

    A backbone without a pyramid implies the backbone alone. A snapshot of this program says also
    which anchors and which normalisation it was trained with.
    """
    if weights.config:
        return {k: v for k, v in weights.config.items() if k in SHAPE_FIELDS or "anchor" in k}
    return {**backbone_shape(weights.state), **detector_shape(weights.state)}


def backbone_shape(state: dict[str, Tensor]) -> dict[str, Any]:
    """Name and width of the backbone."""
    first = state.get(f"{BODY}conv1.weight")
    if first is not None:
        blocks = tuple(_count(state, f"{BODY}layer{stage}.") for stage in (1, 2, 3))
        bottleneck = f"{BODY}layer1.0.conv3.weight" in state
        for name, depths in RESNET_BLOCKS.items():
            wide = name not in ("resnet18", "resnet34")
            if depths[:3] == blocks and wide == bottleneck:
                return {"backbone": name, "width": first.shape[0] / 64}
    last = state.get(f"{BODY}features.17.conv.2.weight")
    if last is not None:
        shape: dict[str, Any] = {"backbone": "mobilenet_v2", "width": last.shape[0] / 320}
        inner = state.get(f"{BODY}features.3.conv.0.0.weight")
        if inner is not None:
            # a block that expands nothing begins with what filters each channel
            expands = inner.shape[2] == 1
            shape["expansion"] = inner.shape[0] // inner.shape[1] if expands else 1
            shape["fused"] = BLOCKS_APART not in state
        return shape
    return {}


def detector_shape(state: dict[str, Tensor]) -> dict[str, Any]:
    """Pyramid and subnets of a whole RetinaNet; nothing for a bare backbone."""
    if INNER not in state:
        return {}
    channels = state[INNER].shape[0]
    shape: dict[str, Any] = {"fpn_channels": channels}
    if P6 in state:
        shape["p6_from"] = "p5" if state[P6].shape[1] == channels else "c5"
    depth = _count(state, SUBNET)
    if depth:
        shape["subnet_depth"] = depth
        shape["head_norm"] = "group" if f"{SUBNET}0.1.weight" in state else "none"
    return shape


def _count(state: dict[str, Tensor], prefix: str) -> int:
    """How many numbered modules there are below a name."""
    return len({name[len(prefix) :].split(".")[0] for name in state if name.startswith(prefix)})
