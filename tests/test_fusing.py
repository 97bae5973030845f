"""Fusing: one convolution is found that does what several did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from training_cases import drawn_set

from export import checkpoint
from export.__main__ import main
from export.blocks import FusedResidual, InvertedResidual
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights.fusing import LeastSquares, fuse, windows
from monitor.scene import training_picture

APART = RetinaNetConfig(("a", "b"), "mobilenet_v2", expansion=3, fpn_channels=8, subnet_depth=1)


def drawn() -> list[Tensor]:
    """Two batches of pictures."""
    pictures = [training_picture(np.random.default_rng(seed), 96, 64)[0] for seed in range(6)]
    return [torch.from_numpy(np.stack(part)) for part in (pictures[:3], pictures[3:])]


def pair(config: RetinaNetConfig = APART) -> tuple[RetinaNet, RetinaNet]:
    """A network with its first blocks apart, and one with all else of it and one in their place."""
    torch.manual_seed(0)
    apart = RetinaNet(config)
    for batch in drawn() * 5:
        apart.train()(batch)
    fused = RetinaNet(replace(config, fused=True))
    own = fused.state_dict()
    same = {n: v for n, v in apart.state_dict().items() if n in own and v.shape == own[n].shape}
    fused.load_state_dict(same, strict=False)
    return fused.eval(), apart.eval()


@torch.no_grad()
def explained(fused: RetinaNet, apart: RetinaNet) -> float:
    """The share of what comes out of the blocks that is also what comes out of the one."""
    batch = drawn()[1]
    found, wanted = (n.backbone.body.features[:3](n.normalisation(batch)) for n in (fused, apart))
    return 1 - float((found - wanted).square().mean() / wanted.var())


def test_a_block_that_filters_linearly_is_found_again() -> None:
    fused, apart = pair()
    first, second = apart.backbone.body.features[1:3]
    assert isinstance(first, InvertedResidual)
    assert isinstance(second, InvertedResidual)
    with torch.no_grad():
        # what comes from the stem goes on as it is
        for norm in (m for block in (first, second) for m in block.modules()):
            if isinstance(norm, nn.BatchNorm2d):
                norm.reset_running_stats()
                norm.reset_parameters()
        first.conv[0][0].weight.zero_()
        first.conv[0][0].weight[:, :, 1, 1] = 1.0
        first.conv[1].weight.copy_(torch.eye(16).reshape(16, 16, 1, 1))
        # three copies of each channel, which no activation cuts
        second.conv[0][0].weight.copy_(torch.eye(16).repeat(3, 1).reshape(48, 16, 1, 1))
        fuse(fused, apart, drawn)
    assert explained(fused, apart) > 0.95


def test_blocks_as_they_come_are_found_for_the_most_part() -> None:
    fused, apart = pair()
    before = explained(fused, apart)
    fuse(fused, apart, drawn)
    assert explained(fused, apart) > max(0.6, before + 0.5)


def test_only_the_one_block_changes() -> None:
    fused, apart = pair()
    before = [
        {name: value.clone() for name, value in network.state_dict().items()}
        for network in (fused, apart)
    ]
    fuse(fused, apart, drawn)
    for network, earlier in zip((fused, apart), before, strict=True):
        changed = {n for n, v in network.state_dict().items() if not torch.equal(v, earlier[n])}
        assert all("features.2.conv." in name for name in changed)
        assert bool(changed) == (network is fused)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3])
def test_windows_are_what_a_convolution_multiplies(kernel: int, stride: int) -> None:
    convolution = nn.Conv2d(2, 3, kernel, stride, padding=kernel // 2, bias=False)
    x = torch.randn(2, 2, 6, 9)
    by_hand = torch.einsum("oi,bihw->bohw", convolution.weight.flatten(1), windows(x, convolution))
    assert torch.allclose(by_hand, convolution(x), atol=1e-5)


def test_inputs_that_are_much_alike_get_small_weights() -> None:
    torch.manual_seed(0)
    one = torch.randn(1, 1, 40, 40)
    alike = torch.cat([one, one + 1e-4 * torch.randn_like(one)], dim=1)
    wanted = one + 0.1 * torch.randn_like(one)
    sizes = []
    for ridge in (0.0, 1e-2):
        squares = LeastSquares(2, 1)
        squares.add(alike, wanted)
        sizes.append(float(squares.solve(ridge)[0].abs().max()))
    assert sizes[0] > 10
    assert sizes[1] == pytest.approx(0.5, abs=0.05)


def test_networks_without_such_a_block_are_refused() -> None:
    fused, apart = pair()
    with pytest.raises(ValueError, match="no FusedResidual"):
        fuse(apart, apart, drawn)
    with pytest.raises(ValueError, match="fused already"):
        fuse(fused, fused, drawn)
    resnet = RetinaNet(RetinaNetConfig(("a",), "resnet18", 0.25, fpn_channels=8))
    with pytest.raises(ValueError, match="ResNet found"):
        fuse(resnet, apart, drawn)


def test_the_one_block_halves_the_map() -> None:
    network = RetinaNet(replace(APART, fused=True))
    features = network.backbone.body.features
    assert isinstance(features[2], FusedResidual)
    assert features[:3](torch.zeros(1, 3, 64, 96)).shape == (1, 24, 16, 24)


def test_a_training_begins_with_what_the_blocks_of_its_weights_do(tmp_path: Path) -> None:
    _, apart = pair()
    torch.save(apart.state_dict(), tmp_path / "apart.pth")
    words = ["--weights", str(tmp_path / "apart.pth"), "--fused", "--precision", "fp32"]
    words += ["--image-min-side", "128", "--image-max-side", "128", "--workers", "0"]
    words += ["--epochs", "1", "--steps", "1", "--lr", "1e-9", "--batch-size", "4"]
    words += ["--snapshot-path", str(tmp_path / "run"), "--no-evaluation", "pascal"]
    assert main(["train", *words, str(drawn_set(tmp_path / "set"))]) == 0
    network, content = checkpoint.load_network(tmp_path / "run" / "last.pt")
    assert content["config"]["fused"]
    assert explained(network.eval(), apart) > 0.6
    # what was found is not said to have been loaded, or it would be frozen as such
    assert any("features.3." in name for name in content["loaded"])
    assert not any("features.2." in name for name in content["loaded"])
