"""Loss: focal loss for the classes, smooth L1 for the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .boxes import encode
from .matcher import IGNORED, Match, match

# error at which smooth L1 turns from a parabola into a line
TURN = 1 / 9


@dataclass(frozen=True)
class Target:
    """What one picture should give.

    boxes: float32 [M, 4], xyxy pixels of the network's input.
    labels: int64 [M], columns of the class scores.
    """

    boxes: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Lesson:
    """What a teacher makes of a batch.

    Hinton et al. 2015, https://arxiv.org/abs/1503.02531

    probabilities: float32 [B, N, C], of each class at every anchor.
    share: weight of them beside the labels, 0 to 1.
    """

    probabilities: Tensor
    share: float


def focal_loss(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Sigmoid focal loss of each value.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002, equation 5; between 0 and 1 as in Li et al.
    2020, https://arxiv.org/abs/2006.04388, equation 4, where the probability asked for costs
    nothing.

    logits: float, any shape.
    targets: probabilities asked for, 0 to 1, the same shape.
    alpha: weight of the ones; the zeros have 1 - alpha.
    gamma: how strongly easy values are played down; 0 gives alpha-balanced cross entropy.

    Returns float, the same shape.
    """
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    probability = torch.sigmoid(logits)
    missed = (targets - probability).abs()  # 1 - p_t
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    return weight * missed**gamma * cross_entropy


def retinanet_loss(
    logits: Tensor,
    deltas: Tensor,
    anchors: Tensor,
    targets: Sequence[Target],
    lesson: Lesson | None = None,
    matcher: Match = match,
) -> Tensor:
    """Classification loss, box loss and number of matched anchors of a batch, all summed.

    logits: float [B, N, C]; deltas: float [B, N, 4]; anchors: float [N, 4]; one target a picture.
    lesson: of a teacher; None asks for what the labels say alone.
    matcher: says which box each anchor is to predict.

    Returns float [3]. Sums and not means, so that several processes can add theirs up before they
    divide by the matched anchors of all.
    """
    logits, deltas = logits.float(), deltas.float()
    class_sum = logits.new_zeros(())
    box_sum = logits.new_zeros(())
    positives = 0
    for row, (picture_logits, picture_deltas, target) in enumerate(
        zip(logits, deltas, targets, strict=True)
    ):
        matches = matcher(anchors, target.boxes)
        rows = torch.nonzero(matches >= 0).squeeze(1)
        wanted = torch.zeros_like(picture_logits)
        wanted[rows, target.labels[matches[rows]]] = 1
        counted = matches != IGNORED
        if lesson is not None:
            # where the labels say nothing, the teacher does
            taught = lesson.probabilities[row]
            wanted = torch.where(counted[:, None], wanted.lerp(taught, lesson.share), taught)
            counted = torch.ones_like(counted)
        losses = focal_loss(picture_logits, wanted)
        class_sum = class_sum + losses[counted].sum()
        box_sum = box_sum + functional.smooth_l1_loss(
            picture_deltas[rows],
            encode(target.boxes[matches[rows]], anchors[rows]),
            beta=TURN,
            reduction="sum",
        )
        positives += len(rows)
    return torch.stack([class_sum, box_sum, class_sum.new_tensor(positives)])
