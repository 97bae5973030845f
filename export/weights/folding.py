"""Folding: batch normalisations as what they make of the convolutions before them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

# Variance of a channel that never changes, so that it can still be divided by.
_LEAST_VARIANCE = 1e-6


def with_norms(network: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Every convolution of a network, with the batch normalisation that follows it, if any."""
    modules = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    for module, following in zip(modules, [*modules[1:], None], strict=True):
        if isinstance(module, nn.Conv2d):
            yield module, following if isinstance(following, nn.BatchNorm2d) else None


def folded_into(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weights and biases that do what a convolution and the normalisation after it do."""
    scale = scale_of(norm)
    return convolution.weight * scale[:, None, None, None], _shift(norm)


def refold(convolution: nn.Conv2d, norm: nn.BatchNorm2d, weight: Tensor, bias: Tensor) -> None:
    """Give a convolution weights, of its shape or [O, I], and let what follows it add the bias."""
    convolution.weight.copy_(weight.reshape(convolution.weight.shape))
    norm.load_state_dict(adding(norm, bias), strict=False)


def scale_of(norm: nn.BatchNorm2d) -> Tensor:
    """What a normalisation multiplies each channel by."""
    return norm.weight / (norm.running_var + norm.eps).sqrt()


def adding(norm: nn.BatchNorm2d, bias: Tensor) -> dict[str, Tensor]:
    """The state dict of a batch normalisation that only adds `bias`."""
    return {
        "weight": torch.ones_like(bias),
        "bias": bias,
        "running_mean": torch.zeros_like(bias),
        "running_var": torch.full_like(bias, 1 - norm.eps),
    }


def expect(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Let a batch normalisation take these for usual, and do the same as before.

    mean, variance: float [C], of what comes to it.
    """
    scale, shift = scale_of(norm), _shift(norm)
    variance = variance.clamp(min=_LEAST_VARIANCE)
    norm.weight.copy_(scale * (variance + norm.eps).sqrt())
    norm.bias.copy_(shift + mean * scale)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


def _shift(norm: nn.BatchNorm2d) -> Tensor:
    return norm.bias - norm.running_mean * scale_of(norm)
