"""Overlay: what lies over the pictures in the window: zones, notes and the help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..detections import FloatArray
from ..frame import Image
from ..zones import Point, Zones
from .pen import BLACK, WHITE, Colour, Pen, Pixel, Stroke
from .zone_drawing import ZoneDrawing

_YELLOW: Colour = (66, 228, 240)
_NOTE_ROWS = 2


def draw_zones(image: Image, zones: Zones) -> None:
    """Outline the watched polygons, and the ignored ones, which are named as well."""
    pen = Pen(image)
    for polygon in zones.watch:
        pen.outline(_pixels(image, polygon), WHITE, Stroke.SOLID)
    for polygon in zones.ignore:
        corners = _pixels(image, polygon)
        pen.outline(corners, WHITE, Stroke.DASHED)
        left, top = corners[0]
        left = max(min(left, pen.width_px - pen.measure("ignored") - 2 * pen.margin_px), 0)
        _write_on(pen, "ignored", left, max(min(top, pen.height_px - pen.row_px), 0))


def draw_drawing(image: Image, drawing: ZoneDrawing) -> None:
    """Show the points that were clicked, and the way on to the mouse."""
    pen = Pen(image)
    points = [*drawing.points, *([drawing.cursor] if drawing.cursor else [])]
    corners = _pixels(image, points)
    pen.outline(corners, _YELLOW, Stroke.SOLID, closed=drawing.can_close)
    for corner in _pixels(image, drawing.points):
        pen.dot(corner, _YELLOW)


def draw_notes(image: Image, notes: Iterable[str]) -> None:
    """Write notes along the top of the picture, each beginning a row."""
    pen = Pen(image)
    room_px = pen.width_px - 2 * pen.margin_px
    rows = [row for note in notes for row in pen.wrapped(note, room_px, _NOTE_ROWS)]
    pen.fill(0, 0, pen.width_px, len(rows) * pen.row_px, BLACK)
    for number, row in enumerate(rows):
        pen.write(row, pen.margin_px, number * pen.row_px, WHITE)


def draw_help(image: Image, keys: Sequence[tuple[str, str]]) -> None:
    """Write what each key does into a panel in the middle, as large as there is room for."""
    pen = Pen(image)
    while True:
        key_px = max(pen.measure(key) for key, _ in keys) + 4 * pen.margin_px
        width_px = key_px + max(pen.measure(does) for _, does in keys) + 2 * pen.margin_px
        height_px = len(keys) * pen.row_px + 2 * pen.margin_px
        if (width_px <= pen.width_px and height_px <= pen.height_px) or pen.text_px <= 1:
            break
        pen = pen.times(min(0.95, 1 - 1 / pen.text_px))
    left, top = max((pen.width_px - width_px) // 2, 0), max((pen.height_px - height_px) // 2, 0)
    pen.fill(left, top, left + width_px, top + height_px, BLACK)
    for number, (key, does) in enumerate(keys):
        row = top + pen.margin_px + number * pen.row_px
        pen.write(key, left + 2 * pen.margin_px, row, _YELLOW)
        pen.write(does, left + key_px, row, WHITE)


def _write_on(pen: Pen, text: str, left: int, top: int) -> None:
    pen.fill(left, top, left + pen.measure(text) + 2 * pen.margin_px, top + pen.row_px, BLACK)
    pen.write(text, left + pen.margin_px, top, WHITE)


def _pixels(image: Image, points: FloatArray | Sequence[Point]) -> list[Pixel]:
    height_px, width_px = image.shape[:2]
    fractions = np.array(points, np.float64).reshape(-1, 2)
    pixels = (fractions * (width_px - 1, height_px - 1)).round().astype(int)
    return [(int(x), int(y)) for x, y in pixels]
