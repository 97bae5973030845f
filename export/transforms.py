"""Transforms: the many views of one labelled picture that training sees."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from monitor.detections import FloatArray
from monitor.frame import Image

IntArray = npt.NDArray[np.int64]

SCALES = (0.65, 2.4)
STRETCH = 1.12
FOCUS_SHARE = 0.75
LARGEST_FACE_SHARE = 0.8
SMALLEST_FACE_PX = 7.0
VISIBLE_SHARE = 0.4


@dataclass(frozen=True)
class View:
    """A picture with its boxes, as training sees it.

    image: uint8 [H, W, 3], BGR.
    boxes: float32 [N, 4], xyxy pixels.
    labels: int64 [N], columns of the class scores.
    """

    image: Image
    boxes: FloatArray
    labels: IntArray


def training_view(view: View, side_px: int, rng: np.random.Generator) -> View:
    """A random square part of a picture, at a random scale, maybe mirrored, in other light.

    view: the whole picture.
    side_px: height and width of the result.
    rng: the only source of chance.
    """
    if rng.random() < 0.5:
        view = mirrored(view)
    view = cropped(view, side_px, rng)
    return View(recoloured(view.image, rng), view.boxes, view.labels)


def mirrored(view: View) -> View:
    """The picture with left and right exchanged."""
    boxes = view.boxes.copy()
    boxes[:, [0, 2]] = view.image.shape[1] - view.boxes[:, [2, 0]]
    return View(np.ascontiguousarray(view.image[:, ::-1]), boxes, view.labels)


def cropped(view: View, side_px: int, rng: np.random.Generator) -> View:
    """A random part of the picture, mostly around a face, scaled to `side_px` square.

    A face that the cut leaves too small or too hidden to be labelled is painted over, because left
    alone it would be learnt as background.
    """
    height, width = view.image.shape[:2]
    scale = float(np.exp(rng.uniform(*np.log(SCALES))))
    centre = rng.uniform((0, 0), (width, height))
    if len(view.boxes) and rng.random() < FOCUS_SHARE:
        box = view.boxes[rng.integers(len(view.boxes))]
        face_px = float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0)))
        scale = min(scale, LARGEST_FACE_SHARE * side_px / face_px)
        centre = (box[:2] + box[2:]) / 2 + rng.uniform(-0.4, 0.4, 2) * side_px / scale
    stretch = float(np.exp(rng.uniform(-1, 1) * np.log(STRETCH) / 2))
    sides = side_px / np.array([scale * stretch, scale / stretch])
    # keep the window inside the picture where it fits, so that padding stays rare
    room = np.array([width, height]) - sides
    corner = np.clip(centre - sides / 2, np.minimum(room, 0), np.maximum(room, 0))
    low, high = np.floor(corner).astype(int), np.ceil(corner + sides).astype(int)
    image = _window(view.image, low, high, side_px, rng)

    boxes = (view.boxes - np.tile(low, 2)) * np.tile(side_px / (high - low), 2)
    inside = np.clip(boxes, 0, side_px).astype(np.float32)
    areas = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    visible = (inside[:, 2:] - inside[:, :2]).prod(axis=1)
    keep = (visible / areas >= VISIBLE_SHARE) & (visible >= SMALLEST_FACE_PX**2)
    for x1, y1, x2, y2 in inside[~keep].round().astype(int):
        image[y1:y2, x1:x2] = image[y1:y2, x1:x2].mean(axis=(0, 1)) if x2 > x1 and y2 > y1 else 0
    return View(image, inside[keep], view.labels[keep])


def _window(
    image: Image, low: IntArray, high: IntArray, side_px: int, rng: np.random.Generator
) -> Image:
    """The part of `image` from corner `low` to `high`, (x, y), scaled to `side_px` square."""
    shape = np.array(image.shape[1::-1])
    start, stop = np.clip(low, 0, shape), np.clip(high, 0, shape)
    part = image[start[1] : stop[1], start[0] : stop[0]]
    left, top = start - low
    right, bottom = high - stop
    colour = [int(value) for value in rng.integers(0, 256, 3)]
    part = cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)
    shrinks = part.shape[0] > side_px
    interpolation = cv2.INTER_AREA if shrinks and rng.random() < 0.7 else cv2.INTER_LINEAR
    return cv2.resize(part, (side_px, side_px), interpolation=interpolation)


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
