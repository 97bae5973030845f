"""Detections with chosen scores."""

from __future__ import annotations

import numpy as np
from colours import CLASSES

from monitor.detections import Detections

# Scores of (mask, noMask) for the thresholds 0.5 and 0.3.
MASKED, BARE, UNSURE, NOISE = (0.9, 0.05), (0.1, 0.8), (0.4, 0.1), (0.2, 0.29)


def seen(*rows: tuple[float, ...], side_px: float = 50.0, left_px: float = 10.0) -> Detections:
    """Faces of one size side by side with the given (mask, noMask) scores."""
    lefts = left_px + 2 * side_px * np.arange(len(rows), dtype=np.float32)
    tops = np.full_like(lefts, 10.0)
    boxes = np.stack([lefts, tops, lefts + side_px, tops + side_px], axis=1)
    scores = np.array(rows, np.float32).reshape(len(rows), len(CLASSES))
    return Detections(boxes, scores, CLASSES)
