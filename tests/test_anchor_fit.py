"""Anchor fit: overlaps are those of all anchors there are, and a fit suits the boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from export.anchor_config import AnchorConfig
from export.anchors import Anchors
from export.boxes import pairwise_iou
from export.linting.anchor_fit import fit_anchors, measure_anchors
from export.linting.anchor_match import best_iou
from monitor.detections import FloatArray


def scattered(
    count: int, sides_px: tuple[float, float], ratios: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Boxes of these sides and heights over widths anywhere in 800 x 640 px, and that size."""
    rng = np.random.default_rng(0)
    sides = np.exp(rng.uniform(*np.log(sides_px), count))
    roots = np.exp(rng.uniform(*np.log(ratios), count) / 2)
    size = np.array([800.0, 640.0])
    wh = np.minimum(np.stack([sides / roots, sides * roots], axis=1), size)
    corner = rng.uniform(0, 1, (count, 2)) * (size - wh)
    boxes = np.concatenate([corner, corner + wh], axis=1).astype(np.float32)
    return boxes, np.tile(size.astype(np.float32), (count, 1))


@given(
    seed=st.integers(0, 10_000),
    width=st.integers(1, 8),
    height=st.integers(1, 8),
    config=st.sampled_from(
        [
            AnchorConfig(),
            AnchorConfig((7, 15, 33, 60), (4, 8, 16, 32), (0.3, 1.25, 4.0), (1.0,)),
            AnchorConfig((90, 20, 30), (8, 16, 32), (1.0,), (0.7, 1.3)),
        ]
    ),
)
@settings(max_examples=40)
def test_the_best_overlap_is_that_of_all_anchors(
    seed: int, width: int, height: int, config: AnchorConfig
) -> None:
    size = np.array([32 * width, 32 * height], np.float32)
    corners = np.random.default_rng(seed).uniform(0, 1, (20, 2, 2)) * size
    boxes = np.sort(corners, axis=1).reshape(-1, 4).astype(np.float32)
    shapes = [(-(-32 * height // stride), -(-32 * width // stride)) for stride in config.strides]
    expected = pairwise_iou(torch.from_numpy(boxes), Anchors(config)(shapes)).amax(1).numpy()
    found = best_iou(boxes, np.tile(size, (20, 1)), config)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("sides_px", "ratios", "before", "after"),
    [
        # faces: the default anchors nearly do
        ((20, 300), (1.1, 1.4), 0.9, 0.99),
        # cars seen from the air: nothing is small enough, and the finest map too coarse
        ((8, 20), (0.5, 2.0), 0.0, 0.95),
        # people standing: nothing is tall enough
        ((30, 200), (4.0, 8.0), 0.1, 0.95),
        # lorries from the side
        ((30, 200), (0.12, 0.2), 0.0, 0.95),
        # everything at once
        ((10, 400), (0.15, 6.0), 0.5, 0.9),
    ],
)
def test_a_fit_matches_what_the_default_does_not(
    sides_px: tuple[float, float], ratios: tuple[float, float], before: float, after: float
) -> None:
    boxes, sizes_px = scattered(600, sides_px, ratios)
    default, fitted = measure_anchors(boxes, sizes_px, AnchorConfig()), fit_anchors(boxes, sizes_px)
    assert before <= default.matched_share < before + 0.2
    assert fitted.matched_share >= after


def test_a_fit_is_the_same_every_time() -> None:
    boxes, sizes_px = scattered(5000, (10, 200), (0.3, 3.0))
    assert fit_anchors(boxes, sizes_px) == fit_anchors(boxes, sizes_px)


def test_boxes_of_one_form_get_one_ratio_and_coarse_maps() -> None:
    boxes, sizes_px = scattered(300, (30, 300), (2.0, 2.0001))
    config = fit_anchors(boxes, sizes_px).config
    assert config.ratios == pytest.approx((2.0,), rel=0.01)
    assert config.strides == (8, 16, 32, 64, 128)


def test_one_box_can_be_fitted() -> None:
    box = np.array([[3, 5, 43, 85]], np.float32)
    assert fit_anchors(box, np.array([[96, 96]], np.float32)).matched_share == 1.0
