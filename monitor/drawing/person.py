"""A drawn person: body, head and hands, lit and laid on a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..frame import Image
from .canvas import Canvas, Floats, Layer, Points, both_sides, ellipse, smooth
from .face import draw_features, draw_skull
from .hair import draw_behind, draw_over, hangs_behind
from .look import Look, Pose, mix, shade
from .wardrobe import draw_glasses, draw_held_mask, draw_mask

# A head this many pixels wide on its canvas keeps its features apart.
_ENOUGH_PX = 60.0
# Somebody who stands still is drawn once.
_LAYERS = 16
_HIPS, _FEET = 10.0, 23.0


@dataclass(frozen=True, slots=True)
class Light:
    """Where the light comes from and what it is like.

    x, y: direction towards it, -1 to 1, right and down positive. ambient: 0 to 1, the brightness
    in full shadow. tint: BGR factors, about 1.
    """

    x: float
    y: float
    ambient: float
    tint: tuple[float, float, float]

    @classmethod
    def draw_lots(cls, rng: np.random.Generator) -> Light:
        """Return a light drawn by lot."""
        gain, warmth = rng.uniform(0.55, 1.12), rng.normal(0, 0.06)
        return cls(
            x=float(rng.uniform(-1, 1)),
            y=float(rng.uniform(-0.9, 0.1)),
            ambient=float(rng.uniform(0.35, 0.8)),
            tint=(gain * (1 - warmth), gain, gain * (1 + warmth)),
        )


def draw_person(image: Image, look: Look, pose: Pose, light: Light) -> None:
    """Draw one person into `image`, uint8 [H, W, 3] BGR, in place."""
    # Layers come in sizes a factor of the square root of two apart, the next larger one is shrunk.
    kept_px = 2 ** (np.ceil(2 * np.log2(pose.face_px)) / 2)
    visible = (image.shape[0] - pose.y) / (pose.face_px / 2)
    bottom = float(np.clip(2 * np.ceil(visible / 2), 2, _FEET))
    raised = tuple(1 if x >= 0 else -1 for x, _ in pose.hands)
    stride = round(pose.stride * 4) / 4 if bottom > _HIPS else 0.0
    if hangs_behind(look):
        _back_layer(look, light, kept_px).lay_on(image, pose.tilted_place)
    body = _body_layer(look, light, kept_px, bottom, raised, stride, pose.scarf)
    body.lay_on(image, pose.place)
    _head_layer(look, light, kept_px, pose.face_only).lay_on(image, pose.tilted_place)
    if pose.mask is not None and pose.mask < 0:
        _held_mask_layer(look, light, kept_px).lay_on(image, pose.mask_place)
    for x, y in pose.hands:
        _arm_layer(look, light, kept_px, x, y).lay_on(image, pose.place)


def fine_canvas(reach: tuple[float, float, float, float], kept_px: float) -> Canvas:
    """A canvas on which features keep apart, for a head that is `kept_px` wide when finished."""
    return Canvas(reach, kept_px / 2, oversample=int(np.ceil(_ENOUGH_PX / kept_px)))


@lru_cache(maxsize=_LAYERS)
def _back_layer(look: Look, light: Light, kept_px: float) -> Layer:
    canvas = fine_canvas((-1.9, -2.5, 1.9, 3.2), kept_px)
    draw_behind(canvas, look)
    shine(canvas, light, wide=1.35, tall=2.1)
    return canvas.finish()


@lru_cache(maxsize=_LAYERS)
def _body_layer(
    look: Look,
    light: Light,
    kept_px: float,
    bottom: float,
    raised: tuple[int, ...],
    stride: float,
    scarf: bool,
) -> Layer:
    canvas = fine_canvas((-4.2, 0.0, 4.2, bottom), kept_px)
    _legs(canvas, look, stride)
    for side in (-1, 1):
        if side not in raised:
            _hanging_arm(canvas, look, side)
    _torso(canvas, look)
    if scarf:
        _scarf(canvas, look)
    shine(canvas, light, wide=3.4, tall=40.0)
    return canvas.finish()


@lru_cache(maxsize=_LAYERS)
def _head_layer(look: Look, light: Light, kept_px: float, pose: Pose) -> Layer:
    canvas = fine_canvas((-1.9, -2.5, 1.9, 3.2), kept_px)
    draw_skull(canvas, look, pose)
    draw_features(canvas, look, pose)
    draw_mask(canvas, look, pose)
    draw_over(canvas, look, pose)
    draw_glasses(canvas, look, pose)
    shine(canvas, light, wide=1.35, tall=2.1)
    return canvas.finish()


@lru_cache(maxsize=_LAYERS)
def _held_mask_layer(look: Look, light: Light, kept_px: float) -> Layer:
    canvas = fine_canvas((-1.4, -0.2, 1.4, 1.6), kept_px)
    draw_held_mask(canvas, look.mask)
    shine(canvas, light, wide=3.4, tall=40.0)
    return canvas.finish()


def _arm_layer(look: Look, light: Light, kept_px: float, x: float, y: float) -> Layer:
    side = 1 if x >= 0 else -1
    inner, outer = sorted((side * 4.0, x - side * 1.6))
    canvas = fine_canvas((inner, min(y - 2.0, 2.6), outer, max(8.0, y + 2.0)), kept_px)
    _raised_arm(canvas, look, x, y)
    shine(canvas, light, wide=3.4, tall=40.0)
    return canvas.finish()


def shine(canvas: Canvas, light: Light, *, wide: float, tall: float) -> None:
    """Light what is drawn as if it were a rounded body, `wide` and `tall` units in half size."""
    x, y = canvas.grid(24)
    nx, ny = np.clip(x / wide, -0.98, 0.98), np.clip(y / tall, -0.98, 0.98)
    nz = np.sqrt(np.maximum(1 - nx**2 - ny**2, 0.04))
    length = np.sqrt(light.x**2 + light.y**2 + 0.8)
    facing = np.maximum(nx * light.x + ny * light.y + nz * 0.9, 0) / length
    brightness = light.ambient + (1.1 - light.ambient) * facing
    canvas.light((brightness[..., None] * np.array(light.tint)).astype(np.float32))


def _torso(canvas: Canvas, look: Look) -> None:
    cloth, wide = look.top, look.build
    shoulder = [(0.55, 2.05), (1.3 * wide, 2.35), (2.6 * wide, 2.75), (3.0 * wide, 3.6)]
    waist = [(2.3 * wide, 5.2), (2.1 * wide, 7.5), (2.3 * wide, 10.6), (0, 10.8)]
    torso = smooth(both_sides([*shoulder, *waist]))
    canvas.fill(torso, cloth)
    _neck(canvas, look)
    canvas.clip(torso)
    for side in (-1, 1):
        seam = smooth([(2.35, 3.6), (2.1, 5.0), (2.0, 8.0)], closed=False)
        canvas.stroke(seam * [side, 1], shade(cloth, 0.6), 0.14, opacity=0.6, soft=0.1)
        fold = smooth([(1.6, 4.8), (1.0, 6.2), (0.4, 6.8)], closed=False)
        canvas.stroke(fold * [side, 1], shade(cloth, 0.7), 0.3, opacity=0.35, soft=0.2)
    _collar(canvas, look)
    canvas.clip(None)


def _scarf(canvas: Canvas, look: Look) -> None:
    wrap = both_sides([(0, 1.9), (1.0, 1.5), (1.25, 2.3), (0, 2.8)])
    canvas.fill(smooth(wrap), look.hat_colour)
    canvas.fill([(0.2, 2.3), (0.9, 2.2), (1.1, 5.0), (0.4, 5.1)], shade(look.hat_colour, 0.85))


def _neck(canvas: Canvas, look: Look) -> None:
    skin = shade(look.skin, 0.86)
    neck = both_sides([(0.62, 0.3), (0.6, 1.7), (0.95, 2.35), (0, 2.75)])
    canvas.fill(smooth(neck), skin)
    canvas.fill(ellipse(0, 1.3, 0.66, 0.36), shade(skin, 0.5), opacity=0.6, soft=0.16)


def _collar(canvas: Canvas, look: Look) -> None:
    cloth = look.top
    if look.collar == "vee":
        canvas.fill([(-0.75, 2.2), (0.75, 2.2), (0, 3.6)], shade(look.skin, 0.84))
        canvas.stroke([(-0.75, 2.2), (0, 3.6), (0.75, 2.2)], shade(cloth, 0.75), 0.14)
    elif look.collar == "shirt":
        canvas.stroke([(0, 2.7), (0, 10.5)], shade(cloth, 0.7), 0.1, opacity=0.7)
        for side in (-1, 1):
            wing = np.array([(0.1, 2.85), (0.95, 2.1), (1.1, 2.7), (0.55, 3.4)]) * [side, 1]
            canvas.fill(wing, shade(cloth, 1.15))
    elif look.collar == "hood":
        hood = both_sides([(0, 3.0), (0.9, 2.7), (1.5, 2.2), (1.2, 3.2), (0, 3.6)])
        canvas.fill(smooth(hood), shade(cloth, 0.8))
        for side in (-1, 1):
            canvas.stroke([(side * 0.4, 3.2), (side * 0.45, 4.6)], (225, 225, 225), 0.08)
    else:
        rim = smooth([(-1.0, 2.2), (0, 2.8), (1.0, 2.2)], closed=False)
        canvas.stroke(rim, shade(cloth, 0.75), 0.16)


def _legs(canvas: Canvas, look: Look, stride: float) -> None:
    canvas.fill(ellipse(0, 21.6, 2.6, 0.6), (0, 0, 0), opacity=0.4, soft=0.4)
    for side in (-1, 1):
        sole = 21.0 - 1.4 * max(0.0, side * stride)
        outer = [(0.05, 10.0), (2.2, 10.0), (1.75, 16.0), (1.45, sole)]
        leg = np.array([*outer, (0.5, sole), (0.25, 16.0)])
        canvas.fill(leg * [side, 1], shade(look.trousers, 0.9 if side < 0 else 1.0))
        canvas.fill(ellipse(side * 1.0, sole + 0.3, 0.75, 0.45), (28, 28, 30))


def _hanging_arm(canvas: Canvas, look: Look, side: int) -> None:
    across = side * look.build
    arm = smooth([(2.5, 2.8), (3.1, 3.3), (3.35, 6.4), (3.3, 9.6), (2.6, 9.6), (2.4, 6.5)])
    canvas.fill(ellipse(2.95 * across, 10.3, 0.5, 0.95), shade(look.skin, 0.9))
    canvas.fill(arm * [across, 1], shade(look.top, 0.9))


def _raised_arm(canvas: Canvas, look: Look, x: float, y: float) -> None:
    """Draw an arm whose palm is at (x, y) and whose elbow hangs beside the body."""
    side = 1.0 if x >= 0 else -1.0
    shoulder = np.array([side * 2.6 * look.build, 3.4])
    elbow = np.array([side * 3.0, min(7.0, y + 5.4)])
    wrist = np.array([x + side * 0.35, y + 1.0])
    cuff = wrist + 0.25 * (elbow - wrist)
    upper, lower = np.vstack([shoulder, elbow]), np.vstack([elbow, cuff])
    sleeve = shade(look.top, 0.93)
    canvas.stroke(upper, sleeve, 1.25)
    canvas.stroke(lower, shade(look.top, 0.82), 1.2)
    canvas.stroke(lower, sleeve, 1.05)
    canvas.stroke(np.vstack([cuff, (x, y + 0.4)]), look.skin, 0.66)
    draw_hand(canvas, look, x, y, side)


def draw_hand(canvas: Canvas, look: Look, x: float, y: float, side: float) -> None:
    """Draw an open hand with its palm at (x, y), units; side: 1 for the left hand, else -1."""
    skin, line = shade(look.skin, 1.02), shade(look.skin, 0.55)
    cos, sin = np.cos(-side * 0.15), np.sin(-side * 0.15)

    def at(points: Points) -> Floats:
        turned: Floats = np.asarray(points) @ np.array([[cos, sin], [-sin, cos]]) + (x, y)
        return turned

    palm = at(smooth([(-0.48, -0.35), (0.48, -0.35), (0.42, 0.5), (0, 0.66), (-0.42, 0.5)]))
    canvas.fill(np.add(palm, (0, 0.1)), (20, 20, 26), opacity=0.25, soft=0.15)
    canvas.fill(palm, skin)
    for k, length in enumerate((0.75, 0.95, 0.98, 0.8)):
        base = (-0.36 + 0.24 * k, -0.25)
        finger = at([base, (base[0] * 1.12, -0.25 - length)])
        canvas.stroke(finger, line, 0.26, opacity=0.6)
        canvas.stroke(finger, skin, 0.215)
    thumb = at([(-side * 0.36, 0.25), (-side * 0.72, -0.2)])
    canvas.stroke(thumb, line, 0.28, opacity=0.5)
    canvas.stroke(thumb, mix(skin, (90, 90, 200), 0.08), 0.24)
