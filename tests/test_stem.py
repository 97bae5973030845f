"""Stem: what a processor does with bytes is what the network does with pictures."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from export.graph.centring import folded
from export.graph.frame_detector import FrameDetector
from export.graph.onnx_graph import trace
from export.graph.quantize import quantise
from export.graph.stem import ByFours, OnBytes, by_fours, on_bytes, one_by_one
from export.postprocess import PostprocessConfig
from export.retinanet import IMAGENET_MEAN, IMAGENET_STD, RetinaNet, RetinaNetConfig
from monitor.contract import INPUT, ResizeRule

HALF = (0.5, 0.5, 0.5)
# 128 / 255, so that the centre is a whole number
WHOLE = (128 / 255,) * 3


def network_of(
    mean: tuple[float, ...], *, fused: bool, backbone: str = "mobilenet_v2"
) -> RetinaNet:
    """A small network whose normalisations have seen something."""
    torch.manual_seed(0)
    std = HALF if mean != IMAGENET_MEAN else IMAGENET_STD
    width = 1.0 if backbone == "mobilenet_v2" else 0.25
    network = RetinaNet(
        RetinaNetConfig(
            ("a", "b"),
            backbone,
            width,
            expansion=3,
            fused=fused,
            fpn_channels=8,
            subnet_depth=1,
            mean=mean,
            std=std,
        )
    )
    network.train()(torch.randint(0, 256, (4, 64, 64, 3), dtype=torch.uint8))
    return network.eval()


@given(outputs=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_four_pixels_at_once_give_what_each_gives(outputs: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randint(-9, 9, (outputs, 3, 3, 3), generator=generator).float()
    picture = torch.randint(-128, 128, (1, 3, 8, 16), generator=generator).float()
    wanted = functional.conv2d(picture, weight, stride=2, padding=1)
    fours = picture.unflatten(3, (-1, 4)).permute(0, 4, 1, 2, 3).flatten(1, 2)
    pairs = functional.conv2d(
        functional.pad(fours, (1, 0)), by_fours(weight), stride=(2, 1), padding=(1, 0)
    )
    found = pairs.unflatten(1, (2, outputs)).permute(0, 2, 3, 4, 1).flatten(3)
    assert torch.equal(found, wanted)
    assert torch.equal(one_by_one(by_fours(weight)), weight)


@pytest.mark.parametrize(
    ("mean", "fused", "backbone", "tolerance"),
    [
        (WHOLE, True, "mobilenet_v2", 1e-4),
        (WHOLE, False, "mobilenet_v2", 1e-4),
        (WHOLE, False, "resnet18", 1e-4),
        # what lies beside the picture is half a level lighter
        (HALF, True, "mobilenet_v2", 0.02),
        (HALF, False, "mobilenet_v2", 0.02),
        # a centre for each colour
        (IMAGENET_MEAN, False, "resnet18", 1e-4),
    ],
)
@torch.no_grad()
def test_a_network_on_bytes_says_the_same(
    mean: tuple[float, ...], fused: bool, backbone: str, tolerance: float
) -> None:
    network = network_of(mean, fused=fused, backbone=backbone)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pictures = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    taking = on_bytes(folded(network))
    assert isinstance(taking.normalisation, OnBytes) == (mean != IMAGENET_MEAN)
    stems = [module for module in taking.modules() if isinstance(module, ByFours)]
    assert len(stems) == (backbone == "mobilenet_v2")
    wanted, found = (n.backbone(n.normalisation(pictures)) for n in (network, taking))
    for on_pictures, after in zip(wanted, found, strict=True):
        assert (on_pictures - after).abs().mean() < tolerance * on_pictures.std()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_graph_in_int8_takes_the_bytes_themselves() -> None:
    """Pictures to calibrate with that are far from black and white change nothing of it."""
    network = network_of(HALF, fused=True)
    rule = ResizeRule(64, 64)
    config = PostprocessConfig()
    grey = [np.full((64, 64, 3), level, np.uint8) for level in (100, 110, 120)]
    prepared = on_bytes(folded(network))
    model = quantise(trace(FrameDetector(prepared, config, rule, for_processor=True).eval()), grey)
    made = {name: node for node in model.graph.node for name in node.output}
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    taking = made[first.input[0]]
    assert taking.op_type == "DequantizeLinear"
    assert made[taking.input[0]].op_type == "Transpose"
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    boxes, scores = session.run(None, {INPUT: np.full((1, 64, 64, 3), 105, np.uint8)})
    assert boxes.shape[2:] == (4,)
    assert (scores >= 0).all()
