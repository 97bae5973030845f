"""Quantisation: what becomes int8, and what its steps are spent on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, numpy_helper

from export.graph.centring import folded
from export.graph.frame_detector import FrameDetector
from export.graph.onnx_graph import trace
from export.graph.quantize import quantise, thin
from export.postprocess import PostprocessConfig
from export.retinanet import RetinaNet, RetinaNetConfig
from monitor.contract import ResizeRule
from monitor.scene import training_picture

RULE = ResizeRule(64, 64)
STEPS = 255


@pytest.fixture(scope="module")
def quantised() -> ModelProto:
    """A small MobileNetV2 in int8, far surer of the background than of anything else."""
    torch.manual_seed(0)
    config = RetinaNetConfig(("a", "b"), "mobilenet_v2", 0.25, fpn_channels=8, subnet_depth=1)
    network = RetinaNet(config).eval()
    head = network.head
    with torch.no_grad():
        head.classification_head.get_parameter("cls_logits.bias").fill_(-40.0)
        head.regression_head.get_parameter("bbox_reg.bias").fill_(20.0)
    model = trace(FrameDetector(folded(network), PostprocessConfig(), RULE).eval())
    drawn = [training_picture(np.random.default_rng(seed), 80, 80)[0] for seed in range(4)]
    return quantise(model, [np.asarray(cv2.resize(picture, (64, 64))) for picture in drawn])


def spans(model: ModelProto, predictor: str) -> list[tuple[float, float]]:
    """The least and the largest value that each of a predictor's outputs can hold."""
    values = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
    weights = {n.output[0]: n.input[0] for n in model.graph.node if n.op_type == "DequantizeLinear"}
    outputs = {
        n.output[0]
        for n in model.graph.node
        if n.op_type == "Conv" and predictor in weights.get(n.input[1], "")
    }
    found = []
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear" and node.input[0] in outputs:
            step, zero = (values[name] for name in node.input[1:3])
            lowest = -float(zero) * float(step)
            found.append((lowest, lowest + STEPS * float(step)))
    return found


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((32, 3, 3, 3), True),  # a MobileNetV2's stem
        ((32, 1, 3, 3), True),  # filters each channel by itself
        ((16, 32, 1, 1), True),
        ((96, 16, 1, 1), False),  # many channels
        ((33, 1, 3, 3), False),
        ((64, 3, 7, 7), False),  # a ResNet's stem: each value of 147 others
        ((8, 33, 1, 1), False),
    ],
)
def test_a_thin_convolution_makes_few_channels_of_few_values(
    shape: Sequence[int], expected: bool
) -> None:
    assert thin(shape) == expected


def test_thin_convolutions_at_the_beginning_stay_in_float32(quantised: ModelProto) -> None:
    kinds = {w.name: w.data_type for w in quantised.graph.initializer}
    made = {n.output[0]: n.input[0] for n in quantised.graph.node}
    convolutions = [n for n in quantised.graph.node if n.op_type == "Conv"]
    in_float = [kinds.get(n.input[1]) == onnx.TensorProto.FLOAT for n in convolutions]
    assert in_float[0]
    assert not in_float[-1]
    # the rest, without a gap
    assert all(before or not after for before, after in pairwise(in_float))
    rest = [made[n.input[1]] for n, left in zip(convolutions, in_float, strict=True) if not left]
    assert {kinds[name] for name in rest} == {onnx.TensorProto.INT8}


def test_the_background_takes_no_steps_from_the_scores(quantised: ModelProto) -> None:
    found = spans(quantised, "cls_logits")
    assert len(found) == 5
    for lowest, highest in found:
        assert lowest == pytest.approx(-4.0, abs=0.1)
        assert highest >= 0.0


def test_boxes_far_from_their_anchors_take_no_steps_from_the_others(
    quantised: ModelProto,
) -> None:
    found = spans(quantised, "bbox_reg")
    assert len(found) == 5
    for span in found:
        assert span == pytest.approx((-1.5, 1.5), abs=0.02)
