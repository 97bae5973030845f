"""The place where the demo plays: a lobby seen by the camera above a door."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..frame import Image
from .canvas import Canvas, Colour, ellipse, smooth
from .look import shade

# Heights and widths below are fractions of the picture's height; x counts from its middle.
HORIZON = 0.16
_CAMERA_UNITS = 23.3
_WALL_UNIT = 0.024
_FLOOR = HORIZON + _CAMERA_UNITS * _WALL_UNIT
_GAP = 0.17
_LINTEL = 0.05


@dataclass(frozen=True, slots=True)
class Lobby:
    """The empty place and the opening in its far wall.

    image: uint8 [H, W, 3] BGR. wall: uint8 [H, W], 255 where the far wall hides who is behind it.
    opening: the left and right edge of the passage, pixels.
    """

    image: Image
    wall: Image
    opening: tuple[float, float]


def face_y(face_share: float) -> float:
    """Return how far down a standing person's face is, as a fraction of the picture's height.

    face_share: the face's width as a fraction of the picture's height.
    """
    return HORIZON + 2.0 * face_share / 2


def draw_lobby(rng: np.random.Generator, width_px: int, height_px: int) -> Lobby:
    """Draw the empty lobby, in colours drawn by lot."""
    warm = rng.uniform(-0.05, 0.08)
    paint: Colour = (196 * (1 - warm), 200.0, 204 * (1 + warm))
    image = np.zeros((height_px, width_px, 3), np.uint8)
    half = width_px / height_px / 2
    canvas = Canvas((-half, 0, half, 1), height_px, oversample=2)
    canvas.fill([(-half, 0), (half, 0), (half, _FLOOR), (-half, _FLOOR)], paint)
    canvas.fill(ellipse(-0.3 * half, 0.0, 0.6, 0.35), shade(paint, 1.2), opacity=0.7, soft=0.2)
    canvas.fill(ellipse(half, 0.6, 0.25, 0.6), shade(paint, 0.7), opacity=0.5, soft=0.2)
    _floor(canvas, half)
    _passage(canvas)
    _picture(canvas, half)
    _noticeboard(canvas, half)
    _bench(canvas, half)
    _plant(canvas, half, rng)
    place = np.array([[height_px, 0.0, width_px / 2], [0.0, height_px, 0.0]])
    canvas.finish().lay_on(image, place)
    wall = np.zeros((height_px, width_px), np.uint8)
    left, right = ((x * height_px + width_px / 2) for x in (-_GAP, _GAP))
    wall[: round(_FLOOR * height_px)] = 255
    wall[round(_LINTEL * height_px) :, round(left) : round(right)] = 0
    return Lobby(
        cv2.GaussianBlur(image, (0, 0), height_px / 600).astype(np.uint8), wall, (left, right)
    )


def _floor(canvas: Canvas, half: float) -> None:
    tile: Colour = (118, 128, 136)
    canvas.fill([(-half, _FLOOR), (half, _FLOOR), (half, 1), (-half, 1)], tile)
    canvas.fill([(-half, 0.93), (half, 0.93), (half, 1), (-half, 1)], shade(tile, 0.8), soft=0.05)
    for across in np.arange(-30, 31, 5.0):
        ends = [(across * (y - HORIZON) / _CAMERA_UNITS, y) for y in (_FLOOR, 1.0)]
        canvas.stroke(ends, shade(tile, 0.82), 0.004)
    for unit in (0.0265, 0.0295, 0.0335):
        y = HORIZON + _CAMERA_UNITS * unit
        canvas.stroke([(-half, y), (half, y)], shade(tile, 0.82), 0.004)
    canvas.stroke([(-half, _FLOOR - 0.01), (half, _FLOOR - 0.01)], (92, 98, 104), 0.02)


def _passage(canvas: Canvas) -> None:
    inside: Colour = (150, 158, 160)
    canvas.fill([(-_GAP, _LINTEL), (_GAP, _LINTEL), (_GAP, _FLOOR), (-_GAP, _FLOOR)], inside)
    canvas.fill([(-_GAP, 0.66), (_GAP, 0.66), (_GAP, _FLOOR), (-_GAP, _FLOOR)], (104, 112, 118))
    canvas.fill([(-0.07, 0.2), (0.08, 0.2), (0.08, 0.66), (-0.07, 0.66)], (120, 104, 84))
    canvas.fill(ellipse(0.055, 0.45, 0.008, 0.008), (190, 200, 205))
    canvas.fill(ellipse(0, _LINTEL, _GAP, 0.08), (0, 0, 0), opacity=0.3, soft=0.05)
    frame = [(-_GAP, _FLOOR), (-_GAP, _LINTEL), (_GAP, _LINTEL), (_GAP, _FLOOR)]
    canvas.stroke(frame, (84, 92, 100), 0.022)


def _picture(canvas: Canvas, half: float) -> None:
    left, right = -0.86 * half, -0.5 * half
    frame = [(left, 0.12), (right, 0.12), (right, 0.42), (left, 0.42)]
    canvas.fill(np.add(frame, 0.01), (30, 30, 30), opacity=0.4, soft=0.02)
    canvas.fill(frame, (206, 176, 140))
    canvas.clip(frame)
    middle = (left + right) / 2
    peaks = [(left - 0.1, 0.34), (middle - 0.08, 0.22), (middle, 0.32), (middle + 0.1, 0.2)]
    canvas.fill(smooth([*peaks, (right + 0.1, 0.36), (middle, 0.6)]), (120, 112, 88))
    meadow = [(left - 0.1, 0.38), (middle, 0.33), (right + 0.1, 0.37), (middle, 0.6)]
    canvas.fill(smooth(meadow), (80, 132, 96))
    canvas.fill(ellipse(right - 0.08, 0.18, 0.022, 0.022), (190, 226, 250))
    canvas.clip(None)
    canvas.stroke([*frame, frame[0]], (46, 60, 82), 0.014)


def _noticeboard(canvas: Canvas, half: float) -> None:
    left, right = 0.52 * half, 0.84 * half
    board = [(left, 0.14), (right, 0.14), (right, 0.4), (left, 0.4)]
    canvas.fill(board, (96, 140, 176))
    canvas.stroke([*board, board[0]], (60, 70, 80), 0.012)
    sheets = ((0.03, 0.17, 0.07, (240, 240, 238)), (0.12, 0.19, 0.06, (170, 214, 240)),
              (0.2, 0.16, 0.06, (230, 226, 200)), (0.04, 0.3, 0.08, (214, 236, 222)))  # fmt: skip
    for x, y, wide, colour in sheets:
        x += left
        canvas.fill([(x, y), (x + wide, y), (x + wide, y + 0.08), (x, y + 0.08)], colour)
        for row in range(3):
            line = y + 0.02 + 0.02 * row
            canvas.stroke([(x + 0.01, line), (x + wide - 0.01, line)], (120, 120, 120), 0.004)


def _bench(canvas: Canvas, half: float) -> None:
    left, right = -0.92 * half, -0.46 * half
    for x in (left + 0.04, right - 0.04):
        canvas.fill([(x, 0.62), (x + 0.02, 0.62), (x + 0.02, 0.76), (x, 0.76)], (60, 62, 66))
    canvas.fill(
        [(left, 0.58), (right, 0.58), (right + 0.02, 0.64), (left - 0.02, 0.64)], (64, 98, 138)
    )
    canvas.fill([(left, 0.49), (right, 0.49), (right, 0.56), (left, 0.56)], (72, 108, 150))


def _plant(canvas: Canvas, half: float, rng: np.random.Generator) -> None:
    x = 0.8 * half
    for angle in np.linspace(-1.2, 1.2, 13):
        long = 0.2 + 0.06 * rng.random()
        tip = (x + long * np.sin(angle), 0.62 - long * np.cos(angle))
        knee = (x + 0.55 * long * np.sin(angle) * 0.8, 0.62 - 0.75 * long)
        leaf: Colour = (58, 100 + 50 * rng.random(), 62)
        canvas.stroke(smooth([(x, 0.63), knee, tip], closed=False), leaf, 0.02)
    canvas.fill(
        [(x - 0.07, 0.62), (x + 0.07, 0.62), (x + 0.05, 0.78), (x - 0.05, 0.78)], (70, 84, 120)
    )
