"""Pen: lines, symbols and text of a size that suits the picture, and never outside it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

import cv2
import numpy as np

from ..detections import FloatArray
from ..frame import Image

Colour = tuple[int, int, int]
Pixel = tuple[int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SMALLEST_TEXT_PX = 11


class Stroke(Enum):
    """How a line is drawn; told apart without any colour."""

    SOLID = "solid"
    DOUBLE = "double"
    DASHED = "dashed"


# Corners of the lines of a symbol, in its square of side 1.
_LINES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "check": (((0.0, 0.55), (0.38, 0.95), (1.0, 0.1)),),
    "cross": (((0.05, 0.05), (0.95, 0.95)), ((0.95, 0.05), (0.05, 0.95))),
    "question": (
        ((0.2, 0.3), (0.25, 0.1), (0.5, 0.0), (0.75, 0.1), (0.8, 0.3), (0.5, 0.5), (0.5, 0.68)),
        ((0.5, 0.95), (0.5, 0.97)),
    ),
    # A padlock: its body, and its bow, which on an open one stands up on one side.
    "locked": (
        ((0.1, 0.5), (0.9, 0.5), (0.9, 1.0), (0.1, 1.0), (0.1, 0.5)),
        ((0.25, 0.5), (0.25, 0.2), (0.4, 0.05), (0.6, 0.05), (0.75, 0.2), (0.75, 0.5)),
    ),
    "unlocked": (
        ((0.0, 0.5), (0.7, 0.5), (0.7, 1.0), (0.0, 1.0), (0.0, 0.5)),
        ((0.55, 0.5), (0.55, 0.2), (0.68, 0.05), (0.87, 0.05), (1.0, 0.2), (1.0, 0.35)),
    ),
}
_SYMBOLS = {name: [np.array(line) for line in lines] for name, lines in _LINES.items()}


class Pen:
    """Draws into a picture.

    image: uint8 [H, W, 3] BGR; drawn into.
    text_px: height of a capital letter; None for one that suits the picture.
    """

    def __init__(self, image: Image, text_px: int | None = None) -> None:
        self._image = image
        self.height_px, self.width_px = image.shape[:2]
        if text_px is None:
            text_px = max(round(min(self.height_px, self.width_px) / 36), _SMALLEST_TEXT_PX)
        self.text_px = text_px
        self.line_px = max(text_px // 8, 1)
        self.margin_px = max(text_px // 3, 2)
        self._scale = cv2.getFontScaleFromHeight(_FONT, text_px, self.line_px)
        (_, self._above_px), below_px = cv2.getTextSize("Ag", _FONT, self._scale, self.line_px)
        self.row_px = self._above_px + below_px + self.margin_px

    def times(self, factor: float) -> Pen:
        """A pen for the same picture, whose text is `factor` times as high."""
        return Pen(self._image, max(round(self.text_px * factor), 1))

    def box(self, box: FloatArray, colour: Colour, stroke: Stroke) -> None:
        """Draw a box, xyxy pixels, of which any part may lie outside the picture."""
        thick_px = 2 * self.line_px
        # What lies further outside would not be seen, but would be made of many dashes.
        low, high = -2 * thick_px, np.array([self.width_px, self.height_px] * 2) + 2 * thick_px
        left, top, right, bottom = (int(side) for side in np.clip(box.round(), low, high))
        insets_px = (0, 2 * thick_px) if stroke is Stroke.DOUBLE else (0,)
        for inset_px in insets_px:
            x1, y1, x2, y2 = left + inset_px, top + inset_px, right - inset_px, bottom - inset_px
            if inset_px == 0 or (x1 < x2 and y1 < y2):
                self.outline([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], colour, stroke)

    def outline(
        self, corners: Sequence[Pixel], colour: Colour, stroke: Stroke, *, closed: bool = True
    ) -> None:
        """Draw a line with a thin dark edge, so that it is seen on any background."""
        thick_px = 2 * self.line_px
        ends = pairwise([*corners, *corners[: int(closed)]])
        lines = [
            line
            for start, end in ends
            for line in (
                _dashes(start, end, 4 * thick_px) if stroke is Stroke.DASHED else [(start, end)]
            )
        ]
        pixels = np.array(lines, np.int32).reshape(-1, 2, 2)
        for width_px, drawn in ((thick_px + 2, BLACK), (thick_px, colour)):
            cv2.polylines(self._image, list(pixels), False, drawn, width_px, cv2.LINE_AA)

    def dot(self, centre: Pixel, colour: Colour) -> None:
        """Draw a point."""
        for radius_px, drawn in ((4 * self.line_px, BLACK), (3 * self.line_px, colour)):
            cv2.circle(self._image, centre, radius_px, drawn, cv2.FILLED, cv2.LINE_AA)

    def fill(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        """Fill a rectangle up to, but without, its right and bottom sides."""
        # Not by assignment: numpy takes four times as long, and keeps other threads waiting.
        if left < right and top < bottom:
            corner = (right - 1, bottom - 1)
            cv2.rectangle(self._image, (left, top), corner, colour, cv2.FILLED)

    def symbol(self, name: str, left: int, top: int, colour: Colour) -> None:
        """Draw a symbol as high as a capital letter where `write` would begin a text."""
        top += self.margin_px // 2 + self._above_px - self.text_px
        lines = [
            (corners * self.text_px + (left, top)).round().astype(np.int32)
            for corners in _SYMBOLS[name]
        ]
        thick_px = max(self.text_px // 6, 2)
        cv2.polylines(self._image, lines, False, colour, thick_px, cv2.LINE_AA)

    def write(self, text: str, left: int, top: int, colour: Colour) -> None:
        """Write one row, of which `top` is the upper edge."""
        at = (left, top + self._above_px + self.margin_px // 2)
        cv2.putText(self._image, text, at, _FONT, self._scale, colour, self.line_px, cv2.LINE_AA)

    def measure(self, text: str) -> int:
        """How wide a text is, pixels."""
        return cv2.getTextSize(text, _FONT, self._scale, self.line_px)[0][0]

    def cut(self, text: str, room_px: int) -> str:
        """As much of a text as there is room for."""
        if self.measure(text) <= room_px:
            return text
        while text and self.measure(text + "...") > room_px:
            text = text[:-1]
        return text + "..." if text else ""

    def wrapped(self, text: str, room_px: int, rows: int) -> list[str]:
        """The text in as many rows as it needs, at most `rows`; the last one is cut."""
        found: list[str] = []
        words = text.split(" ")
        while words and len(found) < rows - 1:
            count = len(words)
            while count > 1 and self.measure(" ".join(words[:count])) > room_px:
                count -= 1
            found.append(self.cut(" ".join(words[:count]), room_px))
            words = words[count:]
        return [*found, self.cut(" ".join(words), room_px)] if words else found


def _dashes(start: Pixel, end: Pixel, dash_px: int) -> list[tuple[Pixel, Pixel]]:
    """A line in dashes and gaps of nearly that length, with a dash at both ends."""
    first, last = np.array(start), np.array(end)
    count = 2 * max(round(float(np.hypot(*(last - first))) / dash_px / 2), 1) + 1
    stops = [first + (last - first) * step / count for step in range(count + 1)]
    pixels = [(round(float(x)), round(float(y))) for x, y in stops]
    return list(zip(pixels[::2], pixels[1::2], strict=True))
