"""A drawn face: skull, ears, brows, eyes, nose, mouth and beard, in units of half a face width."""

from __future__ import annotations

import numpy as np

from ..detections import FloatArray
from .canvas import Canvas, Colour, Floats, both_sides, ellipse, smooth
from .look import Look, Pose, mix, shade

HAIRLINE = -1.12
CHIN = 1.27
_DARK: Colour = (18, 16, 20)


def outline(look: Look, pose: Pose) -> Floats:
    """Return the edge of the face, float64 [N, 2] in units of the tilted head."""
    jaw = look.jaw
    cheek = [(0, -1.36), (0.52, -1.22), (0.84, -0.85), (0.92, -0.3), (0.89, 0.25)]
    chin = [(0.74 * jaw, 0.78), (0.44 * jaw, 1.12), (0.16, CHIN - 0.02)]
    return pose.project(smooth(both_sides([*cheek, *chin])))


def face_box(look: Look, pose: Pose) -> FloatArray:
    """Return the tight box of the face, float32 [4], xyxy pixels: hairline to chin, ear to ear."""
    edge = outline(look, pose)
    edge[:, 1] = np.maximum(edge[:, 1], HAIRLINE)
    ears = np.array([(s * 0.99 * np.cos(pose.turn), 0.0) for s in (-1, 1)])
    points = np.vstack([edge, ears])
    place = pose.tilted_place
    pixels = points @ place[:, :2].T + place[:, 2]
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]).astype(np.float32)


