"""Widening: inner channels are filled up to whole vectors, and nothing else changes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from export.blocks import InvertedResidual
from export.graph.widening import VECTOR, widened
from export.retinanet import RetinaNet, RetinaNetConfig


def network_of(backbone: str, width: float, expansion: int) -> RetinaNet:
    """A network whose normalisations have seen something."""
    torch.manual_seed(0)
    config = RetinaNetConfig(
        ("a", "b"), backbone, width, expansion=expansion, fpn_channels=8, subnet_depth=1
    )
    network = RetinaNet(config)
    network.train()(torch.randint(0, 256, (4, 64, 64, 3), dtype=torch.uint8))
    return network.eval()


def filters(network: RetinaNet) -> list[int]:
    """Numbers of channels that are filtered each by itself, block by block."""
    blocks = [m for m in network.backbone.modules() if isinstance(m, InvertedResidual)]
    layers = [layer for block in blocks for layer in block.modules()]
    return [m.groups for m in layers if isinstance(m, nn.Conv2d) and m.groups > 1]


@pytest.mark.parametrize(
    ("backbone", "width", "expansion"),
    [
        # 72 channels in two of its blocks
        ("mobilenet_v2", 1.0, 3),
        # a stem of 8 channels, which its first block has to take as they are
        ("mobilenet_v2", 0.25, 5),
        # whole vectors already
        ("mobilenet_v2", 1.0, 6),
        # nothing to widen
        ("resnet18", 0.25, 6),
    ],
)
@torch.no_grad()
def test_a_widened_network_says_the_same(backbone: str, width: float, expansion: int) -> None:
    network = network_of(backbone, width, expansion)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pictures = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    wide = widened(network)
    for wanted, found in zip(network(pictures), wide(pictures), strict=True):
        assert torch.allclose(wanted, found, rtol=1e-4, atol=1e-5)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    first, *others = filters(wide) or [0]
    assert [first, len(others)] == [(filters(network) or [0])[0], max(len(filters(network)) - 1, 0)]
    assert all(count % VECTOR == 0 for count in others)


def test_no_more_channels_are_added_than_fill_a_vector() -> None:
    network = network_of("mobilenet_v2", 1.0, 3)
    more = [b - a for a, b in zip(filters(network), filters(widened(network)), strict=True)]
    assert more == [8 if count == 72 else 0 for count in filters(network)]
    assert 8 in more
