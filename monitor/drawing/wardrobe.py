"""What is worn on a face: masks with their ear loops, and glasses."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Colour, Floats, both_sides, ellipse, smooth
from .look import Look, MaskLook, Pose, mix, shade

# The top edge of a worn mask at the nose, from under the chin to over the nose.
_LOW_TOP, _HIGH_TOP = 1.0, -0.02


def draw_mask(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw the mask on the person's face as high as `pose.mask` says, with its loops."""
    if pose.mask is None or pose.mask < 0:
        return
    top = _LOW_TOP + (_HIGH_TOP - _LOW_TOP) * pose.mask
    bottom = 1.5 - 0.12 * pose.mask
    for side in (-1, 1):
        ear = np.array([(side * 0.95 * np.cos(pose.turn), y) for y in (-0.15, 0.3)])
        tips = pose.project([(side * 0.8, top + 0.16), (side * 0.74, bottom - 0.42)])
        # A loop on the far side of a turned head lies behind it.
        if side * pose.turn < 0.35:
            white = mix(look.mask.colour, (240, 240, 240), 0.6)
            canvas.stroke([tips[0], ear[0]], white, 0.045, opacity=0.95)
            canvas.stroke([ear[1], tips[1]], white, 0.045, opacity=0.95)
    edge = _edge(look.mask.kind, top, bottom)
    shape = pose.project(edge, depth=0.07)
    shadow = shape + np.array([0.0, 0.06])
    canvas.fill(shadow, shade(look.skin, 0.4), opacity=0.4, soft=0.08)
    _cloth(canvas, look.mask, pose, shape, top, bottom)


def draw_held_mask(canvas: Canvas, mask: MaskLook) -> None:
    """Draw a mask that nobody wears, from 0 to 1.3 units down."""
    pose = Pose(0, 0, 2)
    for side in (-1, 1):
        loop = smooth([(0.78, 0.15), (1.25, 0.3), (1.2, 0.75), (0.76, 0.95)], closed=False)
        canvas.stroke(loop * [side, 1], mix(mask.colour, (240, 240, 240), 0.6), 0.05)
    _cloth(canvas, mask, pose, _edge(mask.kind, 0.0, 1.3), 0.0, 1.3)


def _edge(kind: str, top: float, bottom: float) -> Floats:
    """Return a mask's outline seen from the front, float64 [N, 2] in units of the face."""
    wide = 0.84 if top < 0.7 else 0.72
    middle = (top + bottom) / 2
    if kind == "surgical":
        upper = [(0.22, top + 0.04), (0.6, top + 0.16), (wide, top + 0.17)]
        lower = [(wide - 0.1, bottom - 0.32), (0.42, bottom - 0.06)]
    elif kind == "ffp2":
        upper = [(0.14, top - 0.02), (0.45, top + 0.2), (wide - 0.04, top + 0.3)]
        lower = [(0.6, bottom - 0.25), (0.3, bottom - 0.02)]
    else:
        upper = [(0.2, top + 0.02), (0.55, top + 0.13), (wide + 0.02, top + 0.12)]
        lower = [(0.66, bottom - 0.22), (0.32, bottom)]
    right = [(0, top), *upper, (wide, middle), *lower, (0, bottom + 0.02)]
    return smooth(both_sides(right), steps=4)


