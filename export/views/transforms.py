"""Transforms: the many views of one labelled picture that training sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from monitor.detections import FloatArray
from monitor.frame import Image

from .camera_effects import recoloured
from .coverings import Coverings, IntArray

SCALES = (0.5, 1.9)
MOSAIC_SCALES = (0.4, 1.0)
STRETCH = 1.12
FOCUS_SHARE = 0.75
LARGEST_OBJECT_SHARE = 0.95
SMALLEST_OBJECT_PX = 7.0
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


@dataclass(frozen=True)
class Augmentation:
    """How a picture is changed before training sees it.

    side_px: height and width of every view.
    mosaic: share of the views that are put together from parts of four pictures, 0 to 1.
    upside_down: share of the pictures that are turned upside down, 0 to 1; 0.5 suits pictures taken
        from above, and nothing else.
    coverings: what is drawn before faces; None draws nothing.
    """

    side_px: int
    mosaic: float = 0.0
    upside_down: float = 0.0
    coverings: Coverings | None = None


Pick = Callable[[], tuple[View, float]]


def resized(view: View, size: tuple[int, int]) -> View:
    """The whole picture at (width, height) pixels.

    It shrinks without the aliasing of the exported graph, which only interpolates.
    """
    height, width = view.image.shape[:2]
    shrinks = size[0] < width
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    image = cv2.resize(view.image, size, interpolation=interpolation)
    factors = np.tile([size[0] / width, size[1] / height], 2).astype(np.float32)
    return View(np.asarray(image, np.uint8), view.boxes * factors, view.labels)


def augmented(pick: Pick, augmentation: Augmentation, rng: np.random.Generator) -> View:
    """A random view in other light: a part of one picture, or parts of four.

    pick: gives a picture and the scale at which the network would look at the whole of it; called
        once, or four times for a mosaic.
    rng: the only source of chance.
    """

    def part(side_px: int, scales: tuple[float, float]) -> View:
        picture, scale = pick()
        view = cropped(picture, side_px, scale, scales, rng)
        if augmentation.coverings:
            # where its cut faces still end at its edges, and none stands on its head yet
            labels = augmentation.coverings.draw(view.image, view.boxes, view.labels, rng)
            view = replace(view, labels=labels)
        return flipped(view, augmentation, rng)

    if rng.random() < augmentation.mosaic:
        view = joined([part(augmentation.side_px // 2, MOSAIC_SCALES) for _ in range(4)])
    else:
        view = part(augmentation.side_px, SCALES)
    return replace(view, image=recoloured(view.image, rng))


def flipped(view: View, augmentation: Augmentation, rng: np.random.Generator) -> View:
    """The view, half the time mirrored, and turned upside down as often as asked for."""
    if rng.random() < 0.5:
        view = mirrored(view, axis=1)
    if rng.random() < augmentation.upside_down:
        view = mirrored(view, axis=0)
    return view


def mirrored(view: View, axis: int) -> View:
    """The picture with left and right (axis 1) or top and bottom (axis 0) exchanged."""
    boxes = view.boxes.copy()
    low, high = (0, 2) if axis == 1 else (1, 3)
    boxes[:, [low, high]] = view.image.shape[axis] - view.boxes[:, [high, low]]
    return View(np.ascontiguousarray(np.flip(view.image, axis)), boxes, view.labels)


def joined(parts: Sequence[View]) -> View:
    """Four square views of one size as one of twice the side.

    Bochkovskiy et al. 2020, https://arxiv.org/abs/2004.10934, section 3.3
    """
    half = parts[0].image.shape[0]
    rows = [np.hstack([parts[row].image, parts[row + 1].image]) for row in (0, 2)]
    offsets = [(0, 0), (half, 0), (0, half), (half, half)]
    boxes = [part.boxes + np.tile(offset, 2) for part, offset in zip(parts, offsets, strict=True)]
    return View(
        np.vstack(rows),
        np.concatenate(boxes).astype(np.float32),
        np.concatenate([part.labels for part in parts]),
    )


def cropped(
    view: View,
    side_px: int,
    fit_scale: float,
    scales: tuple[float, float],
    rng: np.random.Generator,
) -> View:
    """A random part of the picture, mostly around an object, scaled to `side_px` square.

    fit_scale: scale at which the network would look at the whole picture.
    scales: least and largest factor on it.

    An object that the cut leaves too small or too hidden to be labelled is painted over, because
    left alone it would be learnt as background; what it shares with a labelled one stays.
    """
    height, width = view.image.shape[:2]
    scale = fit_scale * float(np.exp(rng.uniform(*np.log(scales))))
    centre = rng.uniform((0, 0), (width, height))
    if len(view.boxes) and rng.random() < FOCUS_SHARE:
        box = view.boxes[rng.integers(len(view.boxes))]
        object_px = float(max(box[2] - box[0], box[3] - box[1], 1.0))
        scale = min(scale, LARGEST_OBJECT_SHARE * side_px / object_px)
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
    keep = (visible / areas >= VISIBLE_SHARE) & (visible >= SMALLEST_OBJECT_PX**2)
    whole = image.copy() if not keep.all() else image
    for x1, y1, x2, y2 in inside[~keep].round().astype(int):
        image[y1:y2, x1:x2] = image[y1:y2, x1:x2].mean(axis=(0, 1)) if x2 > x1 and y2 > y1 else 0
    for x1, y1, x2, y2 in inside[keep].round().astype(int):
        image[y1:y2, x1:x2] = whole[y1:y2, x1:x2]
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
