"""Optimisers: what follows the gradient, and the average of where it has been."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .retinanet import RetinaNet

# name: (class, learning rate, further arguments)
OPTIMISERS = {
    "adamw": (torch.optim.AdamW, 1e-3, {}),
    "sgd": (torch.optim.SGD, 1e-2, {"momentum": 0.9, "nesterov": True}),
}


def make_optimiser(name: str, network: nn.Module, weight_decay: float) -> torch.optim.Optimizer:
    """An optimiser that decays the weights of convolutions, and leaves biases and norms alone.

    name: one of OPTIMISERS.
    """
    kind, rate, further = OPTIMISERS[name]
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return kind(groups, lr=rate, **further)


def make_average(network: RetinaNet, decay: float) -> AveragedModel:
    """An exponential moving average of weights and statistics; it is what gets exported.

    decay: share of the old average kept at each step, once it has seen enough of them; at step n it
        is at most (1 + n) / (10 + n), so that a short training is not averaged with its start.
    """

    def update(averages: Sequence[Tensor], values: Sequence[Tensor], count: Tensor | int) -> None:
        steps = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + steps) / (10 + steps)))(averages, values, count)

    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)
