"""From raw predictions to detections, with shapes that depend on nothing but the options."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .boxes import decode, pairwise_iou


@dataclass(frozen=True)
class PostprocessConfig:
    """Options of the graph's end.

    candidates: anchors that reach suppression, best first (K').
    detections: rows of the output (K).
    iou: overlap above which the lower of two candidates is suppressed, whatever their classes.
    rounds: iterations of the suppression; chains of more than this many candidates, each
        suppressing the next, would be cut short.
    """

    candidates: int = 256
    detections: int = 100
    iou: float = 0.45
    rounds: int = 16


def keep_mask(boxes: Tensor, iou: float, rounds: int) -> Tensor:
    """Greedy non-maximum suppression as a fixed point.

    Each round keeps a box unless a better kept one overlaps it. The first n rows are right after n
    rounds, and a row only ever depends on better ones, so that the answer is reached after as many
    rounds as the longest chain of suppressions has links. Every shape is static, which CUDA graphs
    and TensorRT need and ONNX NonMaxSuppression cannot give.

    boxes: float [B, K, 4], xyxy, best first.

    Returns float [B, K]: 1 for kept, 0 for suppressed.
    """
    overlaps = (pairwise_iou(boxes, boxes) > iou).to(boxes.dtype)
    suppresses = torch.triu(overlaps, diagonal=1).transpose(1, 2)  # [B, loser, winner]
    keep = torch.ones_like(boxes[..., :1])
    for _ in range(rounds):
        keep = (suppresses @ keep < 0.5).to(boxes.dtype)
    return keep.squeeze(-1)


def postprocess(
    logits: Tensor, deltas: Tensor, anchors: Tensor, config: PostprocessConfig
) -> tuple[Tensor, Tensor]:
    """The best detections of each picture.

    logits: float [B, N, C]; deltas: float [B, N, 4]; anchors: float [N, 4]; N is at least
        `candidates`.

    One top-k over all levels gives what one per level, followed by one over the rest, would give.

    Returns boxes float32 [B, K, 4], xyxy pixels of the network's input, and scores float32
    [B, K, C], sorted by their best class, zero from the last detection on.
    """
    count = logits.shape[2]
    best = logits.float().amax(dim=2)  # [B, N]
    rows = best.topk(config.candidates, dim=1).indices[..., None]  # [B, K', 1]
    scores = torch.sigmoid(logits.float().gather(1, rows.expand(-1, -1, count)))
    picked = deltas.float().gather(1, rows.expand(-1, -1, 4))
    boxes = decode(picked, anchors[rows.squeeze(-1)])
    keep = keep_mask(boxes, config.iou, config.rounds)
    order = (scores.amax(dim=2) * keep).topk(config.detections, dim=1).indices[..., None]
    scores = (scores * keep[..., None]).gather(1, order.expand(-1, -1, count))
    boxes = (boxes * keep[..., None]).gather(1, order.expand(-1, -1, 4))
    return boxes, scores
