"""From raw predictions to detections, with shapes that depend on nothing but the options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from monitor.contract import SCORE_FLOOR

from .boxes import decode, pairwise_iou

KeepMask = Callable[[Tensor, Tensor, float, int], Tensor]


@dataclass(frozen=True)
class PostprocessConfig:
    """Options of the graph's end.

    candidates: anchors that reach suppression, best first (K'); None for all of them. A face has a
        dozen, so that a sheet of masked faces could use up a small number of them, and a bare face
        beside it would not be among them.
    detections: rows of the output (K), at most `candidates`.
    iou: overlap above which the lower of two candidates is suppressed.
    rounds: iterations of the suppression; chains of more than this many candidates, each
        suppressing the next, would be cut short.
    score_threshold: rows whose best score is lower come out as zeros.
    nms: whether anything is suppressed at all.
    class_specific: whether a candidate is suppressed only by better ones of the same class, and
        then only in the column of that class. The overlaps are held once for every class:
        candidates x candidates x classes numbers of 4 bytes.

    Raises ValueError for more detections than candidates.
    """

    candidates: int | None = 512
    detections: int = 100
    iou: float = 0.45
    rounds: int = 16
    score_threshold: float = SCORE_FLOOR
    nms: bool = True
    class_specific: bool = False

    def __post_init__(self) -> None:
        most = self.detections if self.candidates is None else self.candidates
        if not 1 <= self.detections <= most:
            raise ValueError(
                f"{self.detections} detections of {most} candidates, "
                "expected at least 1 and at most as many as there are candidates"
            )


def keep_mask(boxes: Tensor, scores: Tensor, iou: float, rounds: int) -> Tensor:
    """Greedy non-maximum suppression in each column of scores, as a fixed point.

    Each round keeps a box unless a better kept one overlaps it; of two equal scores the earlier row
    is the better. The best n boxes are right after n rounds, and a box only ever depends on better
    ones, so that the answer is reached after as many rounds as the longest chain of suppressions
    has links. Every shape is static, which CUDA graphs and TensorRT need and ONNX NonMaxSuppression
    cannot give.

    boxes: float [B, K, 4], xyxy.
    scores: float [B, K, C]; one column is suppression whatever the class.

    Returns float [B, K, C]: 1 for kept, 0 for suppressed.
    """
    overlaps = (pairwise_iou(boxes, boxes) > iou)[:, None]  # [B, 1, loser, winner]
    columns = scores.transpose(1, 2)  # [B, C, K]
    loser, winner = columns[..., :, None], columns[..., None, :]
    rows = torch.arange(boxes.shape[1], device=boxes.device)
    better = (winner > loser) | ((winner == loser) & (rows[None] < rows[:, None]))
    suppresses = (overlaps & better).to(boxes.dtype)  # [B, C, loser, winner]
    keep = torch.ones_like(columns)[..., None]
    for _ in range(rounds):
        keep = (suppresses @ keep < 0.5).to(boxes.dtype)
    return keep.squeeze(-1).transpose(1, 2)


def postprocess(
    logits: Tensor,
    deltas: Tensor,
    anchors: Tensor,
    config: PostprocessConfig,
    keep: KeepMask = keep_mask,
) -> tuple[Tensor, Tensor]:
    """The best detections of each picture.

    logits: float [B, N, C]; deltas: float [B, N, 4]; anchors: float32 [N, 4]. N may be smaller than
        `candidates`, as it is for a tiny picture.
    keep: what suppresses, as `keep_mask` does.

    Returns boxes float32 [B, K, 4], xyxy pixels of the network's input, and scores float32
    [B, K, C], sorted by their best class, zero from the last detection on.
    """
    boxes, scores = _candidates(logits, deltas, anchors, config)
    if config.nms:
        columns = scores if config.class_specific else scores.amax(dim=2, keepdim=True)
        scores = scores * keep(boxes, columns, config.iou, config.rounds)
    best = scores.amax(dim=2)
    order = best.topk(config.detections, dim=1).indices[..., None]
    shown = (best[..., None] >= config.score_threshold).float() * (best[..., None] > 0)
    scores = (scores * shown).gather(1, order.expand(-1, -1, scores.shape[2]))
    boxes = (boxes * shown).gather(1, order.expand(-1, -1, 4))
    return boxes, scores


def _candidates(
    logits: Tensor, deltas: Tensor, anchors: Tensor, config: PostprocessConfig
) -> tuple[Tensor, Tensor]:
    """Boxes float32 [B, K', 4] and scores float32 [B, K', C] of what reaches suppression.

    One top-k over all levels gives what one per level, followed by one over the rest, would give.
    """
    if config.candidates is None:
        # rows that stand for nothing, so that there are always enough
        more = (0, 0, 0, config.detections)
        boxes, scores = decode(deltas.float(), anchors), torch.sigmoid(logits.float())
        # most anchors see nothing: as zeros they take no time in suppression
        scores = scores * (scores.amax(dim=2, keepdim=True) >= config.score_threshold)
        return functional.pad(boxes, more), functional.pad(scores, more)
    positions, count = logits.shape[1], logits.shape[2]
    # likewise, below every real one
    best = functional.pad(logits.float().amax(dim=2), (0, config.candidates), value=-torch.inf)
    rows = best.topk(config.candidates, dim=1).indices[..., None]  # [B, K', 1]
    real = (rows < positions).float()
    rows = rows.clamp(max=positions - 1)
    scores = torch.sigmoid(logits.gather(1, rows.expand(-1, -1, count)).float()) * real
    picked = deltas.gather(1, rows.expand(-1, -1, 4)).float()
    return decode(picked, anchors[rows.squeeze(-1)]), scores
