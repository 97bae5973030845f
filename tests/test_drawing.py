"""Drawn people: smooth placing, tight boxes, masks that cover what they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.drawing.canvas import Canvas, Floats, both_sides, smooth
from monitor.drawing.face import face_box
from monitor.drawing.look import Look, Pose
from monitor.drawing.person import Light, draw_person
from monitor.frame import Image

LIGHT = Light(x=-0.3, y=-0.4, ambient=0.7, tint=(1.0, 1.0, 1.0))
# A head without hair, hat or glasses, so that nothing but the mask covers it.
PLAIN = replace(
    Look.draw_lots(np.random.default_rng(1)), style="bald", hat="", beard="", glasses=""
)


def drawn(look: Look, pose: Pose, width_px: int = 160, height_px: int = 160) -> Image:
    image = np.full((height_px, width_px, 3), 255, np.uint8)
    image[..., 1] = 0  # a magenta wall: no skin, hair or cloth has that colour
    draw_person(image, look, pose, LIGHT)
    return image


def square_on(x: float, y: float, side_px: float) -> Image:
    canvas = Canvas((-1, -1, 1, 1), side_px, oversample=2)
    canvas.fill([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)], (255, 255, 255))
    image = np.zeros((48, 48, 3), np.uint8)
    canvas.finish().lay_on(image, np.array([[side_px, 0, x], [0, side_px, y]]))
    return image


def middle(image: Image) -> Floats:
    """The centre of brightness, float64 [2], xy pixels."""
    shares = image[..., 0] / image[..., 0].sum(dtype=float)
    rows, columns = np.indices(shares.shape) + 0.5
    return np.array([(shares * columns).sum(), (shares * rows).sum()])


@settings(max_examples=50, deadline=None)
@given(right=st.floats(-8, 8), down=st.floats(-8, 8), side_px=st.floats(4, 12))
def test_a_layer_moves_by_fractions_of_a_pixel(right: float, down: float, side_px: float) -> None:
    moved = middle(square_on(24 + right, 24 + down, side_px)) - middle(square_on(24, 24, side_px))
    assert moved == pytest.approx([right, down], abs=0.06)


@pytest.mark.parametrize("side_px", [4.0, 7.3, 12.0])
def test_a_square_is_where_it_was_put_and_as_large_as_it_was_made(side_px: float) -> None:
    image = square_on(24, 24, side_px)
    # OpenCV draws the edge of a filled polygon too, which adds less than a pixel.
    assert middle(image) == pytest.approx([24, 24], abs=0.3)
    assert side_px <= (image[..., 0] / 255).sum() ** 0.5 <= side_px + 0.8


@pytest.mark.parametrize("place", [(-500.0, 24.0), (24.0, 900.0), (-6.0, -6.0)])
def test_a_layer_outside_or_across_the_edge_is_cut_off(place: tuple[float, float]) -> None:
    image = square_on(*place, 8)
    assert image.shape == (48, 48, 3)
    assert image.mean() < 5


def test_a_smooth_outline_passes_through_its_points() -> None:
    corners = both_sides([(0, -1), (1, 0), (0, 1)])
    outline = smooth(corners, steps=4)
    assert corners.tolist() == [[0, -1], [1, 0], [0, 1], [-1, 0]]
    assert outline[::4].tolist() == corners.tolist()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    turn=st.floats(-0.7, 0.7),
    tilt=st.floats(-0.4, 0.4),
    nod=st.floats(-0.3, 0.4),
)
def test_a_face_fills_its_box(seed: int, turn: float, tilt: float, nod: float) -> None:
    look = Look.draw_lots(np.random.default_rng(seed))
    pose = Pose(80.0, 70.0, 48.0, turn=turn, tilt=tilt, nod=nod)
    left, top, right, bottom = face_box(look, pose).round().astype(int)
    inside = drawn(look, pose)[top:bottom, left:right]
    wall = (inside == [255, 0, 255]).all(axis=2)
    assert wall.mean() < 0.2
    assert 0.8 < (bottom - top) / (right - left) < 1.7


@pytest.mark.parametrize(
    ("mask", "covered", "bare"),
    [
        # faces reach from -1.12 (hairline) to 1.27 (chin): eyes -0.2, nose 0.3, mouth 0.74
        pytest.param(1.0, (0.3, 0.74, 1.15), (-0.7,), id="worn: nose, mouth and chin"),
        pytest.param(0.5, (0.74, 1.15), (-0.7, 0.3), id="nose out: mouth and chin"),
        pytest.param(0.05, (1.2,), (-0.7, 0.3, 0.74), id="under the chin: the chin alone"),
        pytest.param(None, (), (-0.7, 0.3, 0.74, 1.15), id="none: nothing"),
    ],
)
def test_a_mask_covers(
    mask: float | None, covered: tuple[float, ...], bare: tuple[float, ...]
) -> None:
    pose = Pose(80.0, 70.0, 64.0)
    without, with_mask = drawn(PLAIN, pose), drawn(PLAIN, replace(pose, mask=mask))
    changed = np.abs(without.astype(int) - with_mask).max(axis=2) > 10

    def is_covered(units: float) -> bool:
        return bool(changed[round(70 + 32 * units), 74:86].mean() > 0.5)

    assert [is_covered(units) for units in covered] == [True] * len(covered)
    assert [is_covered(units) for units in bare] == [False] * len(bare)


def test_a_mask_in_the_hands_leaves_the_face_alone() -> None:
    pose = Pose(80.0, 50.0, 40.0)
    held = drawn(PLAIN, replace(pose, mask=-2.0))
    without = drawn(PLAIN, pose)
    assert (held[:75] == without[:75]).all()
    assert (held[75:] != without[75:]).any()


def test_a_person_who_moves_a_little_changes_the_picture_a_little() -> None:
    pose = Pose(80.0, 60.0, 40.0, mask=1.0)
    first = drawn(PLAIN, pose).astype(int)
    steps = [0.05, 0.2, 1.0]
    changes = [np.abs(drawn(PLAIN, replace(pose, x=80 + step)) - first).mean() for step in steps]
    assert 0 < changes[0] < changes[1] < changes[2] < 8


@pytest.mark.parametrize("face_px", [8.0, 21.0, 60.0, 300.0])
def test_people_of_any_size_can_stand_anywhere(face_px: float) -> None:
    for x, y in ((-400.0, 60.0), (0.0, 0.0), (80.0, 500.0), (160.0, 80.0)):
        pose = Pose(x, y, face_px, mask=0.9, hands=((0.3, 0.9), (-1.0, 4.0)))
        assert drawn(PLAIN, pose).shape == (160, 160, 3)
