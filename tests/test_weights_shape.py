"""What weights say of the network that they are of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from export import checkpoint
from export.anchor_config import AnchorConfig
from export.backbone import BACKBONES
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights.shape import network_shape
from export.weights.state_dict import BODY, Weights, load_weights, read_weights

DETECTOR = ("fpn_channels", "subnet_depth", "head_norm", "p6_from")
BASE = RetinaNetConfig(("a", "b", "c"), "resnet18", width=0.5, fpn_channels=64, subnet_depth=3)


def weights_of(config: RetinaNetConfig, below: str = "") -> Weights:
    """Shapes alone of the tensors whose names begin like that."""
    with torch.device("meta"):
        state = RetinaNet(config).state_dict()
    return Weights("x.pth", {n: v for n, v in state.items() if n.startswith(below)})


def body_fields(config: RetinaNetConfig) -> tuple[str, ...]:
    """What the weights of a backbone say of it; the blocks of a ResNet are always alike."""
    return (
        "backbone",
        "width",
        *(["expansion", "fused"] if config.backbone == "mobilenet_v2" else []),
    )


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("width", [0.25, 1.0])
def test_a_bare_backbone_says_its_name_and_size_and_nothing_else(
    backbone: str, width: float
) -> None:
    config = replace(BASE, backbone=backbone, width=width, expansion=4)
    shape = network_shape(weights_of(config, below=BODY))
    assert shape == {name: getattr(config, name) for name in body_fields(config)}


@pytest.mark.parametrize(
    "differing",
    [
        {},  # as it is
        {"backbone": "resnet50", "width": 0.25},  # blocks of three convolutions
        {"backbone": "mobilenet_v2"},  # another kind of backbone
        {"backbone": "mobilenet_v2", "expansion": 3},  # with narrow blocks
        {"backbone": "mobilenet_v2", "fused": True},  # its first blocks in one
        {"backbone": "mobilenet_v2", "width": 1.0, "fused": True},  # a stem of 32, two blocks of 16
        {"fpn_channels": 96},  # a pyramid that is as wide as no map
        {"subnet_depth": 1},  # shallow subnets
        {"head_norm": "group"},  # group normalisation
        {"p6_from": "c5"},  # P6 from the backbone
        {"p6_from": "c5", "head_norm": "group", "subnet_depth": 4},  # torchvision's second
    ],
)
def test_a_detector_says_how_it_is_built(differing: dict[str, Any]) -> None:
    config = replace(BASE, **differing)
    shape = network_shape(weights_of(config))
    fields = (*body_fields(config), *DETECTOR)
    assert shape == {name: getattr(config, name) for name in fields}


@pytest.mark.parametrize(
    "below",
    [
        "head.",  # subnets alone
        "backbone.fpn.layer_blocks.",  # a part of a pyramid
        "nothing",  # no tensor at all
    ],
)
def test_weights_without_a_backbone_imply_nothing(below: str) -> None:
    assert network_shape(weights_of(BASE, below)) == {}


def test_without_p6_nothing_is_said_of_where_it_comes_from() -> None:
    config = replace(BASE, anchor_sizes=(32.0, 64.0, 128.0), anchor_strides=(8, 16, 32))
    assert network_shape(weights_of(config)).keys() == {
        "backbone",
        "width",
        "fpn_channels",
        "subnet_depth",
        "head_norm",
    }


def test_a_snapshot_as_weights_keeps_anchors_and_normalisation_but_not_its_classes(
    tmp_path: Path,
) -> None:
    anchors = AnchorConfig((10.0, 20.0, 40.0, 80.0), (4, 8, 16, 32), (0.8, 1.25), (1.0, 1.5))
    config = replace(
        BASE,
        width=0.125,
        fpn_channels=8,
        anchor_sizes=anchors.sizes,
        anchor_strides=anchors.strides,
        anchor_ratios=anchors.ratios,
        anchor_scales=anchors.scales,
        mean=(0.5, 0.4, 0.3),
        std=(0.5, 0.6, 0.7),
        prior=0.2,
    )
    learnt, averaged = RetinaNet(config), RetinaNet(config)
    content = {"network": learnt.state_dict(), "averaged": averaged.state_dict()}
    checkpoint.save(tmp_path / "last.pt", {"config": config.to_dict(), **content})
    weights = read_weights(tmp_path / "last.pt")
    started = RetinaNetConfig(("x", "y", "z"), **network_shape(weights))
    assert started == replace(config, classes=("x", "y", "z"), prior=RetinaNetConfig.prior)
    network = RetinaNet(started)
    report = load_weights(network, weights)
    assert (report.missing, report.unused, report.other_shape) == ((), (), ())
    assert report.other_classes
    # the average is what gets exported, and so what another training starts from
    for name, value in averaged.state_dict().items():
        if "cls_logits" not in name:
            assert torch.equal(network.state_dict()[name], value), name
    assert (network.normalisation.mean == averaged.normalisation.mean).all()
    assert network.anchors.per_position == 4
