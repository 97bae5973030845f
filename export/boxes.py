"""Boxes: overlap, and the encoding of a box as four deltas from an anchor."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# a delta of width or height is clamped here before exp(), as torchvision does
MAX_LOG_SCALE = math.log(1000 / 16)


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of every pair.

    first: float [..., N, 4]; second: float [..., M, 4]; both xyxy.

    Returns float [..., N, M]; 0 where both boxes are empty.
    """
    # coordinate by coordinate: pairs of two numbers each are too short for a vector unit
    left, top, right, bottom = (side[..., :, None] for side in first.unbind(-1))
    other_left, other_top, other_right, other_bottom = (
        side[..., None, :] for side in second.unbind(-1)
    )
    width = torch.minimum(right, other_right) - torch.maximum(left, other_left)
    height = torch.minimum(bottom, other_bottom) - torch.maximum(top, other_top)
    overlap = width.clamp(min=0) * height.clamp(min=0)
    union = area(first)[..., :, None] + area(second)[..., None, :] - overlap
    return overlap / union.clamp(min=1e-6)


def area(boxes: Tensor) -> Tensor:
    """float [...]: area of boxes [..., 4], xyxy."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Deltas float [N, 4], (dx, dy, dw, dh), from each anchor to its box; both [N, 4], xyxy."""
    anchor_centres, anchor_sizes = centres_and_sizes(anchors)
    centres, sizes = centres_and_sizes(boxes)
    shifts = (centres - anchor_centres) / anchor_sizes
    return torch.cat([shifts, torch.log(sizes / anchor_sizes)], dim=-1)


def decode(deltas: Tensor, anchors: Tensor) -> Tensor:
    """Boxes float [..., N, 4], xyxy, from deltas [..., N, 4] and anchors [..., N, 4]."""
    anchor_centres, anchor_sizes = centres_and_sizes(anchors)
    centres = anchor_centres + deltas[..., :2] * anchor_sizes
    halves = anchor_sizes * torch.exp(deltas[..., 2:].clamp(max=MAX_LOG_SCALE)) / 2
    return torch.cat([centres - halves, centres + halves], dim=-1)


def centres_and_sizes(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Centres and sizes, float [..., 2] each, of boxes [..., 4], xyxy."""
    sizes = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + sizes / 2, sizes
