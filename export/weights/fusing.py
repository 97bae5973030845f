"""Fusing: one convolution that gives what four gave, as nearly as one can."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..backbone import MobileNetV2
from ..blocks import FusedResidual, InvertedResidual
from ..retinanet import RetinaNet
from .folding import refold

# What is added to the mean square of every input, so that no two that are much alike get large
# weights of opposite sign, which no rounding to int8 survives. A value is 0 to 6.
_RIDGE_FILTERING, _RIDGE_PROJECTING = 1e-2, 1e-3


@torch.no_grad()
def fuse(network: RetinaNet, apart: RetinaNet, batches: Callable[[], Iterable[Tensor]]) -> None:
    """Let the FusedResidual of a network do what the blocks do that it stands for.

    Both of its convolutions are linear in what they take, so that least squares find them: the
    first one for what comes before the last activation inside those blocks, the second one, given
    the first, for what comes out of them. All that lies before and after has to be in place.

    network: a MobileNetV2 with a FusedResidual.
    apart: the same network with its blocks apart; both are put into evaluation mode.
    batches: gives what the networks take, the same pictures at every call.
    """
    fused, blocks = _residual(network), _blocks(apart)
    filtering, projecting = fused.conv[0][0], fused.conv[2]
    if not isinstance(blocks[1], InvertedResidual):
        raise ValueError("blocks that are fused already")
    network.eval()
    apart.to(filtering.weight.device).eval()
    expanding, filters, _, _ = blocks[1].conv
    first = LeastSquares(filtering.weight[0].numel(), filtering.out_channels)
    for stem in _stems(apart, batches):
        first.add(windows(stem, filtering), filters[1](filters[0](expanding(blocks[0](stem)))))
    refold(filtering, fused.conv[0][1], *first.solve(_RIDGE_FILTERING))
    second = LeastSquares(projecting.in_channels, projecting.out_channels)
    for stem in _stems(apart, batches):
        second.add(fused.conv[0](stem), blocks[1](blocks[0](stem)))
    refold(projecting, fused.conv[3], *second.solve(_RIDGE_PROJECTING))


class LeastSquares:
    """Sums over inputs and the outputs wanted for them, as they come.

    inputs, outputs: how many values each has.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        self._count = 0
        self._gram = torch.zeros(inputs + 1, inputs + 1, dtype=torch.float64)
        self._product = torch.zeros(inputs + 1, outputs, dtype=torch.float64)

    def add(self, inputs: Tensor, wanted: Tensor) -> None:
        """Take float [B, I, h, w] and [B, O, h, w]."""
        rows, answers = (x.movedim(1, -1).flatten(0, -2).double().cpu() for x in (inputs, wanted))
        rows = functional.pad(rows, (0, 1), value=1.0)
        self._count += len(rows)
        self._gram += rows.T @ rows
        self._product += rows.T @ answers

    def solve(self, ridge: float) -> tuple[Tensor, Tensor]:
        """Weights float32 [O, I] and biases [O] for which the squared error is least.

        ridge: what is added to the mean square of each input.
        """
        more = torch.full((len(self._gram),), ridge * self._count, dtype=torch.float64)
        more[-1] = 0
        solution = torch.linalg.solve(self._gram + more.diag(), self._product).float().T
        return solution[:, :-1], solution[:, -1]


def windows(x: Tensor, convolution: nn.Conv2d) -> Tensor:
    """What makes each output of a convolution, [B, C * k * k, h, w], of float [B, C, H, W]."""
    kernel, stride = convolution.kernel_size, convolution.stride
    padding = [side // 2 for side in kernel]
    rows = functional.unfold(x, kernel, padding=padding, stride=stride)
    height = (x.shape[2] + 2 * padding[0] - kernel[0]) // stride[0] + 1
    return rows.unflatten(2, (height, -1))


def _residual(network: RetinaNet) -> FusedResidual:
    residual = _blocks(network)[1]
    if not isinstance(residual, FusedResidual):
        raise ValueError("no FusedResidual")
    return residual


def _blocks(network: RetinaNet) -> nn.Sequential:
    """The first two blocks behind the stem."""
    body = network.backbone.body
    if not isinstance(body, MobileNetV2):
        raise ValueError(f"{type(body).__name__} found, expected a MobileNetV2")
    return body.features[1:3]


def _stems(network: RetinaNet, batches: Callable[[], Iterable[Tensor]]) -> Iterable[Tensor]:
    """What the stem makes of each batch."""
    stem = network.backbone.body.features[0]
    for batch in batches():
        yield stem(network.normalisation(batch))
