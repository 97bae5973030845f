"""Transforms: every view keeps its boxes on its faces."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from export.transforms import VISIBLE_SHARE, View, cropped, mirrored, recoloured, training_view

BLUE = (255, 0, 0)


def picture_of_a_square(x: int, y: int, side_px: int) -> View:
    """A blue square on black, labelled exactly."""
    image = np.zeros((200, 300, 3), np.uint8)
    image[y : y + side_px, x : x + side_px] = BLUE
    box = np.array([[x, y, x + side_px, y + side_px]], np.float32)
    return View(image, box, np.array([1]))


squares = st.builds(
    picture_of_a_square, st.integers(0, 240), st.integers(0, 140), st.integers(24, 60)
)


@given(squares, st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_a_crop_keeps_the_box_on_the_face(view: View, seed: int) -> None:
    result = cropped(view, 160, np.random.default_rng(seed))
    assert result.image.shape == (160, 160, 3)
    for x1, y1, x2, y2 in result.boxes:
        assert 0 <= x1 < x2 <= 160
        assert 0 <= y1 < y2 <= 160
        # scaled up 2.4 times, a hard edge smears over less than 4 px
        inside = result.image[round(y1 + 4) : round(y2 - 4), round(x1 + 4) : round(x2 - 4)]
        assert np.abs(inside.astype(int) - BLUE).max(initial=0) <= 8


@given(squares, st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_a_face_that_is_not_labelled_is_not_left_to_be_learnt_as_background(
    view: View, seed: int
) -> None:
    result = cropped(view, 160, np.random.default_rng(seed))
    if not len(result.boxes):
        blue = (np.abs(result.image.astype(int) - BLUE).max(axis=2) <= 8).sum()
        assert blue <= VISIBLE_SHARE * (2.4 * 1.12 * 60) ** 2


def test_mirroring_twice_changes_nothing() -> None:
    view = picture_of_a_square(30, 40, 50)
    once = mirrored(view)
    assert once.boxes.tolist() == [[220, 40, 270, 90]]
    twice = mirrored(once)
    assert twice.boxes.tolist() == view.boxes.tolist()
    assert (twice.image == view.image).all()


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_other_light_leaves_shape_and_type_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    result = recoloured(image, rng)
    assert result.shape == image.shape
    assert result.dtype == np.uint8


def test_the_same_seed_gives_the_same_view() -> None:
    view = picture_of_a_square(30, 40, 50)
    first, second = (training_view(view, 96, np.random.default_rng(5)) for _ in range(2))
    assert (first.image == second.image).all()
    assert first.boxes.tolist() == second.boxes.tolist()


def test_a_picture_without_faces_gives_a_view_without_faces() -> None:
    view = View(np.zeros((50, 400, 3), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, int))
    result = training_view(view, 96, np.random.default_rng(0))
    assert result.image.shape == (96, 96, 3)
    assert result.boxes.shape == (0, 4)
