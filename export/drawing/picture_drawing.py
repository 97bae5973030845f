"""Picture drawing: boxes with captions on a picture, and lines of text below it."""

from __future__ import annotations

import colorsys
from itertools import pairwise
from textwrap import wrap

import cv2
import numpy as np

from monitor.detections import Detections, FloatArray
from monitor.frame import Image

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
# Okabe and Ito, "Color Universal Design": they differ for all colour vision. As BGR.
_FIRST_COLOURS: tuple[Colour, ...] = (
    (178, 114, 0),
    (0, 94, 213),
    (115, 158, 0),
    (167, 121, 204),
    (233, 180, 86),
    (0, 159, 230),
    (66, 228, 240),
)
_GOLDEN_SHARE = 0.618
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SMALLEST_TEXT_PX = 11
_LEAST_LONG_SIDE_PX = 480
_BRIGHT = 140.0
_LINE_LETTERS = 70


def class_colours(count: int) -> tuple[Colour, ...]:
    """One colour a class, BGR: the first few differ for all colour vision, all differ in hue."""
    more = []
    for number in range(count - len(_FIRST_COLOURS)):
        hue = number * _GOLDEN_SHARE % 1.0
        rgb = colorsys.hsv_to_rgb(hue, (0.9, 0.5)[number % 2], (0.95, 0.7)[number // 2 % 2])
        more.append((round(rgb[2] * 255), round(rgb[1] * 255), round(rgb[0] * 255)))
    return (*_FIRST_COLOURS, *more)[:count]


def draw_detections(image: Image, found: Detections) -> Image:
    """A copy of the picture with a box and a caption, such as "mask 0.93", for each detection.

    image: uint8 [H, W, 3] BGR; the copy of a small one is enlarged, so that text can be read.
    found: in pixels of `image`.
    """
    colours = class_colours(len(found.classes))
    drawing = Drawing(image)
    # the surest last, so that its caption stays on top
    for row in reversed(range(len(found))):
        column = int(found.scores[row].argmax())
        caption = f"{found.classes[column]} {found.scores[row, column]:.2f}"
        drawing.box(found.boxes[row], colours[column], caption)
    return drawing.finished()


def blank(text: str) -> Image:
    """A grey picture that says only this, in as many lines as it takes."""
    drawing = Drawing(np.full((360, 640, 3), 128, np.uint8))
    for line in text.splitlines():
        for part in wrap(line, _LINE_LETTERS):
            drawing.footer(part)
    return drawing.finished()


class Drawing:
    """A copy of a picture on which boxes are drawn.

    image: uint8 [H, W, 3] BGR; a picture with a longer side below 480 px is enlarged by a whole
        factor. Boxes are given in pixels of `image` all the same.
    """

    def __init__(self, image: Image) -> None:
        self._scale = max(_LEAST_LONG_SIDE_PX // max(image.shape[:2]), 1)
        size = (image.shape[1] * self._scale, image.shape[0] * self._scale)
        self._image = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
        self._text_px = max(min(size) // 36, _SMALLEST_TEXT_PX)
        self._captions: list[tuple[tuple[int, int, int, int], str, Colour, bool]] = []
        self._footer: list[tuple[str, Colour]] = []

    def box(
        self,
        box: FloatArray,
        colour: Colour,
        caption: str = "",
        *,
        dashed: bool = False,
        thin: bool = False,
        below: bool = False,
    ) -> None:
        """Draw a box, float [4], xyxy pixels of the picture; a later caption covers an earlier.

        below: whether the caption stands below the box and not above it.
        """
        # so far outside that no line shows, and no farther, or dashes would take long
        farthest = np.tile(self._image.shape[1::-1], 2) + self._text_px
        scaled = np.clip(np.asarray(box, np.float64) * self._scale, -self._text_px, farthest)
        left, top, right, bottom = (round(side) for side in scaled.tolist())
        line_px = 1 if thin else max(self._text_px_of(bottom - top) // 4, 2)
        if dashed:
            self._dashes((left, top, right, bottom), colour, line_px)
        else:
            cv2.rectangle(self._image, (left, top), (right, bottom), colour, line_px)
        if caption:
            self._captions.append(((left, top, right, bottom), caption, colour, below))

    def footer(self, text: str, colour: Colour = WHITE) -> None:
        """Add a line of text below the picture."""
        self._footer.append((text, colour))

    def finished(self) -> Image:
        """The drawn copy, uint8 [H, W, 3] BGR."""
        for (left, top, _, bottom), caption, colour, below in self._captions:
            label = self._label(caption, colour, self._text_px_of(bottom - top))
            if below:
                self._place(label, left, bottom, bottom - label.shape[0])
            else:
                self._place(label, left, top - label.shape[0], top)
        rows = [self._row(text, colour) for text, colour in self._footer]
        return np.asarray(np.vstack([self._image, *rows]), np.uint8)

    def _text_px_of(self, box_height_px: int) -> int:
        """Height of a box's caption: it suits the picture, but does not bury a small box."""
        return max(min(self._text_px, box_height_px // 4), _SMALLEST_TEXT_PX)

    def _dashes(self, box: tuple[int, int, int, int], colour: Colour, line_px: int) -> None:
        left, top, right, bottom = box
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        for start, end in pairwise(corners):
            length_px = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
            # an odd number of parts, so that every corner is drawn
            parts = max(length_px // (6 * line_px), 1) | 1
            stops = np.linspace(start, end, parts + 1).round().astype(int).tolist()
            for begin, finish in zip(stops[::2], stops[1::2], strict=True):
                cv2.line(self._image, begin, finish, colour, line_px)

    def _label(self, text: str, colour: Colour, text_px: int) -> Image:
        height_px, width_px = self._image.shape[:2]
        return _label(text, colour, text_px, width_px)[:height_px]

    def _place(self, label: Image, left: int, top: int, otherwise: int) -> None:
        """Put a label at that top edge or, without room there, at another; always inside."""
        rows, columns = label.shape[:2]
        lowest, rightmost = self._image.shape[0] - rows, self._image.shape[1] - columns
        top = top if 0 <= top <= lowest else otherwise
        top, left = max(min(top, lowest), 0), max(min(left, rightmost), 0)
        self._image[top : top + rows, left : left + columns] = label

    def _row(self, text: str, colour: Colour) -> Image:
        width_px = self._image.shape[1]
        label = _label(text, colour, self._text_px, width_px)
        row = np.full((label.shape[0], width_px, 3), colour, np.uint8)
        row[:, : label.shape[1]] = label
        return row


def _label(text: str, colour: Colour, text_px: int, most_px: int) -> Image:
    """Text on a ground of that colour, at most so wide; what does not fit is cut with dots."""
    # a file name may hold bytes that are no text, on which OpenCV crashes
    text = text.encode("utf-8", "replace").decode("utf-8")
    line_px = max(text_px // 9, 1)
    margin_px = max(text_px // 3, 2)
    scale = cv2.getFontScaleFromHeight(_FONT, text_px, line_px)

    def measure(part: str) -> int:
        return cv2.getTextSize(part, _FONT, scale, line_px)[0][0] + 2 * margin_px

    if measure(text) > most_px:
        while text and measure(text + "...") > most_px:
            text = text[:-1]
        text = text + "..." if text else ""
    (_, above_px), below_px = cv2.getTextSize("Ag", _FONT, scale, line_px)
    size = (above_px + below_px + margin_px, min(measure(text), most_px), 3)
    label = np.full(size, colour, np.uint8)
    blue, green, red = colour
    ink = BLACK if 0.114 * blue + 0.587 * green + 0.299 * red > _BRIGHT else WHITE
    at = (margin_px, above_px + margin_px // 2)
    cv2.putText(label, text, at, _FONT, scale, ink, line_px, cv2.LINE_AA)
    return label
