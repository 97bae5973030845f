"""Fitting an anchor config to boxes.

Sizes double from level to level and three scales divide the octave, so that what is left to choose
is the size on the finest level and the ratios. Both are searched on a grid: ratios are the centres
of the boxes' own ratios. Everything is deterministic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.detections import FloatArray

from ..anchor_config import AnchorConfig
from .anchor_match import MATCHED_IOU, best_iou

MOST_RATIOS = 5
# ratios of more than 10 to 1 fit too few positions to be worth an anchor
LARGEST_RATIO = 10.0
SMALLEST_SIZE_PX, LARGEST_SIZE_PX = 4, 96
STEPS_AN_OCTAVE = 6
BOXES_FITTED = 3000
# how much of the boxes a simpler config may match less
WORTH_A_RATIO = 0.01
WORTH_FINER_MAPS = 0.1
MEAN_IOU_WEIGHT = 0.2
STRIDES = (8, 16, 32, 64, 128)
FINER_STRIDES = (4, 8, 16, 32, 64)


@dataclass(frozen=True)
class AnchorFit:
    """How well a config matches boxes.

    config: the anchors.
    matched_share: part of the boxes that some anchor overlaps by 0.5 or more.
    mean_iou: mean overlap of the boxes with their best anchor.
    """

    config: AnchorConfig
    matched_share: float
    mean_iou: float

    @property
    def score(self) -> float:
        """What is maximised: the share, and with less weight the overlap."""
        return self.matched_share + MEAN_IOU_WEIGHT * self.mean_iou


def measure_anchors(boxes: FloatArray, sizes_px: FloatArray, config: AnchorConfig) -> AnchorFit:
    """How well a config matches boxes; at least one; arguments as for `best_iou`."""
    overlaps = best_iou(boxes, sizes_px, config)
    return AnchorFit(config, float((overlaps >= MATCHED_IOU).mean()), float(overlaps.mean()))


def fit_anchors(boxes: FloatArray, sizes_px: FloatArray) -> AnchorFit:
    """The config that matches boxes best.

    boxes: float32 [N, 4], xyxy pixels of the network's input, N at least 1.
    sizes_px: float32 [N, 2], width and height of each box's picture at the network's input.

    A ratio, or a finer map (four times the anchors and the work), must earn its cost in matched
    boxes. Of very many boxes every so-manieth is fitted, and all are measured.
    """
    chosen = np.unique(np.linspace(0, len(boxes) - 1, min(len(boxes), BOXES_FITTED)).astype(int))
    part, part_sizes_px = boxes[chosen], sizes_px[chosen]
    coarse, fine = (_fit(part, part_sizes_px, strides) for strides in (STRIDES, FINER_STRIDES))
    best = fine if fine.matched_share > coarse.matched_share + WORTH_FINER_MAPS else coarse
    return measure_anchors(boxes, sizes_px, best.config)


def _fit(boxes: FloatArray, sizes_px: FloatArray, strides: tuple[int, ...]) -> AnchorFit:
    """The best config of the fewest ratios that are worth their cost."""
    fits = [
        max(
            (measure_anchors(boxes, sizes_px, config) for config in _configs(ratios, strides)),
            key=lambda fit: fit.score,
        )
        for ratios in _ratio_sets(boxes)
    ]
    highest = max(fit.score for fit in fits)
    return next(fit for fit in fits if fit.score >= highest - WORTH_A_RATIO)


def _configs(ratios: tuple[float, ...], strides: tuple[int, ...]) -> Iterator[AnchorConfig]:
    octaves = np.log2(LARGEST_SIZE_PX / SMALLEST_SIZE_PX)
    finest = SMALLEST_SIZE_PX * 2 ** np.linspace(0, octaves, round(octaves * STEPS_AN_OCTAVE) + 1)
    for size in dict.fromkeys(np.round(finest).tolist()):
        yield AnchorConfig(tuple(size * 2**level for level in range(len(strides))), strides, ratios)


def _ratio_sets(boxes: FloatArray) -> list[tuple[float, ...]]:
    """The centres of the boxes' ratios, height over width: one, then two, and so on."""
    widths, heights = np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3).T
    logs = np.sort(np.clip(np.log(heights / widths), *np.log([1 / LARGEST_RATIO, LARGEST_RATIO])))
    sets = []
    for count in range(1, MOST_RATIOS + 1):
        ratios = np.exp(_centres(logs, count))
        sets.append(tuple(dict.fromkeys(float(f"{ratio:.3g}") for ratio in ratios)))
    return list(dict.fromkeys(sets))


def _centres(values: FloatArray, count: int) -> FloatArray:
    """k-means of sorted numbers, started from their quantiles."""
    centres = np.quantile(values, (np.arange(count) + 0.5) / count)
    for _ in range(50):
        borders = np.searchsorted(values, (centres[1:] + centres[:-1]) / 2)
        parts = np.split(values, borders)
        moved = np.array(
            [part.mean() if len(part) else c for part, c in zip(parts, centres, strict=True)]
        )
        if np.allclose(moved, centres):
            break
        centres = moved
    return np.asarray(centres)
