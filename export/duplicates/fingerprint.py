"""Fingerprint: a small grey copy of a picture, and how well two of them agree in detail.

Two copies of one photograph, scaled, re-encoded, brightened or slightly cropped, agree in their
fine structure everywhere once they are laid over each other. Two photographs of the same kind of
scene do not; two of the same room, with other people in it, agree in many parts but not in all.
They are aligned by maximising their correlation over affine maps: Evangelidis and Psarakis,
"Parametric Image Alignment Using Enhanced Correlation Coefficient Maximization", PAMI 2008.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from monitor.detections import FloatArray
from monitor.frame import Image

Fingerprint = npt.NDArray[np.uint8]
SIDE_PX = 128
ROUGH_SIDE_PX = 64
# a picture of a smaller standard deviation, in grey levels, shows nothing to compare
FLAT_GREY_LEVELS = 2.0
# a part of the fingerprint, and how much of all structure it must hold to have a say
PART_SIDE_PX = 32
PART_SHARE = 0.02
# agreement at the rough size without which the full size is not looked at
ROUGH_AGREEMENT = 0.5
SMALLEST_OVERLAP = 0.5
LARGEST_ZOOM = 2.5


class Agreement(NamedTuple):
    """How well two aligned fingerprints agree in their fine structure, each from -1 to 1.

    whole: correlation where they overlap.
    weakest: correlation in that part, of 16, where it is least.
    """

    whole: float
    weakest: float


NO_AGREEMENT = Agreement(-1.0, -1.0)


def fingerprint(image: Image) -> Fingerprint | None:
    """The small grey copy by which a picture is compared.

    image: uint8 [H, W, 3] BGR, or [H, W] grey.

    Returns uint8 [128, 128] of grey levels, stretched to the square; None for a picture of one
    tone.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8) if small.std() >= FLAT_GREY_LEVELS else None


def read_fingerprint(path: Path) -> Fingerprint | None:
    """The fingerprint of a picture's file; None where it cannot be read or shows one tone."""
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError:
        return None
    # A large JPEG decodes much faster at a quarter of its size.
    for mode in (cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_GRAYSCALE):
        try:
            image = cv2.imdecode(encoded, mode) if encoded.size else None
        except cv2.error:
            return None
        if image is None:
            return None
        if min(image.shape) >= SIDE_PX:
            break
    return fingerprint(np.asarray(image, np.uint8))


def agreement(
    one: Fingerprint, other: Fingerprint, window: tuple[float, float, float] = (0, 0, 1)
) -> Agreement:
    """How well two fingerprints agree.

    one, other: uint8 [128, 128].
    window: x, y and side of the part of `other` that `one` may show, as shares of its side; the
        alignment starts there.
    """
    x, y, side = window
    start = np.array([[side, 0, x * ROUGH_SIDE_PX], [0, side, y * ROUGH_SIDE_PX]], np.float32)
    first, second = one.astype(np.float32), other.astype(np.float32)
    rough = (ROUGH_SIDE_PX, ROUGH_SIDE_PX)
    small_first = cv2.resize(first, rough, interpolation=cv2.INTER_AREA)
    small_second = cv2.resize(second, rough, interpolation=cv2.INTER_AREA)
    value, warp = _aligned(small_first, small_second, start)
    if value.whole < ROUGH_AGREEMENT or warp is None:
        return value
    warp[:, 2] *= SIDE_PX / ROUGH_SIDE_PX
    return _aligned(first, second, warp)[0]


def _aligned(
    one: FloatArray, other: FloatArray, warp: FloatArray
) -> tuple[Agreement, FloatArray | None]:
    """Agreement and the affine map, float32 [2, 3], from `one` to `other`; `warp` is a first guess.

    None for the map where nothing agrees.
    """
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    try:
        _, warp = cv2.findTransformECC(one, other, warp, cv2.MOTION_AFFINE, stop, None, 5)
    except cv2.error:  # It does not converge where there is nothing in common.
        return NO_AGREEMENT, None
    zoom = abs(float(np.linalg.det(warp[:, :2])))
    if not 1 / LARGEST_ZOOM <= zoom <= LARGEST_ZOOM:
        return NO_AGREEMENT, None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = one.shape[::-1]
    inside = cv2.warpAffine(np.ones_like(other), warp, size, flags=flags) > 0.99
    if inside.mean() < SMALLEST_OVERLAP:
        return NO_AGREEMENT, None
    moved = cv2.warpAffine(_fine_structure(other), warp, size, flags=flags)
    return _correlated(_fine_structure(one) * inside, moved * inside), np.asarray(warp, np.float32)


def _fine_structure(grey: FloatArray) -> FloatArray:
    smooth = cv2.GaussianBlur(grey, (0, 0), 1)
    return np.asarray(smooth - cv2.GaussianBlur(grey, (0, 0), 3), np.float32)


def _correlated(one: FloatArray, other: FloatArray) -> Agreement:
    """Agreement of two fine structures of the same size; their means are 0 but for the margin."""
    products, squares, other_squares = (
        _part_sums(first * second) for first, second in ((one, other), (one, one), (other, other))
    )
    totals = max(float(squares.sum()), 1e-6), max(float(other_squares.sum()), 1e-6)
    shares = np.maximum(squares / totals[0], other_squares / totals[1])
    correlations = products / np.sqrt(np.maximum(squares * other_squares, 1e-6))
    weakest = correlations[shares >= PART_SHARE].min(initial=1.0)
    return Agreement(float(products.sum()) / float(np.sqrt(totals[0] * totals[1])), float(weakest))


def _part_sums(values: FloatArray) -> FloatArray:
    parts = max(len(values) // PART_SIDE_PX, 1)
    side_px = len(values) // parts
    return np.asarray(values.reshape(parts, side_px, parts, side_px).sum(axis=(1, 3)))
