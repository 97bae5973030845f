"""How well the anchors of a config match boxes, without looking at all the anchors there are."""

from __future__ import annotations

import numpy as np

from monitor.detections import FloatArray

from ..anchor_config import AnchorConfig
from ..anchors import Anchors

MATCHED_IOU = 0.5
BOXES_AT_ONCE = 4096


def best_iou(boxes: FloatArray, sizes_px: FloatArray, config: AnchorConfig) -> FloatArray:
    """Overlap of each box with the anchor that overlaps it most.

    boxes: float32 [N, 4], xyxy pixels of the network's input.
    sizes_px: float32 [N, 2], width and height of each box's picture at the network's input.
    config: which anchors there are.

    Of the anchors of one form, the one whose centre is nearest along each side overlaps most, so
    one anchor of each form and level is looked at.

    Returns float32 [N], 0 to 1.
    """
    found = [
        _best_iou(
            boxes[start : start + BOXES_AT_ONCE], sizes_px[start : start + BOXES_AT_ONCE], config
        )
        for start in range(0, len(boxes), BOXES_AT_ONCE)
    ]
    return np.concatenate([np.zeros(0, np.float32), *found])


def _best_iou(boxes: FloatArray, sizes_px: FloatArray, config: AnchorConfig) -> FloatArray:
    anchors = Anchors(config)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    best = np.zeros(len(boxes), np.float32)
    for level, stride in enumerate(config.strides):
        forms = anchors.get_buffer(f"level{level}").numpy()  # [A, 4]
        last = np.ceil(sizes_px / stride) - 1
        nearest = np.clip(np.round(centres / stride), 0, np.maximum(last, 0)) * stride
        moved = boxes - np.tile(nearest, 2)  # [N, 4]
        sides = np.minimum(moved[:, None, 2:], forms[None, :, 2:])
        sides -= np.maximum(moved[:, None, :2], forms[None, :, :2])
        overlaps = np.maximum(sides, 0).prod(axis=2)  # [N, A]
        unions = areas[:, None] + (forms[:, 2:] - forms[:, :2]).prod(axis=1)[None] - overlaps
        np.maximum(best, (overlaps / np.maximum(unions, 1e-6)).max(axis=1), out=best)
    return best
