"""Camera effects: a picture as it would look in other light and through another camera."""

from __future__ import annotations

import cv2
import numpy as np

from monitor.frame import Image


def recoloured(image: Image, rng: np.random.Generator) -> Image:
    """The picture in other light, through another camera: contrast, tint, noise, compression."""
    x = image.astype(np.float32)
    contrast, gain = rng.uniform(0.6, 1.4), rng.uniform(0.65, 1.35)
    tint = rng.uniform(0.9, 1.1, 3)
    mean = float(x.mean())
    x = ((x - mean) * contrast + mean) * (gain * tint).astype(np.float32)
    grey = x.mean(axis=2, keepdims=True)
    colour = 0.0 if rng.random() < 0.05 else rng.uniform(0.5, 1.5)
    x = grey + (x - grey) * colour
    if rng.random() < 0.2:
        x += rng.normal(0, rng.uniform(2, 14), x.shape).astype(np.float32)
    result = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        result = _blurred(result, rng)
    if rng.random() < 0.3:
        quality = int(rng.integers(25, 90))
        _, encoded = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, quality])
        result = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return result


def _blurred(image: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.8))
    length = int(rng.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6))
