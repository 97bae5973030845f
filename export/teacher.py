"""Teacher: a trained network that another one learns from, beside the labels."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from monitor.errors import UsageError

from .checkpoint import load_network
from .loss import Lesson
from .retinanet import RetinaNet

TEACHER_SHARE = 0.5


class Teacher:
    """What a trained network thinks of the pictures of a batch.

    network: in evaluation mode, with the classes and anchors of the one that learns.
    share: weight of its probabilities beside those of the labels, 0 to 1.
    """

    def __init__(self, network: RetinaNet, share: float) -> None:
        self.network = network
        self.share = share

    @torch.no_grad()
    def __call__(self, pictures: Tensor) -> Lesson:
        """Its lesson on a batch, uint8 [B, H, W, 3], BGR, on the network's device."""
        logits, _, _ = self.network(pictures)
        return Lesson(torch.sigmoid(logits.float()), self.share)


def read_teacher(
    path: Path, share: float | None, learner: RetinaNet, device: torch.device
) -> Teacher:
    """The teacher in a snapshot, its averaged weights; raises UsageError when it cannot teach.

    share: see `Teacher`; None takes the usual one.
    """
    network, _ = load_network(path)
    for name, own, expected in (
        ("classes", network.config.classes, learner.config.classes),
        ("anchors", network.config.anchors, learner.config.anchors),
    ):
        if own != expected:
            raise UsageError(
                f"--teacher {path}: {name} {own} found, expected those of the network that "
                f"learns, {expected}"
            )
    return Teacher(
        network.to(device, memory_format=torch.channels_last),
        TEACHER_SHARE if share is None else share,
    )
