"""Matcher: which box each anchor is to predict."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .boxes import pairwise_iou

BACKGROUND = -1
IGNORED = -2
NEAREST = 9

Match = Callable[[Tensor, Tensor], Tensor]


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


def match_nearest(anchors: Tensor, boxes: Tensor, nearest: int = NEAREST) -> Tensor:
    """Match anchors to boxes by where they lie, and by how well others there would do.

    Of the anchors of each size, a box looks at those whose centres are nearest to its own. It takes
    the ones centred in it that overlap it by more than most of these do: by their mean and one
    standard deviation at least. That suits a single anchor at each position.

    Zhang et al. 2020, https://arxiv.org/abs/1912.02424, algorithm 1

    anchors, boxes: see `match`.
    nearest: anchors of each size.

    A box in which no centre lies takes one that overlaps it best. Of several boxes that would take
    an anchor, it goes to the one that it overlaps most. None is ignored.

    Returns int64 [N]: the box's row or BACKGROUND.
    """
    nothing = torch.full((len(anchors),), BACKGROUND, dtype=torch.int64, device=anchors.device)
    if not len(boxes):
        return nothing
    order = sorted_rows(boxes)
    boxes = boxes[order]
    iou = pairwise_iou(boxes, anchors)
    candidates = _nearest_of_each_size(anchors, boxes, nearest)  # [M, sizes * nearest]
    overlaps = iou.gather(1, candidates)
    least = overlaps.mean(dim=1, keepdim=True) + overlaps.std(dim=1, keepdim=True)
    centres = _centres(anchors)[candidates]
    inside = ((centres > boxes[:, None, :2]) & (centres < boxes[:, None, 2:])).all(dim=2)
    chosen = (overlaps >= least) & inside
    # the nearest of those that overlap it best, since the candidates of a size are in that order
    lost = ~chosen.any(dim=1, keepdim=True)
    chosen |= torch.zeros_like(chosen).scatter(1, overlaps.argmax(dim=1, keepdim=True), lost)
    claims = torch.zeros_like(iou).scatter(1, candidates, overlaps * chosen)
    best, matched = claims.max(dim=0)
    return torch.where(best > 0, order[matched], nothing)


MATCHERS: dict[str, Match] = {"overlap": match, "nearest": match_nearest}


def suited(per_position: int) -> str:
    """The name of the matcher that suits so many anchors a position."""
    return "nearest" if per_position == 1 else "overlap"


def matcher(name: str | None, per_position: int) -> Match:
    """The matcher of that name; None is the one that suits so many anchors a position."""
    return MATCHERS[name or suited(per_position)]


def _nearest_of_each_size(anchors: Tensor, boxes: Tensor, nearest: int) -> Tensor:
    """int64 [M, sizes * nearest]: rows of anchors, the nearest of a size first."""
    distance = torch.cdist(_centres(boxes), _centres(anchors))
    widths, heights = (anchors[:, 2:] - anchors[:, :2]).unbind(dim=1)
    rows = []
    for width in widths.unique():
        of_width = widths == width
        # a wide anchor may be as wide as a high one of the next level
        for height in heights[of_width].unique():
            of_size = (of_width & (heights == height)).nonzero().squeeze(1)
            count = min(nearest, len(of_size))
            near = distance[:, of_size].topk(count, dim=1, largest=False).indices
            rows.append(of_size[near])
    return torch.cat(rows, dim=1)


def _centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def sorted_rows(boxes: Tensor) -> Tensor:
    """int64 [M]: the rows of boxes [M, 4] by their edges, left before top, right and bottom."""
    rows = torch.arange(len(boxes), device=boxes.device)
    for edge in reversed(boxes.unbind(dim=1)):
        rows = rows[edge[rows].argsort(stable=True)]
    return rows
