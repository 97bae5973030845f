"""What may be drawn onto a pictured face: a mask worn right or wrongly, a hand, a scarf."""

from __future__ import annotations

import numpy as np

from ..frame import Image
from .canvas import Canvas, ellipse, smooth
from .look import Look, Pose, mix, shade
from .person import Light, draw_hand, fine_canvas, shine
from .wardrobe import draw_mask

_REACH = (-1.9, -2.0, 1.9, 3.0)


def draw_covering(image: Image, look: Look, pose: Pose, light: Light) -> None:
    """Draw what a person has before the face, and nothing else of them.

    image: uint8 [H, W, 3] BGR, drawn into.
    look: whose mask, skin and clothes are used.
    pose: where the face is, how high the mask sits, where hands are, whether there is a scarf,
        which here is pulled over mouth and nose.
    """
    canvas = fine_canvas(_REACH, pose.face_px)
    draw_mask(canvas, look, pose.face_only)
    if pose.scarf:
        _pulled_up_scarf(canvas, look, pose.face_only)
    for x, y in pose.hands:
        draw_hand(canvas, look, x, y, 1.0 if x >= 0 else -1.0)
    shine(canvas, light, wide=1.35, tall=2.1)
    canvas.finish().lay_on(image, pose.tilted_place)


def _pulled_up_scarf(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw a scarf from the nose to below the neck, wider than the face, knitted in ribs."""
    cloth = look.top
    edge = [(-1.25, 0.35), (-0.6, 0.12), (0, 0.0), (0.6, 0.12), (1.25, 0.35), (1.5, 1.4)]
    shape = pose.project(smooth([*edge, (1.3, 2.6), (0, 2.9), (-1.3, 2.6), (-1.5, 1.4)]), depth=0.1)
    canvas.fill(shape + np.array([0.0, -0.05]), shade(cloth, 0.4), opacity=0.4, soft=0.08)
    canvas.fill(shape, cloth)
    canvas.clip(shape)
    for y in np.arange(0.3, 3.0, 0.45):
        fold = smooth([(-1.6, y - 0.25), (0, y + 0.15), (1.6, y - 0.25)], closed=False)
        canvas.stroke(fold, shade(cloth, 0.65), 0.12, opacity=0.7, soft=0.05)
    for x in np.arange(-1.5, 1.6, 0.12):
        rib = [(x, 0.0), (x * 1.1, 1.4), (x, 2.9)]
        canvas.stroke(rib, mix(cloth, (240, 240, 240), 0.25), 0.03, opacity=0.5)
    canvas.fill(ellipse(0, 1.35, 0.9, 0.25), shade(cloth, 0.6), opacity=0.4, soft=0.15)
    canvas.clip(None)
