"""Thinning: a narrow MobileNetV2 starts with the channels of a wide one that count most."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from export.backbone import MobileNetV2
from export.blocks import InvertedResidual
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights.shape import backbone_shape
from export.weights.state_dict import BODY, load_weights, read_weights
from export.weights.thinning import thinned

PREFIX = "features.3."


def block_of(expansion: int) -> InvertedResidual:
    return InvertedResidual(8, 8, 1, expansion).eval()


def state_of(block: InvertedResidual) -> dict[str, Tensor]:
    return {PREFIX + name: value for name, value in block.state_dict().items()}


def taken(wide: InvertedResidual, narrow: InvertedResidual) -> InvertedResidual:
    """The narrow block with what it takes of the wide one."""
    state = thinned(state_of(wide), state_of(narrow))
    narrow.load_state_dict({name.removeprefix(PREFIX): value for name, value in state.items()})
    return narrow


@torch.no_grad()
def test_channels_that_give_nothing_are_those_left_out() -> None:
    torch.manual_seed(1)
    wide = block_of(6)
    silent = torch.randperm(48)[:24]
    wide.get_parameter("conv.2.weight")[:, silent[:12]] = 0
    # neither its scale nor its offset lets this half of them through
    wide.get_parameter("conv.1.1.weight")[silent[12:]] = 0
    x = torch.randn(2, 8, 10, 10)
    assert torch.allclose(taken(wide, block_of(3))(x), wide(x), atol=1e-5)


@torch.no_grad()
# with 16, as many come in as go out of the first block, which still adds nothing
@pytest.mark.parametrize(("expansion", "channels"), [(4, 24), (3, 16)])
def test_the_stem_makes_only_the_channels_that_the_first_block_needs(
    expansion: int, channels: int
) -> None:
    torch.manual_seed(2)
    wide, narrow = MobileNetV2(1.0).eval(), MobileNetV2(1.0, expansion=expansion).eval()
    silent = torch.randperm(32)[channels:]
    wide.get_parameter("features.1.conv.1.weight")[:, silent] = 0
    state = thinned(wide.state_dict(), narrow.state_dict())
    first = {
        name: value
        for name, value in state.items()
        if name.startswith(("features.0.", "features.1."))
    }
    narrow.load_state_dict(first, strict=False)
    x = torch.randn(2, 3, 32, 32)
    assert narrow.get_parameter("features.0.0.weight").shape[0] == channels
    assert torch.allclose(narrow.features[:2](x), wide.features[:2](x), atol=1e-5)


def test_as_many_channels_as_there_are_stay_as_they_are() -> None:
    wide = state_of(block_of(6))
    same = thinned(wide, state_of(block_of(6)))
    assert same.keys() == wide.keys()
    assert all(torch.equal(same[name], value) for name, value in wide.items())


def test_another_kind_of_network_is_left_alone() -> None:
    state = {"layer1.0.conv2.weight": torch.zeros(8, 8, 3, 3)}
    assert thinned(state, {"layer1.0.conv2.weight": torch.zeros(4, 4, 3, 3)}) == state


@pytest.mark.parametrize("prefix", ["", BODY])
def test_a_narrow_network_takes_every_tensor_of_a_wide_file(tmp_path: Path, prefix: str) -> None:
    wide = MobileNetV2(0.25)
    state = {prefix + n: v for n, v in wide.state_dict().items() if v.is_floating_point()}
    save_file(state, tmp_path / "wide.safetensors")
    config = RetinaNetConfig(("a",), "mobilenet_v2", 0.25, 3, fpn_channels=8, subnet_depth=0)
    weights = read_weights(tmp_path / "wide.safetensors")
    assert backbone_shape(weights.state)["expansion"] == 6
    network = RetinaNet(config)
    report = load_weights(network, weights)
    assert (report.missing, report.unused, report.other_shape) == ((), (), ())
    assert len(report.loaded) == len(state)
    body = {BODY + n: v for n, v in network.backbone.body.state_dict().items()}
    shape = {"backbone": "mobilenet_v2", "width": 0.25, "expansion": 3, "fused": False}
    assert backbone_shape(body) == shape
