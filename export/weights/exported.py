"""Exported weights: those in a file that the monitor runs, to train on from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import GraphProto, NodeProto, numpy_helper
from torch import Tensor

from monitor.contract import KEY_PREFIX, Contract
from monitor.detections import FloatArray
from monitor.errors import ModelError
from monitor.model_file import check_complete, read_model

from ..graph.centring import unfolded_first
from ..graph.stem import off_bytes
from ..retinanet import RetinaNet, network_of
from .folding import adding, with_norms

NETWORK = "network."
WEIGHT, QUANTISED = ".weight", "_quantized"


def read_exported(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file of `python -m export onnx`, of any precision, and its network's config.

    Int8 weights come back as the float32 that they stand for. Each batch normalisation, which the
    export has folded into the convolution before it, comes back as one that adds that one's bias;
    `unfolding` makes usual ones of them.

    Raises ModelError for a file that is none, or lacks a tensor of its network.
    """
    content = read_model(path)
    check_complete(content, path.name)
    try:
        model = onnx.load_from_string(content)
    except DecodeError:
        raise ModelError(f"{path}: damaged: no ONNX found") from None
    props = {prop.key: prop.value for prop in model.metadata_props}
    contract = Contract.from_metadata(props, path.name)
    config = contract.training.get("network")
    if config is None:
        raise ModelError(
            f"{path}: found nothing about the shape of its network under {KEY_PREFIX}training, "
            "expected a file of `python -m export onnx` from version 0.1.0 on"
        )
    try:
        network = network_of(config)
        if network.config.head_norm != "none":
            raise ValueError("group normalisation, which no export folds away")
        found = dict(_convolutions(model.graph))
        off_bytes(network, found, _centre(model.graph))
        state = _state(network, found)
        if contract.training["export"]["precision"] != "fp16":
            unfolded_first(network, state)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"{path}: its graph does not fit its network: {error!r}") from None
    return state, network.config.to_dict()


def _state(
    network: RetinaNet, found: dict[str, tuple[FloatArray, FloatArray]]
) -> dict[str, Tensor]:
    """The state dict of a network, given weights and biases of its convolutions by name."""
    state = {}
    names = {module: name for name, module in network.named_modules()}
    for module, norm in with_norms(network):
        name = names[module]
        weight, bias = (torch.from_numpy(values.copy()) for values in found[name])
        outputs, inputs, *kernel = module.weight.shape
        beyond = [weight[outputs:], weight[:, inputs:], bias[outputs:]]
        weight, bias = weight[:outputs, :inputs], bias[:outputs]
        if weight.shape != module.weight.shape:
            expected = [outputs, inputs, *kernel]
            raise ValueError(f"{name}: {list(weight.shape)} found, expected {expected}")
        # zeros fill channels up to whole vectors
        if any(bool(part.any()) for part in beyond):
            raise ValueError(f"{name}: more channels than {outputs} and {inputs} found")
        state[name + WEIGHT] = weight
        if norm is None:
            state[name + ".bias"] = bias
        else:
            state |= {f"{names[norm]}.{key}": value for key, value in adding(norm, bias).items()}
    return state


def _convolutions(graph: GraphProto) -> Iterator[tuple[str, tuple[FloatArray, FloatArray]]]:
    """Name in the network, weights and biases of each convolution of a graph."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    made = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}

    def values(name: str) -> FloatArray:
        if name in made:
            node = made[name]
            return _dequantised(node, [numpy_helper.to_array(stored[part]) for part in node.input])
        return numpy_helper.to_array(stored[name]).astype(np.float32)

    for node in graph.node:
        if node.op_type == "Conv":
            weight, *bias = node.input[1:]
            name = made[weight].input[0] if weight in made else weight
            name = name.removesuffix(QUANTISED).removesuffix(WEIGHT).removeprefix(NETWORK)
            weights = values(weight)
            # a bias of nothing but zeros is left out of a graph
            biases = values(bias[0]) if bias else np.zeros(len(weights), np.float32)
            yield name, (weights, biases)


def _centre(graph: GraphProto) -> int | None:
    """The centre of the bytes that the first convolution takes; None where it takes none."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    quantised = {n.output[0]: n for n in graph.node if n.op_type == "QuantizeLinear"}
    centres = [
        int(numpy_helper.to_array(stored[node.input[2]]))
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] not in stored | quantised
    ]
    return centres[0] if centres else None


def _dequantised(node: NodeProto, inputs: list[npt.NDArray[Any]]) -> FloatArray:
    """What a DequantizeLinear of constants gives: (value - zero point) * scale, by channel."""
    quantised, *parameters = inputs
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    shape = [1] * quantised.ndim
    if math.prod(parameters[0].shape) > 1:
        shape[axis] = -1
    scale, *zeros = (parameter.astype(np.float32).reshape(shape) for parameter in parameters)
    zero = zeros[0] if zeros else np.zeros_like(scale)
    return (quantised.astype(np.float32) - zero) * scale
