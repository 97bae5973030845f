"""Places for drawn people to stand in: walls, doors, furniture, posters, and the camera's flaws."""

from __future__ import annotations

import cv2
import numpy as np

from ..frame import Image


def draw_backdrop(rng: np.random.Generator, width_px: int, height_px: int) -> Image:
    """Return a place drawn by lot without anybody in it, uint8 [height_px, width_px, 3] BGR."""
    image = _wall(rng, width_px, height_px)
    kind = rng.random()
    if kind < 0.35:
        _corridor(rng, image)
    elif kind < 0.75:
        _floor(rng, image)
    for _ in range(int(rng.integers(0, 9))):
        _thing(rng, image)
    if rng.random() < 0.3:
        _clutter(rng, image)
    blur = rng.uniform(0, 0.008) * width_px
    return _blurred(image, blur) if blur > 0.4 else image


def spoil(rng: np.random.Generator, image: Image) -> Image:
    """Return `image` as a middling camera gives it: blurred, noisy, too bright or dark, packed."""
    if rng.random() < 0.5:
        image = _blurred(image, rng.uniform(0.3, 1.4))
    values = image.astype(np.float32)
    values = 128 + (values - 128) * rng.uniform(0.7, 1.15) + rng.uniform(-25, 25)
    values += rng.standard_normal(image.shape, np.float32) * rng.uniform(1, 9)
    image = np.clip(values, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        quality = int(rng.integers(35, 92))
        _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return image


def _blurred(image: Image, sigma_px: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8)


def _wall(rng: np.random.Generator, width_px: int, height_px: int) -> Image:
    corners = rng.uniform(40, 230) + rng.normal(0, 16, 3) + rng.normal(0, 22, (2, 2, 1))
    wall = cv2.resize(
        corners.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_LINEAR
    )
    patches = rng.normal(0, rng.uniform(0, 14), (12, 16)).astype(np.float32)
    stains = cv2.resize(patches, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(wall + stains[..., None], 0, 255), np.uint8)


def _paint(rng: np.random.Generator) -> tuple[float, float, float]:
    b, g, r = np.clip(rng.uniform(20, 235) + rng.normal(0, 30, 3), 0, 255)
    return float(b), float(g), float(r)


def _floor(rng: np.random.Generator, image: Image) -> None:
    height, width = image.shape[:2]
    y = int(height * rng.uniform(0.55, 0.95))
    cv2.rectangle(image, (0, y), (width, height), _paint(rng), -1)
    cv2.rectangle(image, (0, y - max(2, height // 50)), (width, y), _paint(rng), -1)


def _corridor(rng: np.random.Generator, image: Image) -> None:
    height, width = image.shape[:2]
    cx, cy = width * rng.uniform(0.3, 0.7), height * rng.uniform(0.3, 0.5)
    sx, sy = width * rng.uniform(0.08, 0.22), height * rng.uniform(0.15, 0.3)
    far = np.array([(cx - sx, cy - sy), (cx + sx, cy - sy), (cx + sx, cy + sy), (cx - sx, cy + sy)])
    near = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    base = _paint(rng)
    for k, tone in enumerate(rng.uniform(0.5, 1.1, 4)):
        side = np.array([near[k], near[(k + 1) % 4], far[(k + 1) % 4], far[k]])
        cv2.fillPoly(image, [side.astype(np.int32)], [c * tone for c in base], cv2.LINE_AA)
    cv2.fillPoly(image, [far.astype(np.int32)], _paint(rng), cv2.LINE_AA)
    for share in (0.45, 0.7, 0.85):
        ring = near + (far - near) * share
        above, below = ring[[0, 3]].astype(int).tolist()
        cv2.line(image, above, below, _paint(rng), 2, cv2.LINE_AA)


def _thing(rng: np.random.Generator, image: Image) -> None:
    """Put a door, cupboard, poster, window, lamp, plant or ball somewhere."""
    height, width = image.shape[:2]
    w, h = int(width * rng.uniform(0.04, 0.35)) + 2, int(height * rng.uniform(0.05, 0.7)) + 2
    x, y = int(rng.uniform(-w / 2, width)), int(rng.uniform(-h / 2, height))
    kind = int(rng.integers(5))
    if kind < 3:
        cv2.rectangle(image, (x, y), (x + w, y + h), _paint(rng), -1)
        cv2.rectangle(
            image, (x, y), (x + w, y + h), _paint(rng), int(rng.integers(1, 5)), cv2.LINE_AA
        )
        for _ in range(int(rng.integers(0, 6))):
            a, b = rng.uniform(0, 1, 2), rng.uniform(0, 1, 2)
            p, q = (np.array([x, y]) + np.stack([a, b]) * [w, h]).astype(int).tolist()
            if rng.random() < 0.5:
                cv2.rectangle(image, p, q, _paint(rng), -1)
            else:
                cv2.line(image, p, q, _paint(rng), int(rng.integers(1, 4)), cv2.LINE_AA)
    elif kind == 3:
        axes = (max(2, w // 3), max(2, min(h, w) // 2))
        cv2.ellipse(
            image, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, _paint(rng), -1, cv2.LINE_AA
        )
    else:
        for _ in range(int(rng.integers(4, 20))):
            tip = (np.array([x, y]) + rng.normal(0, 0.3, 2) * [w, h]).astype(int)
            cv2.line(
                image, (x, y), tip.tolist(), (40, int(rng.integers(60, 150)), 50), 3, cv2.LINE_AA
            )


def _clutter(rng: np.random.Generator, image: Image) -> None:
    """Lay a coarse random texture over all: foliage, brick, a crowd of shelves."""
    height, width = image.shape[:2]
    cells = int(rng.integers(12, 90))
    texture = rng.normal(0, rng.uniform(8, 45), (cells, cells * 2, 3)).astype(np.float32)
    grown = cv2.resize(texture, (width, height), interpolation=int(rng.integers(0, 2)))
    image[...] = np.clip(image + grown, 0, 255).astype(np.uint8)