def draw_skull(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw the head without features: back of the head, ears, the face's skin."""
    skin = look.skin
    canvas.fill(ellipse(0, -0.42, 0.92, 1.16), skin)
    canvas.fill(ellipse(0, 0.2, 0.8, 0.8), shade(skin, 0.85))
    for side in (-1, 1):
        x = side * 0.94 * np.cos(pose.turn) - 0.04 * np.sin(pose.turn)
        y = 0.02 + 0.1 * np.sin(pose.nod)
        canvas.fill(ellipse(x, y, 0.13, 0.32, angle=side * 0.15), mix(skin, (90, 90, 200), 0.15))
        canvas.fill(ellipse(x, y, 0.06, 0.2), shade(skin, 0.68), soft=0.03)
    canvas.fill(outline(look, pose), skin)


def draw_features(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw brows, eyes, nose, mouth and beard onto the skin."""
    canvas.clip(outline(look, pose))
    _cheeks(canvas, look, pose)
    _beard(canvas, look, pose)
    for side in (-1, 1):
        _eye(canvas, look, pose, side)
    _nose(canvas, look, pose)
    _mouth(canvas, look, pose)
    canvas.clip(None)


def _cheeks(canvas: Canvas, look: Look, pose: Pose) -> None:
    flush = mix(look.skin, (80, 70, 210), 0.35)
    for side in (-1, 1):
        canvas.fill(
            pose.project(ellipse(side * 0.5, 0.38, 0.22, 0.2)), flush, opacity=0.4, soft=0.2
        )
        socket = pose.project(ellipse(side * 0.42, -0.2, 0.28, 0.2))
        canvas.fill(socket, shade(look.skin, 0.62), opacity=0.5, soft=0.14)
        fold = smooth([(0.24, 0.38), (0.4, 0.58), (0.46, 0.8)], closed=False) * [side, 1]
        canvas.stroke(
            pose.project(fold),
            shade(look.skin, 0.6),
            0.05,
            opacity=0.15 + 0.45 * look.age,
            soft=0.03,
        )
    forehead = pose.project(ellipse(0, -0.8, 0.42, 0.2))
    canvas.fill(forehead, shade(look.skin, 1.18), opacity=0.35, soft=0.2)
    dimple = pose.project(ellipse(0, 1.0, 0.26, 0.08))
    canvas.fill(dimple, shade(look.skin, 0.7), opacity=0.4, soft=0.08)


def _eye(canvas: Canvas, look: Look, pose: Pose, side: int) -> None:
    x, y, wide = side * 0.41, -0.2, 0.02 + 0.085 * pose.eyes
    lid = both_sides([(0.07, -wide), (0.2, 0.01), (0.07, 0.8 * wide)])
    lid = pose.project(smooth(np.add(lid, (x, y))))
    if pose.eyes > 0.25:
        canvas.fill(lid, mix((232, 234, 236), look.skin, 0.2))
        at = x + 0.07 * pose.gaze
        iris = pose.project(ellipse(at, y - 0.01, 0.09, 0.09))
        canvas.fill(iris, look.iris)
        canvas.fill(pose.project(ellipse(at, y - 0.01, 0.045, 0.045)), _DARK)
        canvas.fill(pose.project(ellipse(at + 0.035, y - 0.045, 0.02, 0.02)), (245, 245, 245))
    upper = [(x + p, y + q) for p, q in ((-0.21, 0.02), (0, -wide - 0.02), (0.21, 0.02))]
    canvas.stroke(pose.project(smooth(upper, closed=False)), mix(_DARK, look.skin, 0.2), 0.05)
    lower = pose.project([(x - 0.16, y + 0.05), (x, y + 0.8 * wide + 0.02), (x + 0.16, y + 0.05)])
    canvas.stroke(lower, shade(look.skin, 0.55), 0.025, opacity=0.7)
    bag = pose.project(ellipse(x, y + 0.2, 0.17, 0.03))
    canvas.fill(bag, shade(look.skin, 0.62), opacity=0.1 + 0.4 * look.age, soft=0.05)
    brow = smooth([(x - side * 0.23, -0.42), (x, -0.52), (x + side * 0.24, -0.44)], closed=False)
    colour = mix(look.hair, _DARK, 0.35)
    canvas.stroke(pose.project(brow), colour, look.brow, opacity=0.85, soft=0.015)


def _nose(canvas: Canvas, look: Look, pose: Pose) -> None:
    wide, skin = look.nose, look.skin
    shadow = shade(skin, 0.66)
    for side, depth in ((-1, 0.4), (1, 0.65)):
        flank = [(side * 0.1, -0.2), (side * 0.09, 0.1), (side * 0.2 * wide, 0.34)]
        line = pose.project(smooth(flank, closed=False), depth=0.1)
        canvas.stroke(line, shadow, 0.1, opacity=depth * 0.7, soft=0.06)
    ridge = [(0, -0.3), (0, 0.0), (0, 0.28)]
    canvas.stroke(pose.project(ridge, depth=0.2), shade(skin, 1.2), 0.1, opacity=0.6, soft=0.06)
    tip = pose.project(ellipse(0, 0.29, 0.15 * wide, 0.12), depth=0.22)
    canvas.fill(tip, shade(skin, 1.12), opacity=0.6, soft=0.07)
    base = smooth([(-0.23 * wide, 0.34), (0, 0.45), (0.23 * wide, 0.34)], closed=False)
    canvas.stroke(pose.project(base, depth=0.12), shadow, 0.05, opacity=0.8, soft=0.02)
    for side in (-1, 1):
        hole = pose.project(ellipse(side * 0.1 * wide, 0.4, 0.055 * wide, 0.03), depth=0.15)
        canvas.fill(hole, shade(skin, 0.25), opacity=0.85)
    groove = pose.project(ellipse(0, 0.55, 0.1, 0.06), depth=0.05)
    canvas.fill(groove, shadow, opacity=0.3, soft=0.05)


def _mouth(canvas: Canvas, look: Look, pose: Pose) -> None:
    full, gape = look.lips, 0.22 * pose.mouth
    lip = mix(shade(look.skin, 0.82), (84, 64, 176), 0.45)
    y = 0.74
    low = y + gape
    upper = both_sides([(0, y - 0.06 * full), (0.12, y - 0.085 * full), (0.36, y), (0, y + 0.02)])
    lower = both_sides([(0, low), (0.35, y), (0.2, low + 0.07), (0, low + 0.12 * full)])
    if gape > 0.03:
        inside = both_sides([(0, y - 0.03), (0.3, y), (0.16, low + 0.05)])
        canvas.fill(pose.project(smooth(inside)), (36, 26, 60))
        teeth = [(-0.2, y - 0.01), (0.2, y - 0.01), (0.17, y + 0.05), (-0.17, y + 0.05)]
        canvas.fill(pose.project(teeth), (222, 228, 232), opacity=0.9)
    canvas.fill(pose.project(smooth(upper)), shade(lip, 0.88), soft=0.01)
    canvas.fill(pose.project(smooth(lower)), lip, soft=0.01)
    if gape <= 0.03:
        line = smooth([(-0.37, y - 0.01), (0, y + 0.015), (0.37, y - 0.01)], closed=False)
        canvas.stroke(pose.project(line), shade(lip, 0.4), 0.035, opacity=0.9)
    shine = pose.project(ellipse(0, low + 0.07, 0.12, 0.025))
    canvas.fill(shine, shade(lip, 1.3), opacity=0.5, soft=0.03)


def _beard(canvas: Canvas, look: Look, pose: Pose) -> None:
    if not look.beard:
        return
    over_lip = both_sides([(0, 0.5), (0.3, 0.56), (0.42, 0.8), (0.2, 0.67), (0, 0.64)])
    chin = both_sides([(0, 0.9), (0.28, 0.92), (0.4, 0.78), (0.38, 1.15), (0, 1.34)])
    upper = [(0, 0.52), (0.3, 0.56), (0.62, 0.62), (0.78, 0.25), (0.98, 0.05)]
    cheeks = both_sides([*upper, (0.9, 0.9), (0.4, 1.3), (0, 1.42)])
    parts = {"moustache": [over_lip], "goatee": [over_lip, chin]}.get(look.beard, [cheeks])
    opacity = 0.35 if look.beard == "stubble" else 0.9
    for part in parts:
        canvas.fill(pose.project(smooth(part)), look.hair, opacity=opacity, soft=0.05)