def _cloth(
    canvas: Canvas, mask: MaskLook, pose: Pose, shape: Floats, top: float, bottom: float
) -> None:
    colour = mask.colour
    canvas.fill(shape, colour)
    canvas.clip(shape)
    tall = bottom - top
    if mask.pattern:
        _pattern(canvas, mask, pose, top, bottom)
    if mask.kind == "surgical":
        for share in (0.3, 0.5, 0.7):
            y = top + share * tall
            pleat = smooth([(-0.9, y - 0.03), (0, y + 0.07), (0.9, y - 0.03)], closed=False)
            pleat = pose.project(pleat, depth=0.07)
            canvas.stroke(pleat, shade(colour, 0.72), 0.05, opacity=0.6, soft=0.02)
            canvas.stroke(
                np.subtract(pleat, (0, 0.05)), shade(colour, 1.12), 0.05, opacity=0.6, soft=0.02
            )
    elif mask.kind == "ffp2":
        fold = pose.project([(0, top), (0, bottom)], depth=0.2)
        canvas.stroke(fold, shade(colour, 0.78), 0.04, opacity=0.8)
        canvas.stroke(np.add(fold, (0.06, 0)), shade(colour, 1.1), 0.08, opacity=0.5, soft=0.03)
    else:
        seam = pose.project([(0, top), (0.05, (top + bottom) / 2), (0, bottom)], depth=0.15)
        canvas.stroke(seam, shade(colour, 0.7), 0.03, opacity=0.5)
    for side in (-1, 1):
        dark = pose.project(ellipse(side * 0.8, (top + bottom) / 2, 0.22, tall / 2), depth=0.07)
        canvas.fill(dark, shade(colour, 0.6), opacity=0.45, soft=0.15)
    under = pose.project(ellipse(0, bottom, 0.6, 0.16), depth=0.07)
    canvas.fill(under, shade(colour, 0.55), opacity=0.5, soft=0.12)
    ridge = pose.project(ellipse(0, top + 0.35 * tall, 0.25, 0.2), depth=0.2)
    canvas.fill(ridge, shade(colour, 1.15), opacity=0.4, soft=0.15)
    edge = np.vstack([shape, shape[:1]])
    canvas.stroke(edge, shade(colour, 0.8), 0.06, opacity=0.7)
    canvas.clip(None)


def _pattern(canvas: Canvas, mask: MaskLook, pose: Pose, top: float, bottom: float) -> None:
    ys = np.arange(top - 0.1, bottom + 0.2, 0.22)
    xs = np.arange(-0.99, 1.0, 0.22)
    if mask.pattern == "dots":
        for k, y in enumerate(ys):
            for x in xs + 0.11 * (k % 2):
                canvas.fill(pose.project(ellipse(x, y, 0.06, 0.06), depth=0.07), mask.ink)
        return
    for y in ys:
        row = pose.project([(-0.95, y), (0, y + 0.05), (0.95, y)], depth=0.07)
        canvas.stroke(row, mask.ink, 0.08, opacity=0.85)
    if mask.pattern == "checks":
        for x in xs:
            column = pose.project([(x, top - 0.2), (x, bottom + 0.1)], depth=0.07)
            canvas.stroke(column, mask.ink, 0.08, opacity=0.7)


def draw_glasses(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw the person's glasses, if any."""
    if not look.glasses:
        return
    frame: Colour = (30, 28, 34) if look.glasses != "thin" else (90, 96, 110)
    thick = {"thin": 0.035, "thick": 0.08, "sun": 0.06}[look.glasses]
    for side in (-1, 1):
        upper = [(0.16, -0.3), (0.42, -0.38), (0.7, -0.3)]
        lens = smooth([*upper, (0.66, 0.0), (0.42, 0.07), (0.2, 0.0)]) * [side, 1]
        lens = pose.project(lens, depth=0.12)
        if look.glasses == "sun":
            canvas.fill(lens, (34, 30, 30), opacity=0.93)
        canvas.fill(np.add(lens, (0.04, -0.04)), (255, 250, 245), opacity=0.1, soft=0.05)
        canvas.stroke(np.vstack([lens, lens[:1]]), frame, thick)
        if side * pose.turn < 0.3:
            hinge = pose.project([(side * 0.7, -0.26)], depth=0.12)[0]
            canvas.stroke([hinge, (side * 0.95 * np.cos(pose.turn), -0.2)], frame, thick)
    bridge = pose.project([(-0.17, -0.22), (0, -0.28), (0.17, -0.22)], depth=0.15)
    canvas.stroke(bridge, frame, thick)
