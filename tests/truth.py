"""Labelled pictures and detections, written down by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from export.datasets import Sample
from monitor.detections import Detections

CLASSES = ("mask", "noMask")
Box = tuple[float, float, float, float]
BIG: Box = (0, 0, 100, 100)
OTHER: Box = (200, 0, 300, 100)
EMPTY_WALL: Box = (400, 0, 500, 100)
SMALL: Box = (600, 0, 620, 20)


def labelled(*faces: tuple[Box, str]) -> Sample:
    """A picture with these faces."""
    boxes = np.array([box for box, _ in faces], np.float32).reshape(-1, 4)
    return Sample(Path("a.jpg"), boxes, tuple(name for _, name in faces))


def seen(*faces: tuple[Box, float, float]) -> Detections:
    """Detections from (box, mask score, noMask score)."""
    boxes = np.array([box for box, _, _ in faces], np.float32).reshape(-1, 4)
    scores = np.array([scores for _, *scores in faces], np.float32).reshape(-1, 2)
    return Detections(boxes, scores, CLASSES)
