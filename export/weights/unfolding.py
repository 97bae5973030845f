"""Unfolding: statistics for batch normalisations that an export had folded away."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn

from .folding import expect


@torch.no_grad()
def unfold(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Let each batch normalisation know what comes to it, and do the same as before.

    Without that, the first training step would divide by the spread of every channel, which the
    weights of a folded network already do.

    network: put into evaluation mode.
    batches: what the network takes, one at a time, at least one.
    """
    network.eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    sums = {norm: Moments() for norm in norms}
    hooks = [norm.register_forward_pre_hook(partial(_count, sums[norm])) for norm in norms]
    try:
        for batch in batches:
            network(batch)
    finally:
        for hook in hooks:
            hook.remove()
    for norm, moments in sums.items():
        expect(norm, *moments.of())


class Moments:
    """Sums over the values of each channel, as they come."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = self._squares = torch.zeros(1, dtype=torch.float64)

    def add(self, values: Tensor) -> None:
        """Take float [B, C, H, W]."""
        values = values.double()
        self._count += values.numel() // values.shape[1]
        self._sum = values.sum(dim=(0, 2, 3)) + self._sum.to(values.device)
        self._squares = values.square().sum(dim=(0, 2, 3)) + self._squares.to(values.device)

    def of(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel, float32 [C]."""
        mean = self._sum / self._count
        variance = self._squares / self._count - mean.square()
        return mean.float(), variance.float()


def _count(moments: Moments, _: nn.Module, inputs: tuple[Tensor]) -> None:
    moments.add(inputs[0])
