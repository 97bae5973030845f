"""Engine: one epoch of gradient descent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from monitor.errors import MaskgateError

from .loss import Target, retinanet_loss
from .retinanet import RetinaNet
from .training_set import Batch


class TrainingError(MaskgateError):
    """Training went astray and cannot go on."""


@dataclass(frozen=True)
class Schedule:
    """How the learning rate goes: linear warm-up, then half a cosine down to 1 % of the peak.

    peak: highest learning rate.
    warmup_steps, total_steps: optimiser steps.
    """

    peak: float
    warmup_steps: int
    total_steps: int

    def rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        progress = (step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1)
        return self.peak * (0.01 + 0.99 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2)


def make_optimiser(network: nn.Module, weight_decay: float) -> torch.optim.AdamW:
    """AdamW that decays the weights of convolutions and leaves biases and normalisations alone."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
    )


def make_average(network: RetinaNet, decay: float) -> AveragedModel:
    """An exponential moving average of the weights and statistics; it is what gets exported.

    decay: share of the old average kept at each step.
    """
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


def train_epoch(
    network: RetinaNet,
    average: AveragedModel,
    batches: Iterable[Batch],
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    first_step: int,
    device: torch.device,
    precision: torch.dtype,
    clip_norm: float,
    title: str,
) -> dict[str, float]:
    """Train on every batch once.

    first_step: optimiser steps taken before this epoch.
    precision: dtype of the convolutions; the loss is always float32.
    clip_norm: longest gradient let through.

    Returns the mean class loss and box loss, and how many steps an infinite gradient made it skip.
    Raises TrainingError when a loss is not finite.
    """
    network.train()
    sums = {"class_loss": 0.0, "box_loss": 0.0}
    progress = tqdm(batches, desc=title, unit="batch")
    step, skipped = first_step, 0
    for pictures, targets in progress:
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step)
        targets = [Target(t.boxes.to(device), t.labels.to(device)) for t in targets]
        autocast = precision is not torch.float32
        with torch.autocast(device.type, dtype=precision, enabled=autocast):
            logits, deltas, anchors = network(pictures.to(device, non_blocking=True))
        class_loss, box_loss = retinanet_loss(logits, deltas, anchors, targets)
        loss = class_loss + box_loss
        if not torch.isfinite(loss):
            raise TrainingError(f"step {step}: loss {loss.item()} found, expected a finite number")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), clip_norm)
        # one step along an infinite gradient would spoil everything
        if torch.isfinite(norm):
            optimiser.step()
        else:
            skipped += 1
        average.update_parameters(network)
        step += 1
        sums["class_loss"] += class_loss.item()
        sums["box_loss"] += box_loss.item()
        done = step - first_step
        progress.set_postfix({name: f"{value / done:.3f}" for name, value in sums.items()})
    means = {name: value / max(step - first_step, 1) for name, value in sums.items()}
    return {**means, "skipped_steps": skipped}
