"""Drawing onto a frame what was decided about it."""

from __future__ import annotations

import numpy as np

from ..decision import Decision, Door
from ..evidence import Verdict
from ..frame import Frame, Image
from .caption import face_caption, pace, why
from .pen import BLACK, WHITE, Colour, Pen, Stroke

# Okabe and Ito, "Color Universal Design": blue, vermilion and yellow differ for all colour vision.
# What they say is also said by words, by symbols and by the kind of line. As BGR.
_BLUE: Colour = (178, 114, 0)
_VERMILION: Colour = (0, 94, 213)
_YELLOW: Colour = (66, 228, 240)

# In the order in which they are drawn: what keeps the door shut is covered by nothing.
_LOOKS = {
    Verdict.ALLOWED: (_BLUE, WHITE, Stroke.SOLID, "check"),
    Verdict.UNCERTAIN: (_YELLOW, BLACK, Stroke.DASHED, "question"),
    Verdict.DENIED: (_VERMILION, BLACK, Stroke.DOUBLE, "cross"),
}
_DOORS = {Door.UNLOCKED: (_BLUE, WHITE), Door.LOCKED: (_VERMILION, BLACK)}
_STATE_SIZE = 1.6
_REASON_ROWS = 2


def annotate(image: Image, decision: Decision, frames_per_second: float | None = None) -> None:
    """Draw the judged faces, the door's state, the reason and the speed into a picture.

    image: uint8 [H, W, 3] BGR, of the size the faces were found in; drawn into.
    decision: what was decided about it.
    frames_per_second: how fast decisions are made; None leaves it out.
    """
    draw_faces(image, decision)
    draw_band(image, decision, pace(frames_per_second, None))


def annotated(frame: Frame, decision: Decision, frames_per_second: float | None = None) -> Image:
    """A copy of the frame's picture, uint8 [H, W, 3], annotated; arguments as for `annotate`."""
    image = np.copy(frame.image)
    annotate(image, decision, frames_per_second)
    return image


def draw_faces(image: Image, decision: Decision) -> None:
    """Draw a box around each judged face, and a caption above it or, without room, inside it."""
    pen = Pen(image)
    faces = zip(decision.faces, decision.verdicts, strict=True)
    for (box, scores), verdict in sorted(faces, key=lambda face: list(_LOOKS).index(face[1])):
        colour, ink, stroke, symbol = _LOOKS[verdict]
        pen.box(box, colour, stroke)
        words = face_caption(scores, decision.faces.classes, verdict, decision.allowed)
        beside_px = pen.text_px + 2 * pen.margin_px
        words = pen.cut(words, pen.width_px - 2 * pen.margin_px - beside_px)
        width_px = pen.measure(words) + 2 * pen.margin_px + beside_px
        left = max(min(round(float(box[0])), pen.width_px - width_px), 0)
        top = round(float(box[1]))
        top = max(
            min(top - pen.row_px if top >= pen.row_px else top, pen.height_px - pen.row_px), 0
        )
        pen.fill(left, top, left + width_px, top + pen.row_px, colour)
        pen.symbol(symbol, left + pen.margin_px, top, ink)
        pen.write(words, left + pen.margin_px + beside_px, top, ink)


def draw_band(image: Image, decision: Decision, right: str) -> None:
    """Draw a band along the bottom: hold, state of the door and reason.

    image: uint8 [H, W, 3] BGR; drawn into.
    right: what is written at the right end of the state's row, if there is room.
    """
    pen = Pen(image)
    state = decision.door.upper()
    large = _state_pen(pen, state)
    colour, ink = _DOORS[decision.door]
    room_px = pen.width_px - 2 * pen.margin_px
    reason = pen.wrapped(why(decision, pen.width_px), room_px, _REASON_ROWS)
    bar_px = pen.text_px // 2 + 1 if decision.hold_seconds else 0
    top = max(pen.height_px - bar_px - large.row_px - len(reason) * pen.row_px, 0)
    pen.fill(0, top, pen.width_px, pen.height_px, colour)
    if decision.hold_seconds:
        held = min(decision.held_seconds / decision.hold_seconds, 1.0)
        pen.fill(0, top, pen.width_px, top + bar_px, BLACK)
        pen.fill(0, top + 1, round(held * pen.width_px), top + bar_px - 1, WHITE)
    top += bar_px
    large.symbol(decision.door, large.margin_px, top, ink)
    left = 2 * large.margin_px + large.text_px
    large.write(large.cut(state, pen.width_px - left - large.margin_px), left, top, ink)
    at = pen.width_px - pen.margin_px - pen.measure(right)
    if at > left + large.measure(state) + large.margin_px:
        pen.write(right, at, top + (large.row_px - pen.row_px) // 2, ink)
    for number, row in enumerate(reason):
        pen.write(row, pen.margin_px, top + large.row_px + number * pen.row_px, ink)


def _state_pen(pen: Pen, state: str) -> Pen:
    """The pen for the state: larger than the one for all else, as far as there is room."""
    large = pen.times(_STATE_SIZE)
    while (
        large.text_px > pen.text_px
        and 3 * large.margin_px + large.text_px + large.measure(state) > pen.width_px
    ):
        large = large.times(1 - 1 / large.text_px)
    return large
