"""Engine: gradient descent, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from monitor.errors import MaskgateError

from .loss import Target, retinanet_loss
from .matcher import Match, match
from .process_group import ProcessGroup
from .teacher import Teacher
from .views.training_set import Batch

# where P6 is a single pixel, torch 2.13 on several threads makes garbage of the gradient of P7 in
# bfloat16
LARGEST_IN_FLOAT32_PX = 64
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


class TrainingError(MaskgateError):
    """Training went astray and cannot go on."""


@dataclass
class EpochProgress:
    """How far an epoch has come; stored in snapshots, so that training can go on inside it.

    steps: optimiser steps taken.
    skipped_steps: those left out because their gradient was not finite.
    class_loss, box_loss: sums over the steps.
    """

    steps: int = 0
    skipped_steps: int = 0
    class_loss: float = 0.0
    box_loss: float = 0.0

    def means(self) -> dict[str, float]:
        """Mean losses a step, and the steps left out."""
        steps = max(self.steps, 1)
        return {
            "class_loss": self.class_loss / steps,
            "box_loss": self.box_loss / steps,
            "skipped_steps": self.skipped_steps,
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a snapshot."""
        return asdict(self)


@dataclass
class Speed:
    """Where the time of an epoch goes.

    pictures: views trained on, by all processes.
    seconds: time since the start.
    waiting_seconds: that part of it spent waiting for views.
    """

    pictures: int = 0
    waiting_seconds: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def to_dict(self) -> dict[str, float]:
        """Pictures a second, and the share of time spent waiting for them."""
        seconds = max(time.perf_counter() - self.started, 1e-9)
        return {
            "pictures_per_second": round(self.pictures / seconds, 2),
            "waiting_share": round(self.waiting_seconds / seconds, 4),
        }

    def watch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, while the time it takes to get each is counted."""
        iterator = iter(batches)
        while True:
            asked = time.perf_counter()
            batch = next(iterator, None)
            self.waiting_seconds += time.perf_counter() - asked
            if batch is None:
                return
            yield batch


@dataclass
class Engine:
    """Everything that takes part in a step.

    network: in training mode as far as it is to adapt.
    average: of its weights.
    scaler: keeps small float16 gradients above zero; idle in other precisions.
    precision: dtype of the convolutions; the loss is always float32.
    clip_norm: longest gradient let through.
    group: the processes that train together.
    teacher: whom the network learns from beside the labels, if anyone.
    matcher: says which box each anchor is to predict.
    """

    network: nn.Module
    average: AveragedModel
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    precision: torch.dtype
    clip_norm: float
    group: ProcessGroup
    teacher: Teacher | None = None
    matcher: Match = match

    def __post_init__(self) -> None:
        self._parallel = self.group.parallel(self.network)

    def train(
        self,
        batches: Iterable[Batch],
        rate: Callable[[int], float],
        progress: EpochProgress,
        after_step: Callable[[], None],
        bar: tqdm[Any],
    ) -> dict[str, float]:
        """Train on every batch once; returns the speed.

        rate: learning rate by step of this epoch, counted from 0.
        progress: what was done of the epoch before; it is carried on.
        after_step: called after every step.

        Raises TrainingError when a loss is not finite.
        """
        speed = Speed()
        for pictures, targets in speed.watch(batches):
            for group in self.optimiser.param_groups:
                group["lr"] = rate(progress.steps)
            losses = self._step(pictures, targets, progress)
            progress.steps += 1
            progress.class_loss += losses[0]
            progress.box_loss += losses[1]
            speed.pictures += len(pictures) * self.group.size
            after_step()
            bar.update()
            bar.set_postfix({k: f"{v:.3f}" for k, v in progress.means().items() if "loss" in k})
        return speed.to_dict()

    def _step(
        self, pictures: Tensor, targets: list[Target], progress: EpochProgress
    ) -> tuple[float, float]:
        sums = batch_loss(
            self._parallel,
            pictures,
            targets,
            self.group.device,
            self.precision,
            self.teacher,
            self.matcher,
        )
        class_sum, box_sum, positives = self.group.summed(sums).tolist()
        class_loss, box_loss = (total / max(positives, 1) for total in (class_sum, box_sum))
        # averaging over processes divides by their number, which the sums must not be
        loss = (sums[0] + sums[1]) * (self.group.size / max(positives, 1))
        if not class_loss + box_loss < float("inf"):
            raise TrainingError(
                f"step {progress.steps + 1} of the epoch: class loss {class_loss:g}, box loss "
                f"{box_loss:g}, {positives:g} matched anchors found, learning rate "
                f"{self.optimiser.param_groups[0]['lr']:g}; expected finite losses"
            )
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.clip_norm)
        # one step along an infinite gradient would spoil everything
        if torch.isfinite(norm):
            self.scaler.step(self.optimiser)
        else:
            progress.skipped_steps += 1
        self.scaler.update()
        self.average.update_parameters(self.network)
        return class_loss, box_loss


def batch_loss(
    network: nn.Module,
    pictures: Tensor,
    targets: list[Target],
    device: torch.device,
    precision: torch.dtype,
    teacher: Teacher | None = None,
    matcher: Match = match,
) -> Tensor:
    """Sums of one batch, float32 [3], as `retinanet_loss` gives them.

    pictures: uint8 [B, H, W, 3], BGR; targets: one a picture; both anywhere.
    """
    targets = [Target(t.boxes.to(device), t.labels.to(device)) for t in targets]
    tiny = max(pictures.shape[1:3]) <= LARGEST_IN_FLOAT32_PX
    autocast = precision is not torch.float32 and not tiny
    with torch.autocast(device.type, dtype=precision, enabled=autocast):
        pictures = pictures.to(device, non_blocking=True)
        lesson = teacher(pictures) if teacher else None
        logits, deltas, anchors = network(pictures)
    return retinanet_loss(logits, deltas, anchors, targets, lesson, matcher)
