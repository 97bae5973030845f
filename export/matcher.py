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

    Each box also takes the anchors that overlap it best, however little: a face smaller than every
    anchor would never be learnt otherwise. Of several boxes that would take one, it goes to the one
    that it overlaps most. The order of the boxes decides nothing, but between equal boxes.

    Returns int64 [N]: the box's row, BACKGROUND or IGNORED.
    """
    if not len(boxes):
        return torch.full((len(anchors),), BACKGROUND, dtype=torch.int64, device=anchors.device)
    order = sorted_rows(boxes)
    iou = pairwise_iou(boxes[order], anchors)
    best, matched = iou.max(dim=0)
    result = torch.where(best >= foreground_iou, order[matched], IGNORED)
    result[best < background_iou] = BACKGROUND
    # torchvision leaves such an anchor to the box that it overlaps most, even if that one has
    # better ones; the small face before a large one then has no anchor at all
    best_of_box = iou.max(dim=1, keepdim=True).values
    claims = (iou == best_of_box) & (iou > 0)
    claimed = claims.any(dim=0).nonzero().squeeze(1)
    result[claimed] = order[(claims[:, claimed] * iou[:, claimed]).argmax(dim=0)]
    return result


def sorted_rows(boxes: Tensor) -> Tensor:
    """int64 [M]: the rows of boxes [M, 4] by their edges, left before top, right and bottom."""
    rows = torch.arange(len(boxes), device=boxes.device)
    for edge in reversed(boxes.unbind(dim=1)):
        rows = rows[edge[rows].argsort(stable=True)]
    return rows
