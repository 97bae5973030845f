"""Matcher: which box each anchor is to predict."""

from __future__ import annotations

import torch
from torch import Tensor

from .boxes import pairwise_iou

BACKGROUND = -1
IGNORED = -2


def match(
    anchors: Tensor, boxes: Tensor, foreground_iou: float = 0.5, background_iou: float = 0.4
) -> Tensor:
    """Match anchors to boxes by overlap, as RetinaNet does.

    anchors: float [N, 4], xyxy.
    boxes: float [M, 4], xyxy; M may be 0.
    foreground_iou: an anchor is matched from this overlap on.
    background_iou: below this it is background; in between it is ignored.

    Each box also takes the anchors that overlap it best, however little, as torchvision does: a
    face smaller than every anchor would never be learnt otherwise.

    Returns int64 [N]: the box's row, BACKGROUND or IGNORED.
    """
    if not len(boxes):
        return torch.full((len(anchors),), BACKGROUND, dtype=torch.int64, device=anchors.device)
    iou = pairwise_iou(boxes, anchors)
    best, matched = iou.max(dim=0)
    result = torch.where(best >= foreground_iou, matched, torch.full_like(matched, IGNORED))
    result[best < background_iou] = BACKGROUND
    best_of_box = iou.max(dim=1, keepdim=True).values
    rows, columns = torch.nonzero((iou == best_of_box) & (iou > 0), as_tuple=True)
    result[columns] = rows
    return result
