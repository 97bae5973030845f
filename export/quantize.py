"""Quantisation: the convolutions of a graph in int8, by what they see in real pictures."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from monitor.contract import INPUT, ResizeRule
from monitor.errors import UsageError
from monitor.frame import Image

from .datasets import read_picture
from .predict import find_pictures

CALIBRATION_PICTURES = 64
# What lies between two convolutions is named as well, so that it takes int8 from the one and hands
# int8 to the other instead of going through float32.
QUANTISED = ("Conv", "Relu", "Clip", "Add")
CLASS_PREDICTOR = "cls_logits.weight"
BOX_PREDICTOR = "bbox_reg.weight"
# As many channels as a vector of float32 holds: up to here int8 saves no time, see `edge-4, int8`
# in EXPERIMENTS.md.
THIN = 16


def quantise(model: ModelProto, pictures: Sequence[Image]) -> ModelProto:
    """A copy of a graph with its convolutions in int8 (QDQ), weights by channel.

    What predicts boxes stays in float32, because the few that are far from their anchors would
    take the resolution of all others; so do the thin convolutions that a network may begin with,
    all that comes before, and all that comes after the last convolution.

    pictures: uint8 [H, W, 3] BGR each, of the network's size; the range of every activation is what
        they span. Without VNNI a processor may saturate where two products are added up.
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
        )
        return onnx.load(quantised)


def inner_nodes(graph: GraphProto) -> list[str]:
    """Names of the nodes from the first convolution that is not thin to what the boxes take."""
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    outputs = {weight.name: weight.dims[0] for weight in graph.initializer if weight.dims}
    wide = (node for node in convolutions if outputs[node.input[1]] > THIN)
    reached = {next(wide, convolutions[0]).input[0]}
    after = []
    for node in graph.node:  # a graph lists what makes a value before what takes it
        if reached & set(node.input):
            reached.update(node.output)
            after.append(node)
    boxes = [node for node in convolutions if node.input[1].endswith(BOX_PREDICTOR)]
    scores = [node for node in convolutions if node.input[1].endswith(CLASS_PREDICTOR)]
    needed = {node.input[0] for node in boxes} | {node.output[0] for node in scores}
    inner: list[NodeProto] = []
    for node in reversed(after):
        if needed & set(node.output):
            needed.update(node.input)
            inner.append(node)
    return [node.name for node in inner if node.op_type in QUANTISED]


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
