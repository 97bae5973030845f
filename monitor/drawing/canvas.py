"""A canvas: a transparent layer with smooth edges, drawn in its own units and laid on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..frame import Image

Floats = npt.NDArray[np.float64]
Points = Floats | Sequence[tuple[float, float]]
Colour = tuple[float, float, float]

# Polygon corners reach OpenCV as fixed-point numbers with this many bits after the point.
_SHIFT = 5


def smooth(points: Points, *, steps: int = 5, closed: bool = True) -> Floats:
    """Run a Catmull-Rom spline through `points`.

    points: [N, 2], N at least 3. steps: points put between two of them.
    closed: whether the last point leads back to the first.
    Returns float64 [M, 2].
    """
    p = np.asarray(points, np.float64)
    p = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([p[0], p, p[-1]])
    t = np.arange(steps)[:, None, None] / steps
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    curve = curve.transpose(1, 0, 2).reshape(-1, 2)
    return curve if closed else np.vstack([curve, p[-2]])


def both_sides(right: Points) -> Floats:
    """Return a symmetric outline, float64 [M, 2]: down its right side and up its left.

    right: [N, 2], the points with x >= 0 from top to bottom; those on the axis are not doubled.
    """
    points = np.asarray(right, np.float64)
    left = points[points[:, 0] != 0][::-1] * [-1, 1]
    return np.vstack([points, left])


def ellipse(x: float, y: float, rx: float, ry: float, *, angle: float = 0.0) -> Floats:
    """Return the outline of an ellipse, float64 [24, 2]; `angle` in radians, clockwise."""
    t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    px, py = rx * np.cos(t), ry * np.sin(t)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([x + px * cos - py * sin, y + px * sin + py * cos], axis=1)


class Canvas:
    """A transparent layer, drawn upright in its own units and then laid on pictures.

    reach: the corners (left, top, right, bottom), in units, of all that will be drawn.
    px_per_unit: how finely the finished layer is kept.
    oversample: pixels to draw for one to keep, along each side.
    """

    def __init__(
        self, reach: tuple[float, float, float, float], px_per_unit: float, *, oversample: int = 1
    ) -> None:
        left, top, right, bottom = reach
        self.px_per_unit = px_per_unit * oversample
        self._oversample = oversample
        self._origin = np.array([left, top])
        self._span = np.array([right - left, bottom - top])
        columns, rows = np.ceil(self._span * px_per_unit).astype(int) * oversample
        self._pixels = np.zeros((rows, columns, 4), np.float32)  # BGRA, premultiplied
        self._clip: npt.NDArray[np.uint8] | None = None

    def fill(
        self, points: Points, colour: Colour, *, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Fill a polygon.

        points: [N, 2], units. colour: BGR, 0 to 255. opacity: 0 to 1.
        soft: how far the edge is blurred, units.
        """
        pixels = self._to_pixels(points)
        self._cover(pixels, colour, opacity, soft, width_px=None)

    def stroke(
        self,
        points: Points,
        colour: Colour,
        width: float,
        *,
        opacity: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """Draw an open line, `width` units thick; the other arguments are those of `fill`."""
        width_px = width * self.px_per_unit
        # OpenCV's lines are whole pixels wide; a fainter one looks as thin as it should, and does
        # not jump while somebody walks up.
        whole_px = max(1, int(np.ceil(width_px)))
        self._cover(self._to_pixels(points), colour, opacity * width_px / whole_px, soft, whole_px)

    def clip(self, points: Points | None) -> None:
        """Let later drawing show inside this polygon only; None lifts that."""
        if points is None:
            self._clip = None
            return
        self._clip = np.zeros(self._pixels.shape[:2], np.uint8)
        corners = np.round(self._to_pixels(points) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(self._clip, [corners], 255, cv2.LINE_AA, _SHIFT)

    def light(self, factor: npt.NDArray[np.float32]) -> None:
        """Multiply the colours drawn so far by `factor`, float32 [h, w, 3], stretched over all."""
        size = (self._pixels.shape[1], self._pixels.shape[0])
        self._pixels[..., :3] *= cv2.resize(factor, size, interpolation=cv2.INTER_LINEAR)

    def grid(self, cells: int) -> tuple[Floats, Floats]:
        """Return x and y, units, at the centres of `cells` x `cells` parts of the canvas."""
        middles = (np.arange(cells) + 0.5)[:, None] / cells * self._span + self._origin
        x, y = np.meshgrid(middles[:, 0], middles[:, 1])
        return x, y

    def finish(self) -> Layer:
        """Return what was drawn."""
        pixels = self._pixels
        if self._oversample > 1:
            share = 1 / self._oversample
            pixels = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        rounded = np.clip(pixels + 0.5, 0, 255)
        rounded[..., 3] = pixels[..., 3] * 255 + 0.5
        return Layer(rounded.astype(np.uint8), self._origin, self.px_per_unit / self._oversample)

    def _to_pixels(self, points: Points) -> Floats:
        pixels: Floats = (np.asarray(points) - self._origin) * self.px_per_unit - 0.5
        return pixels

    def _cover(
        self,
        shape: Floats,
        colour: Colour,
        opacity: float,
        soft: float,
        width_px: int | None,
    ) -> None:
        blur_px = 2 * round(soft * self.px_per_unit) + 1
        margin = blur_px + (width_px or 0) + 2
        height, width = self._pixels.shape[:2]
        x0, y0 = np.maximum(np.floor(shape.min(axis=0)) - margin, 0).astype(int)
        x1, y1 = np.minimum(np.ceil(shape.max(axis=0)) + margin, [width, height]).astype(int)
        if x1 <= x0 or y1 <= y0:
            return
        coverage = np.zeros((y1 - y0, x1 - x0), np.uint8)
        fixed = [np.round((shape - [x0, y0]) * 2**_SHIFT).astype(np.int32)]
        if width_px is None:
            cv2.fillPoly(coverage, fixed, 255, cv2.LINE_AA, _SHIFT)
        else:
            cv2.polylines(coverage, fixed, False, 255, width_px, cv2.LINE_AA, _SHIFT)
        if blur_px > 1:
            coverage = cv2.stackBlur(coverage, (blur_px, blur_px))
        if self._clip is not None:
            coverage = cv2.multiply(coverage, self._clip[y0:y1, x0:x1], scale=1 / 255)
        layer = self._pixels[y0:y1, x0:x1]
        alpha = coverage[..., None] * np.float32(opacity / 255)
        layer += alpha * (np.array([*colour, 1.0], np.float32) - layer)


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished drawing, ready to be laid on pictures at any place.

    pixels: uint8 [h, w, 4], BGRA, premultiplied. origin: float64 [2], units at its top left corner.
    px_per_unit: how fine it is.
    """

    pixels: Image
    origin: Floats
    px_per_unit: float

    def lay_on(self, image: Image, place: Floats) -> None:
        """Blend the layer into `image`, uint8 [H, W, 3] BGR, in place.

        place: float64 [2, 3], the affine map from units to pixels of the image.
        """
        # Pixel (0, 0) is the square whose centre is there: its corner is half a pixel before it.
        matrix = place.copy()
        matrix[:, :2] /= self.px_per_unit
        matrix[:, 2] += place[:, :2] @ self.origin + matrix[:, :2] @ [0.5, 0.5] - 0.5
        rows, columns = self.pixels.shape[:2]
        corners = np.array([[-1, -1], [columns, -1], [columns, rows], [-1, rows]])
        corners = corners @ matrix[:, :2].T + matrix[:, 2]
        edge = np.array(image.shape[1::-1])
        low = np.clip(np.floor(corners.min(axis=0)), 0, edge).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, edge).astype(int)
        if (high <= low).any():
            return
        matrix[:, 2] -= low
        width, height = (int(side) for side in high - low)
        warped = cv2.warpAffine(self.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR)
        through = cv2.cvtColor(cv2.bitwise_not(warped[..., 3]), cv2.COLOR_GRAY2BGR)
        part = image[low[1] : high[1], low[0] : high[0]]
        behind = cv2.multiply(part, through, scale=1 / 255)
        part[...] = cv2.add(behind, warped[..., :3])
