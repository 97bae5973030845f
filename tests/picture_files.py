"""Small picture files for data sets made in tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from monitor.scene import training_picture

WIDTH_PX, HEIGHT_PX = 40, 30


def draw(path: Path, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> Path:
    """A black picture in the format that its suffix names."""
    return write(path, np.zeros((height_px, width_px, 3), np.uint8))


def draw_scene(path: Path, seed: int) -> Path:
    """A drawn scene that no other seed resembles, 160 x 120 pixels."""
    return write(path, training_picture(np.random.default_rng(seed), 160, 120)[0])


def write(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(path.suffix.lower(), image)
    path.write_bytes(encoded.tobytes())
    return path
