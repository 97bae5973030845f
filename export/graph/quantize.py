"""Quantisation: the convolutions of a graph in int8, by what they see in real pictures."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
from onnx import GraphProto, ModelProto, NodeProto, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from monitor.contract import INPUT, ResizeRule
from monitor.errors import UsageError
from monitor.frame import Image

from ..datasets import read_picture
from ..predict import find_pictures

CALIBRATION_PICTURES = 64
# What lies between two convolutions is named as well, so that it takes int8 from the one and hands
# int8 to the other instead of going through float32.
QUANTISED = ("Conv", "Relu", "Clip", "Add")
# Between these, what a predictor gives matters: a score below 0.02 never counts, and an anchor less
# than a quarter or more than four times as wide as its object is rare. How sure a network is of the
# background lies far below, and would take most of the 256 steps.
RANGES: dict[str, dict[str, float]] = {
    "cls_logits.weight": {"rmin": -4.0},
    "bbox_reg.weight": {"rmin": -1.5, "rmax": 1.5},
}
# A convolution of no more channels than this, each value of no more than so many others, is no
# faster in int8: see `thin` in EXPERIMENTS.md.
THIN = 32


def quantise(model: ModelProto, pictures: Sequence[Image]) -> ModelProto:
    """A copy of a graph with its convolutions in int8 (QDQ), weights by channel.

    In float32 stay the thin convolutions that a network may begin with, all that comes before, and
    all that comes after the last convolution.

    pictures: uint8 [H, W, 3] BGR each, of the network's size; the range of every activation but
        those of RANGES is what they span. Without VNNI a processor may saturate where two products
        are added up.
    """
    with TemporaryDirectory() as folder, quiet_quantiser():
        traced, prepared, quantised = (Path(folder, f"{n}.onnx") for n in range(3))
        onnx.save(model, traced)
        # symbolic inference only speeds up the calibration, and gives up on some graphs
        quant_pre_process(traced, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph
        quantize_static(
            prepared,
            quantised,
            Calibration(pictures),
            op_types_to_quantize=list(QUANTISED),
            nodes_to_quantize=inner_nodes(nodes),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"TensorQuantOverrides": narrowed(nodes) | of_bytes(nodes)},
        )
        result = onnx.load(quantised)
    hand_on_bytes(result.graph)
    return result


def hand_on_bytes(graph: GraphProto) -> None:
    """Let what takes quantised bytes take the bytes, in place.

    graph: as the quantiser left it. What comes of a DequantizeLinear it quantises once more, by the
        same numbers, as `of_bytes` has told it.
    """
    made = {node.output[0]: node for node in graph.node}
    for again in [node for node in graph.node if node.op_type == "DequantizeLinear"]:
        quantising = made.get(again.input[0])
        first = made.get(quantising.input[0]) if quantising else None
        if not first or first.op_type != "DequantizeLinear":
            continue
        for taking in graph.node:
            if again.output[0] in taking.input:
                taking.input[list(taking.input).index(again.output[0])] = first.output[0]
        graph.node.remove(quantising)
        graph.node.remove(again)


def inner_nodes(graph: GraphProto) -> list[str]:
    """Names of the nodes from the first convolution that is not thin to those that predict."""
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    shapes = {weight.name: weight.dims for weight in graph.initializer}
    wide = (node for node in convolutions if not thin(shapes[node.input[1]]))
    reached = {next(wide, convolutions[0]).input[0]}
    after = []
    for node in graph.node:  # a graph lists what makes a value before what takes it
        if reached & set(node.input):
            reached.update(node.output)
            after.append(node)
    needed = set(narrowed(graph))
    inner: list[NodeProto] = []
    for node in reversed(after):
        if needed & set(node.output):
            needed.update(node.input)
            inner.append(node)
    return [node.name for node in inner if node.op_type in QUANTISED]


def thin(shape: Sequence[int]) -> bool:
    """Whether int8 saves no time in a convolution; `shape` [O, I, h, w] is of its weights."""
    return shape[0] <= THIN and math.prod(shape[1:]) <= THIN


def narrowed(graph: GraphProto) -> dict[str, list[dict[str, np.float32]]]:
    """Limits to the range of what each predictor gives, by the name of that."""
    return {
        node.output[0]: [{side: np.float32(value) for side, value in limits.items()}]
        for node in graph.node
        for predictor, limits in RANGES.items()
        if node.op_type == "Conv" and node.input[1].endswith(predictor)
    }


def of_bytes(graph: GraphProto) -> dict[str, list[dict[str, npt.NDArray[Any]]]]:
    """Scale and zero point of the bytes that a graph centres, by the name of what comes of them."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    return {
        node.output[0]: [
            {
                part: numpy_helper.to_array(stored[name])
                for part, name in zip(("scale", "zero_point"), node.input[1:], strict=True)
            }
        ]
        for node in graph.node
        if node.op_type == "DequantizeLinear"
    }


class Calibration(CalibrationDataReader):
    """Hands out pictures to the quantiser, one by one."""

    def __init__(self, pictures: Sequence[Image]) -> None:
        self._pictures = iter(pictures)

    def get_next(self) -> dict[str, Image] | None:
        """The next input of the graph, or None after the last."""
        picture = next(self._pictures, None)
        return None if picture is None else {INPUT: picture[None]}


def calibration_pictures(folder: Path, resize: ResizeRule) -> list[Image]:
    """Some pictures of a folder, spread over all by name, at the network's size.

    Raises UsageError for a folder that is none or holds no picture, DatasetError for a picture that
    cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"--calibration: {folder}: no such folder")
    paths = find_pictures([folder])
    chosen = np.linspace(0, len(paths) - 1, min(len(paths), CALIBRATION_PICTURES)).round()
    return [_resized(read_picture(paths[int(index)]), resize) for index in chosen]


def _resized(image: Image, resize: ResizeRule) -> Image:
    size = resize.size(image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)


@contextlib.contextmanager
def quiet_quantiser() -> Iterator[None]:
    """Keep the quantiser from giving advice on the root logger."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
