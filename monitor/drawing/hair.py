"""Hair and what covers it: drawn behind the head and over the forehead."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Floats, both_sides, ellipse, smooth
from .look import Look, Pose, mix, shade

# style: (outer half width, crown y, lowest y beside the face, hairline y in the middle)
_CAPS = {"crop": (0.97, -1.6, -0.2, -1.08), "short": (1.05, -1.72, -0.1, -1.02),
         "swept": (1.07, -1.78, -0.1, -0.98), "fringe": (1.08, -1.74, 0.2, -0.66),
         "bob": (1.14, -1.76, 0.5, -0.95), "long": (1.13, -1.76, 0.6, -1.05),
         "bun": (1.02, -1.66, -0.1, -1.08), "curly": (1.12, -1.74, 0.1, -0.95)}  # fmt: skip
_BACKS = {"bob": (1.28, 1.25), "long": (1.36, 2.7), "curly": (1.32, 0.75)}


def hangs_behind(look: Look) -> bool:
    """Whether any hair is to be seen behind head and neck."""
    return look.style in _BACKS or look.style == "bun"


def draw_behind(canvas: Canvas, look: Look) -> None:
    """Draw the hair behind head and neck."""
    dark = shade(look.hair, 0.72)
    if look.style in _BACKS:
        wide, low = _BACKS[look.style]
        ends = [(wide * 0.95, low), (0, low + 0.1)]
        shape = both_sides([(0.6, -1.6), (wide, -0.6), (wide, 0.5 * low), *ends])
        canvas.fill(smooth(shape), dark)
    if look.style == "bun":
        canvas.fill(ellipse(0, -1.85, 0.42, 0.36), look.hair)
        canvas.fill(ellipse(0.08, -1.95, 0.2, 0.12), shade(look.hair, 1.3), opacity=0.4, soft=0.08)
    if look.style == "curly":
        for x, y, r in _curls(look, 26, 1.1):
            canvas.fill(ellipse(x, y, r, r), shade(look.hair, 0.8))


def draw_over(canvas: Canvas, look: Look, pose: Pose) -> None:
    """Draw hair over the forehead and temples, then a headscarf or hat."""
    if look.style in _CAPS:
        _cap_of_hair(canvas, look, pose)
    elif look.style == "bald":
        canvas.fill(ellipse(-0.25, -1.3, 0.25, 0.12), shade(look.skin, 1.25), opacity=0.5, soft=0.1)
    elif look.style == "scarf":
        _headscarf(canvas, look, pose)
    if look.hat:
        _hat(canvas, look, pose)


def _cap_of_hair(canvas: Canvas, look: Look, pose: Pose) -> None:
    wide, crown, low, line = _CAPS[look.style]
    part = {"swept": 0.35, "long": 0.0, "bob": -0.2}.get(look.style, 0.1)
    right = [(wide * 0.72, -1.38), (wide, -0.7), (wide, low)]
    outer = [*((-x, y) for x, y in reversed(right)), (0, crown), *right]
    fringe = [(0.62, line + 0.12), (part, line - 0.03), (-0.3, line + 0.02), (-0.64, line + 0.14)]
    inner = pose.project([(0.86, low), (0.82, -0.6), *fringe, (-0.83, -0.6), (-0.86, low)])
    inner[:, 0] = np.clip(inner[:, 0], -wide + 0.06, wide - 0.06)
    shape = np.vstack([smooth(outer, closed=False), smooth(inner, closed=False)])
    shadow = smooth(inner[1:-1], closed=False)
    canvas.stroke(shadow, shade(look.skin, 0.5), 0.16, opacity=0.45, soft=0.07)
    canvas.fill(shape, look.hair, soft=0.015)
    canvas.clip(shape)
    rng = np.random.default_rng(look.hair_seed)
    for _ in range(22):
        x = rng.uniform(-1, 1)
        strand = smooth([(part, crown + 0.05), (x * 0.8, -1.2), (x * 1.1, low)], closed=False)
        tone = shade(look.hair, float(rng.choice((0.6, 1.35, 1.6))))
        canvas.stroke(strand, tone, 0.04, opacity=0.35, soft=0.01)
    shine = mix(look.hair, (255, 255, 255), 0.4)
    canvas.fill(ellipse(-0.3, -1.42, 0.4, 0.1, angle=-0.3), shine, opacity=0.3, soft=0.12)
    canvas.clip(None)
    if look.style == "long":
        _locks(canvas, look)
    if look.style == "curly":
        for x, y, r in _curls(look, 22, 0.98):
            if y < -0.75:
                canvas.fill(ellipse(x, y, r, r), shade(look.hair, 0.9 + 0.5 * (r - 0.18)))
                shine = shade(look.hair, 1.5)
                canvas.fill(
                    ellipse(x - 0.04, y - 0.05, r / 3, r / 4), shine, opacity=0.4, soft=0.04
                )


def _locks(canvas: Canvas, look: Look) -> None:
    outer = [(0.9, -0.5), (1.12, -0.4), (1.25, 1.0), (1.35, 2.4)]
    lock = smooth([*outer, (1.0, 2.75), (0.72, 2.3), (0.92, 0.9)])
    for side in (-1, 1):
        canvas.fill(lock * [side, 1], look.hair)
        for x in (0.95, 1.1):
            strand = smooth([(x, -0.3), (x + 0.06, 1.0), (x, 2.5)], closed=False)
            canvas.stroke(strand * [side, 1], shade(look.hair, 1.4), 0.06, opacity=0.35, soft=0.02)


def _curls(look: Look, count: int, reach: float) -> list[tuple[float, float, float]]:
    rng = np.random.default_rng(look.hair_seed)
    turns = np.linspace(0.95 * np.pi, 2.05 * np.pi, count) + rng.normal(0, 0.06, count)
    away = reach + rng.normal(0, 0.06, count)
    radii = rng.uniform(0.15, 0.3, count)
    x, y = away * np.cos(turns), -0.45 + 1.15 * away * np.sin(turns)
    return list(zip(x.tolist(), y.tolist(), radii.tolist(), strict=True))


def _headscarf(canvas: Canvas, look: Look, pose: Pose) -> None:
    inner = [(0, -1.0), (0.6, -0.86), (0.84, -0.3), (0.82, 0.4), (0.55, 1.0), (0, 1.2)]
    outer = [(0, -1.7), (0.72, -1.46), (1.1, -0.6), (1.12, 0.6), (1.45, 2.3), (0, 2.9)]
    opening = smooth(pose.project(both_sides(inner)))
    ring = _ring(smooth(both_sides(outer)), opening)
    canvas.fill(ring, look.hat_colour)
    canvas.clip(ring)
    for k in range(4):
        ends = (-1.0 + 0.1 * k, 0.7 + 0.2 * k), (1.0, 0.5 + 0.25 * k)
        fold = smooth([ends[0], (0, 1.35 + 0.18 * k), ends[1]], closed=False)
        canvas.stroke(fold, shade(look.hat_colour, 0.6), 0.06, opacity=0.5, soft=0.05)
    canvas.stroke(opening, shade(look.hat_colour, 0.6), 0.1, opacity=0.6, soft=0.05)
    canvas.clip(None)


def _ring(outer: Floats, inner: Floats) -> Floats:
    """Join two outlines that start at the top into one polygon with a hole."""
    first = int(np.argmin(outer[:, 1]))
    hole = int(np.argmin(inner[:, 1]))
    outer = np.roll(outer, -first, axis=0)
    inner = np.roll(inner, -hole, axis=0)[::-1]
    return np.vstack([outer, outer[:1], inner[-1:], inner])


def _hat(canvas: Canvas, look: Look, pose: Pose) -> None:
    colour = look.hat_colour
    brim = pose.project([(-0.94, -0.72), (-0.5, -0.88), (0, -0.93), (0.5, -0.88), (0.94, -0.72)])
    dome = [(1.04, -0.95), (0.8, -1.6), (0, -1.9), (-0.8, -1.6), (-1.04, -0.95)]
    shape = np.vstack([smooth(brim, closed=False), smooth(dome, closed=False)])
    canvas.fill(shape, colour)
    canvas.fill(ellipse(-0.3, -1.55, 0.35, 0.2), shade(colour, 1.3), opacity=0.4, soft=0.15)
    if look.hat == "beanie":
        cuff = np.vstack([brim, np.subtract(brim[::-1], (0, 0.3))])
        canvas.fill(cuff, shade(colour, 0.82), soft=0.01)
        return
    visor = both_sides([(0, -1.0), (0.8, -0.86), (0.7, -0.66), (0, -0.56)])
    visor = smooth(pose.project(visor, depth=0.25))
    canvas.fill(np.add(visor, (0, 0.1)), (10, 10, 12), opacity=0.35, soft=0.08)
    canvas.fill(visor, shade(colour, 0.7))
