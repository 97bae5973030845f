"""Centring: a folded network takes plain pictures, and sees what the network sees."""

from __future__ import annotations

import pytest
import torch

from export.graph.centring import folded
from export.retinanet import IMAGENET_MEAN, IMAGENET_STD, RetinaNet, RetinaNetConfig


@pytest.mark.parametrize(
    ("backbone", "mean", "std"),
    [
        # each colour its own centre and scale
        ("resnet18", IMAGENET_MEAN, IMAGENET_STD),
        # one for all, so that the centre is a number
        ("mobilenet_v2", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        # one centre, three scales
        ("resnet18", (0.5, 0.5, 0.5), IMAGENET_STD),
    ],
)
def test_folding_changes_nothing_that_the_network_says(
    backbone: str, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    torch.manual_seed(0)
    config = RetinaNetConfig(
        ("a", "b"), backbone, 0.25, fpn_channels=8, subnet_depth=1, mean=mean, std=std
    )
    network = RetinaNet(config).eval()
    pictures = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        wanted, found = (n.backbone(n.normalisation(pictures)) for n in (network, folded(network)))
    for before_folding, after in zip(wanted, found, strict=True):
        assert (before_folding - after).abs().max() < 1e-3 * before_folding.std()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_single_centre_is_a_single_number() -> None:
    config = RetinaNetConfig(("a",), "mobilenet_v2", 0.25, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert folded(RetinaNet(config)).normalisation.get_buffer("mean").shape == ()
