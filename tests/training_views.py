"""Labelled pictures of plain colours, and training sets of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from picture_files import write

from export.datasets import Sample
from export.views.picture_cache import PictureCache
from export.views.training_set import TrainingSet
from export.views.transforms import Augmentation
from monitor.contract import ResizeRule

CLASSES = ("mask", "noMask")
# blue and red, by column
COLOURS = np.array([(255, 0, 0), (0, 0, 255)])
OWN_SIZE = ResizeRule(None, None)


def pictures_of_squares(folder: Path) -> list[Sample]:
    """Six black pictures of 240 x 180 pixels, each with blue masks and a red noMask on it."""
    samples = []
    for number in range(6):
        rng = np.random.default_rng(number)
        image = np.zeros((180, 240, 3), np.uint8)
        corners = [(20, 20), (140, 30), (60, 110)]
        boxes = np.array(
            [(x, y, *rng.integers((x + 20, y + 20), (x + 50, y + 50))) for x, y in corners]
        )
        for column, (x1, y1, x2, y2) in zip((0, 0, 1), boxes, strict=True):
            image[y1:y2, x1:x2] = COLOURS[column]
        labels = (CLASSES[0], CLASSES[0], CLASSES[1])
        path = write(folder / f"{number}.png", image)
        samples.append(Sample(path, boxes.astype(np.float32), labels))
    return samples


def set_of(
    samples: list[Sample],
    augmentation: Augmentation | None,
    resize: ResizeRule = OWN_SIZE,
    *,
    scenes: float = 0.0,
    seed: int = 0,
) -> TrainingSet:
    cache = PictureCache(samples, CLASSES, resize, limit_mb=100)
    return TrainingSet(cache, CLASSES, resize, augmentation, scenes=scenes, seed=seed)
