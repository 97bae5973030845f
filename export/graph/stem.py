"""Stem: the first layers of a network as a processor does them fastest, on bytes."""

from __future__ import annotations

import copy
from typing import Any

import torch
from onnxscript import opset20
from torch import Tensor, nn
from torch.nn import functional

from monitor.detections import FloatArray

from ..backbone import MobileNetV2
from ..retinanet import RetinaNet
from .centring import first_convolution

# Pixels of a row that a first convolution in int8 takes at once. It spends its time on gathering
# what it multiplies, three bytes at a time; twelve take as long. See `stem` in EXPERIMENTS.md.
FOUR = 4
_COLOURS, _KERNEL, _LEFT = 3, 3, 1


@torch.library.custom_op("maskgate::centred", mutates_args=())
def centred(values: Tensor, centre: int) -> Tensor:
    """Bytes as float32 around a centre, as one step that an export translates by TRANSLATIONS."""
    return values.to(torch.float32) - centre


@centred.register_fake
def _(values: Tensor, centre: int) -> Tensor:
    return values.new_empty(values.shape, dtype=torch.float32)


def _operator(values: Any, centre: int) -> Any:
    """`centred` in a graph; values and the answer are values of it."""
    zero = opset20.Cast(opset20.Constant(value_int=centre), to=2)
    return opset20.DequantizeLinear(values, opset20.Constant(value_float=1.0), zero)


TRANSLATIONS: dict[Any, Any] = {torch.ops.maskgate.centred.default: _operator}


class OnBytes(nn.Module):
    """Pictures as planes of blue, green and red, centred at a whole number.

    centre: 0 to 255.
    fours: whether each position holds four pixels of a row, after one of nothing on the left.
    """

    def __init__(self, centre: int, *, fours: bool) -> None:
        super().__init__()
        self.centre = centre
        self.fours = fours

    def forward(self, pictures: Tensor) -> Tensor:
        """Float [B, 3, H, W], or [B, 12, H, W / 4 + 1], of uint8 pictures [B, H, W, 3], BGR."""
        if self.fours:
            pictures = pictures.unflatten(2, (-1, FOUR)).flatten(3)
            pictures = functional.pad(pictures, (0, 0, _LEFT, 0), value=self.centre)
        return centred(pictures.permute(0, 3, 1, 2), self.centre)


class ByFours(nn.Sequential):
    """A stem of stride 2 that takes four pixels of a row at once and makes two outputs of them.

    stem: 3x3 convolution of three colours, batch normalisation and activation.
    """

    def __init__(self, stem: nn.Sequential) -> None:
        convolution, normalisation, activation = copy.deepcopy(stem)
        weight = by_fours(convolution.weight)
        wide = nn.Conv2d(
            weight.shape[1],
            weight.shape[0],
            (_KERNEL, weight.shape[3]),
            (2, 1),
            padding=(_KERNEL // 2, 0),
            bias=False,
        )
        wide.weight = nn.Parameter(weight)
        for name in ("weight", "bias"):
            value = getattr(normalisation, name)
            setattr(normalisation, name, nn.Parameter(value.repeat(2)))
        for name in ("running_mean", "running_var"):
            setattr(normalisation, name, getattr(normalisation, name).repeat(2))
        super().__init__(wide, normalisation, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Float [B, C, H / 2, W / 2], of what OnBytes gives."""
        pairs: Tensor = super().forward(x)
        return pairs.permute(0, 2, 3, 1).unflatten(3, (2, -1)).flatten(2, 3).permute(0, 3, 1, 2)


def by_fours(weight: Tensor) -> Tensor:
    """Weights [2 * O, 12, 3, 2] that do to four pixels at once what [O, 3, 3, 3] do at stride 2."""
    outputs = weight.shape[0]
    wide = weight.new_zeros(2, outputs, _LEFT + 1, FOUR, _COLOURS, _KERNEL)
    for parity in range(2):
        for column in range(_KERNEL):
            four, pixel = divmod(2 * parity - _KERNEL // 2 + column, FOUR)
            wide[parity, :, _LEFT + four, pixel] = weight[..., column]
    # [2, O, fours, pixels, colours, rows] -> [2 * O, pixels * colours, rows, fours]
    return wide.permute(0, 1, 3, 4, 5, 2).flatten(2, 3).flatten(0, 1)


def one_by_one(weight: Tensor) -> Tensor:
    """What `by_fours` was given."""
    outputs = weight.shape[0] // 2
    # the first output of two, [O, pixels, colours, rows, fours]
    wide = weight[:outputs].unflatten(1, (FOUR, _COLOURS))
    columns = [divmod(column - _KERNEL // 2, FOUR) for column in range(_KERNEL)]
    return torch.stack([wide[:, pixel, ..., _LEFT + four] for four, pixel in columns], dim=-1)


def takes_fours(network: RetinaNet) -> bool:
    """Whether the first convolution of a network is one that `ByFours` does."""
    return isinstance(network.backbone.body, MobileNetV2)


@torch.no_grad()
def on_bytes(network: RetinaNet) -> RetinaNet:
    """A copy of a `folded` network that takes bytes, for int8.

    It does what the network does, but for the outermost pixels, beside which now lies the nearest
    whole number to the centre. A network with a centre for each colour stays as it is.
    """
    network = copy.deepcopy(network)
    mean = network.normalisation.get_buffer("mean")
    if mean.dim():
        return network
    centre = round(float(mean))
    body = network.backbone.body
    _, first = first_convolution(network)
    normalised = next(module for module in body.modules() if isinstance(module, nn.BatchNorm2d))
    # what the convolution gives less where more is taken off every byte
    normalised.running_mean -= (centre - mean) * first.weight.sum(dim=(1, 2, 3))
    fours = takes_fours(network)
    network.normalisation = OnBytes(centre, fours=fours)
    if fours:
        body.features[0] = ByFours(body.features[0])
    return network


def off_bytes(
    network: RetinaNet, found: dict[str, tuple[FloatArray, FloatArray]], centre: int | None
) -> None:
    """Undo `on_bytes` in weights and biases by the names of their convolutions, in place.

    network: the one that they are of.
    centre: of the bytes that they were exported for; None where they were not.
    """
    if centre is None:
        return
    normalisation = network.normalisation
    name, _ = first_convolution(network)
    weight, bias = (torch.from_numpy(values) for values in found[name])
    if takes_fours(network):
        weight, bias = one_by_one(weight), bias[: len(bias) // 2]
    mean = float(normalisation.get_buffer("mean").mean())
    bias = bias - (centre - mean) * weight.sum(dim=(1, 2, 3))
    found[name] = weight.numpy(), bias.numpy()
