"""Camera effects: a picture as it would look in other light and through another camera."""

from __future__ import annotations

import cv2
import numpy as np

from monitor.frame import Image


def recoloured(image: Image, rng: np.random.Generator) -> Image:
    """The picture in other light, through another camera.

    Contrast, tint, light from one side, night, noise, blur, a coarser sensor, compression.
    """
    way = rng.random()
    if way < 0.08:
        image = _backlit(image, rng)
    elif way < 0.16:
        image = _at_night(image, rng)
    elif way < 0.28:
        image = _coarse(image, rng)
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


def _backlit(image: Image, rng: np.random.Generator) -> Image:
    """Bright on one side, dark on the other, as before a window or under a lamp."""
    height_px, width_px = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-0.5, 0.5, width_px, dtype=np.float32)[None, :] * np.float32(np.cos(angle))
    y = np.linspace(-0.5, 0.5, height_px, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    gain = np.exp(rng.uniform(0.8, 2.2) * (x + y) - 0.2).astype(np.float32)
    return np.clip(image * gain[..., None], 0, 255).astype(np.uint8)


def _at_night(image: Image, rng: np.random.Generator) -> Image:
    """Little light and much noise, in colour or, as infrared lamps give it, in grey."""
    x = image.astype(np.float32) * np.float32(rng.uniform(0.15, 0.5))
    if rng.random() < 0.4:
        x = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2) * np.float32(1.6)
    x += rng.normal(0, rng.uniform(2, 9), x.shape).astype(np.float32)
    return np.clip(x, 0, 255).astype(np.uint8)


def _coarse(image: Image, rng: np.random.Generator) -> Image:
    """What a sensor of fewer pixels would have seen, enlarged."""
    height_px, width_px = image.shape[:2]
    share = rng.uniform(0.35, 0.75)
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.uint8)


def _blurred(image: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.8))
    length = int(rng.integers(3, 9))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6))
