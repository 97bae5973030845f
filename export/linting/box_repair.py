"""Repair of a box where there is no doubt what was meant."""

from __future__ import annotations

from collections.abc import Sequence

MOST_OUTSIDE_PX = 10.0
LEAST_SHARE_INSIDE = 0.5
TOLERATED_PX = 1.0


def repaired_box(box: Sequence[float], size_px: tuple[int, int]) -> tuple[list[float], list[str]]:
    """A box with its corners in order and inside its picture.

    box: x1, y1, x2, y2, finite, pixels.
    size_px: width and height of the picture, pixels.

    Corners are swapped where x1 > x2 or y1 > y2. A box that sticks out by at most 10 px on any
    side, with at least half of it inside, is clipped; less than 1 px counts as rounding and is
    left. Anything else stays as it is, whole.

    Returns the box, and what was done to it: nothing where the list is empty.
    """
    x1, y1, x2, y2 = box
    said = []
    if x1 > x2:
        said.append(f"swapped x {x1:g} and {x2:g}")
    if y1 > y2:
        said.append(f"swapped y {y1:g} and {y2:g}")
    ordered = [min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)]
    edges_px = [*size_px, *size_px]
    clipped = [min(max(v, 0.0), edge) for v, edge in zip(ordered, edges_px, strict=True)]
    outside_px = max(abs(v - c) for v, c in zip(ordered, clipped, strict=True))
    if outside_px >= TOLERATED_PX:
        if outside_px > MOST_OUTSIDE_PX or _area(clipped) < LEAST_SHARE_INSIDE * _area(ordered):
            return list(box), []
        said.append(
            "clipped x {:g} to {:g}, y {:g} to {:g}".format(*(ordered[i] for i in (0, 2, 1, 3)))
        )
        ordered = clipped
    return (ordered, said) if said and _area(ordered) > 0 else (list(box), [])


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def number_text(value: float) -> str:
    """The number as labels hold it: whole pixels without a point."""
    return str(int(value)) if value == int(value) else repr(value)
