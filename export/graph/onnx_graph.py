"""The ONNX graph: traced from torch, cleaned of torch's notes, written with its metadata."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn

from monitor.contract import INPUT, OUTPUTS, Contract

from ..retinanet import RetinaNet
from .frame_detector import FrameDetector
from .stem import TRANSLATIONS as OF_BYTES
from .suppression import TRANSLATIONS as OF_BOXES

OPSET = 20


def trace(detector: FrameDetector) -> ModelProto:
    """The graph of a detector, its batch, height and width left open.

    detector: in evaluation mode, on the CPU.
    """
    free = torch.export.Dim.DYNAMIC
    example = torch.zeros((2, 360, 500, 3), dtype=torch.uint8)
    with quiet_exporter():
        program = torch.onnx.export(
            detector,
            (example,),
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes={"image": {0: free, 1: free, 2: free}},
            opset_version=OPSET,
            dynamo=True,
            custom_translation_table=OF_BYTES | OF_BOXES,
        )
    assert program is not None, "the dynamo exporter always returns a program"
    model = program.model_proto
    for dimension, name in zip(
        model.graph.input[0].type.tensor_type.shape.dim[:3], "BHW", strict=True
    ):
        dimension.dim_param = name
    return model


def half_precision(network: RetinaNet) -> RetinaNet:
    """A copy whose backbone and heads hold and pass on float16.

    Normalisation before them stays in float32, and so does everything after: a float16 has 11 bits,
    which is no more than half a pixel at a thousand.
    """
    half = copy.deepcopy(network)
    half.backbone.half()
    half.head.half()
    half.backbone.register_forward_pre_hook(_to_half)
    return half


def _to_half(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    return (inputs[0].half(),)


def save_model(model: ModelProto, contract: Contract, path: Path) -> None:
    """Write a graph and its metadata, and nothing of the machine that it was made on."""
    _forget(model)
    onnx.helper.set_model_props(model, contract.to_metadata())
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def same_graph(model: ModelProto, path: Path) -> bool:
    """Whether a file holds the graph of a model, whatever the two say of themselves."""
    stored = onnx.load(path)
    for one in (model, stored):
        _forget(one)
    return stored.graph == model.graph


def _forget(model: ModelProto) -> None:
    """Take away what a model says of itself."""
    # torch notes a stack trace at every node, with the paths of the machine it ran on
    for part in (*model.graph.node, *model.graph.value_info, model.graph):
        del part.metadata_props[:]
    del model.metadata_props[:]


@contextlib.contextmanager
def quiet_exporter() -> Iterator[None]:
    """Keep torch's exporter from narrating its steps and warning of its own internals."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
