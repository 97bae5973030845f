"""Drawing onto a frame what was decided about it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from .detections import FloatArray
from .frame import Image
from .policy import Decision, Door

Colour = tuple[int, int, int]

# Okabe and Ito, "Color Universal Design": blue and vermilion differ for all colour vision. As BGR.
# What they say is also written out: the class at each box, the state of the door.
_ALLOWED: Colour = (178, 114, 0)
_OTHER: Colour = (0, 94, 213)
_WHITE: Colour = (255, 255, 255)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SMALLEST_TEXT_PX = 11


def annotate(
    image: Image,
    decision: Decision,
    *,
    allowed: Sequence[str],
    frames_per_second: float | None = None,
) -> None:
    """Draw the judged faces, the door's state, the reason and the speed into a picture.

    image: uint8 [H, W, 3] BGR, of the size the faces were found in; drawn into.
    decision: what was decided about it.
    allowed: the classes with which a face may pass.
    frames_per_second: how fast decisions are made; None leaves it out.
    """
    pen = _Pen(image)
    classes = decision.faces.classes
    for box, scores in decision.faces:
        label = classes[int(scores.argmax())]
        caption = f"{label} {float(scores.max()):.2f}"
        pen.box(box, caption, _ALLOWED if label in allowed else _OTHER)
    state = "UNLOCKED" if decision.door is Door.UNLOCKED else "LOCKED"
    speed = "" if frames_per_second is None else f"{frames_per_second:.0f} fps"
    colour = _ALLOWED if decision.door is Door.UNLOCKED else _OTHER
    pen.band((state, speed), decision.reason, colour)


class _Pen:
    """Lines and text of a size that suits the picture, never outside it."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._height_px, self._width_px = image.shape[:2]
        text_px = max(round(min(self._height_px, self._width_px) / 36), _SMALLEST_TEXT_PX)
        self._line_px = max(text_px // 8, 1)
        self._margin_px = max(text_px // 3, 2)
        self._scale = cv2.getFontScaleFromHeight(_FONT, text_px, self._line_px)
        (_, above_px), below_px = cv2.getTextSize("Ag", _FONT, self._scale, self._line_px)
        self._above_px = above_px
        self._row_px = above_px + below_px + self._margin_px

    def box(self, box: FloatArray, caption: str, colour: Colour) -> None:
        """Draw a face's box, xyxy pixels, with its caption above it or, without room, inside it."""
        left, top, right, bottom = (round(float(side)) for side in box)
        cv2.rectangle(self._image, (left, top), (right, bottom), colour, self._line_px * 2)
        caption = self._cut(caption, self._width_px - 2 * self._margin_px)
        width_px = self._measure(caption) + 2 * self._margin_px
        left = max(min(left, self._width_px - width_px), 0)
        top = top - self._row_px if top >= self._row_px else top
        top = max(min(top, self._height_px - self._row_px), 0)
        corner = (left + width_px - 1, top + self._row_px - 1)
        cv2.rectangle(self._image, (left, top), corner, colour, cv2.FILLED)
        self._write(caption, left + self._margin_px, top)

    def band(self, ends: tuple[str, str], below: str, colour: Colour) -> None:
        """Draw a band along the bottom: one text at each end of its first row, one below."""
        left_text, right_text = ends
        top = max(self._height_px - 2 * self._row_px, 0)
        corner = (self._width_px - 1, self._height_px - 1)
        cv2.rectangle(self._image, (0, top), corner, colour, cv2.FILLED)
        room_px = self._width_px - 2 * self._margin_px
        self._write(self._cut(left_text, room_px), self._margin_px, top)
        right = self._width_px - self._margin_px - self._measure(right_text)
        if right > 2 * self._margin_px + self._measure(left_text):
            self._write(right_text, right, top)
        self._write(self._cut(below, room_px), self._margin_px, top + self._row_px)

    def _write(self, text: str, left: int, top: int) -> None:
        at = (left, top + self._above_px + self._margin_px // 2)
        cv2.putText(self._image, text, at, _FONT, self._scale, _WHITE, self._line_px, cv2.LINE_AA)

    def _measure(self, text: str) -> int:
        return cv2.getTextSize(text, _FONT, self._scale, self._line_px)[0][0]

    def _cut(self, text: str, room_px: int) -> str:
        if self._measure(text) <= room_px:
            return text
        while text and self._measure(text + "...") > room_px:
            text = text[:-1]
        return text + "..." if text else ""
