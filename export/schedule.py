"""Schedule: how the learning rate goes from step to step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_IMPROVEMENT = 1e-4
LEAST_RISE = 0.01


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up, then half a cosine down to 1 % of the peak, or the peak to the end.

    peak: highest learning rate.
    warmup_steps, total_steps: optimiser steps; the warm-up takes a tenth of all at most.
    cosine: whether the rate falls after the warm-up.
    """

    peak: float
    warmup_steps: int
    total_steps: int
    cosine: bool = True

    def rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        warmup = min(self.warmup_steps, self.total_steps // 10)
        if step < warmup:
            return self.peak * (step + 1) / warmup
        if not self.cosine:
            return self.peak
        progress = (step - warmup) / (self.total_steps - warmup)
        return self.peak * (0.01 + 0.99 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2)


def plateau_factor(losses: Sequence[float], patience: int, factor: float) -> float:
    """What to multiply the learning rate by after epochs without progress, as Keras does.

    losses: training loss of each epoch so far.
    patience: epochs without a loss lower by at least 0.0001 after which the rate falls; 0 never.
    factor: by how much it falls, above 0 and below 1.
    """
    result, best, waited = 1.0, math.inf, 0
    for loss in losses:
        waited += 1
        if loss < best - LEAST_IMPROVEMENT:
            best, waited = loss, 0
        if patience and waited >= patience:
            result, waited = result * factor, 0
    return result


def stopped_improving(values: Sequence[float], patience: int) -> bool:
    """Whether the last `patience` values brought no rise of at least 0.01; 0 is never.

    values: a figure that should rise, one a validation.
    """
    if not patience or len(values) <= patience:
        return False
    return max(values[-patience:]) < max(values[:-patience]) + LEAST_RISE
