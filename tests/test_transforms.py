"""Transforms: every view keeps its boxes on its objects."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.views.camera_effects import recoloured
from export.views.transforms import (
    SCALES,
    VISIBLE_SHARE,
    Augmentation,
    View,
    augmented,
    cropped,
    flipped,
    joined,
    mirrored,
    resized,
)

BLUE, RED = (255, 0, 0), (0, 0, 255)


def picture_of_a_square(x: int, y: int, side_px: int) -> View:
    """A blue square on black, labelled exactly."""
    image = np.zeros((200, 300, 3), np.uint8)
    image[y : y + side_px, x : x + side_px] = BLUE
    box = np.array([[x, y, x + side_px, y + side_px]], np.float32)
    return View(image, box, np.array([1]))


squares = st.builds(
    picture_of_a_square, st.integers(0, 240), st.integers(0, 140), st.integers(24, 60)
)
seeds = st.integers(0, 2**32)


def blue(view: View) -> np.ndarray:
    return np.abs(view.image.astype(int) - BLUE).max(axis=2) <= 8


def check_boxes_lie_on_blue(view: View, margin_px: int) -> None:
    """The inside of each box is blue, but for the margin over which a hard edge smears."""
    height, width = view.image.shape[:2]
    for x1, y1, x2, y2 in view.boxes:
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        rows = slice(round(y1 + margin_px), round(y2 - margin_px))
        assert blue(view)[rows, round(x1 + margin_px) : round(x2 - margin_px)].all()


@given(squares, seeds)
@settings(max_examples=60)
def test_a_crop_keeps_the_box_on_the_object(view: View, seed: int) -> None:
    result = cropped(view, 160, 1.0, SCALES, np.random.default_rng(seed))
    assert result.image.shape == (160, 160, 3)
    # scaled up twice, a hard edge smears over less than 3 px
    check_boxes_lie_on_blue(result, 3)


@given(squares, seeds, st.sampled_from([0.6, 1.0, 1.9]))
@settings(max_examples=150)
def test_an_object_is_labelled_if_two_fifths_show_and_else_not_left_to_be_learnt_as_background(
    view: View, seed: int, scale: float
) -> None:
    # little larger than the objects, so that many are cut
    side_px = round(64 * scale)
    result = cropped(view, side_px, scale, (1.0, 1.0), np.random.default_rng(seed))
    whole = (scale * (view.boxes[0, 2:] - view.boxes[0, :2])).prod()
    shown = result.image[..., 0].sum() / 255 / whole
    # but for the rounding of the window to whole pixels
    if len(result.boxes):
        assert shown >= 0.9 * VISIBLE_SHARE
    else:
        assert shown <= 1.1 * VISIBLE_SHARE


@pytest.mark.parametrize(
    ("fit_scale", "labelled", "least_contrast", "largest_contrast"),
    [
        (0.5, False, 0, 140),  # 6 px: one colour, but for half of an edge that smears
        (1.0, True, 250, 255),  # 12 px: as they are
    ],
)
def test_objects_too_small_to_be_labelled_are_painted_over(
    fit_scale: float, labelled: bool, least_contrast: int, largest_contrast: int
) -> None:
    # objects of 12 px, half red and half blue
    image = np.zeros((480, 480, 3), np.uint8)
    corners = [(x, y) for x in range(24, 456, 36) for y in range(24, 456, 36)]
    for x, y in corners:
        image[y : y + 12, x : x + 6] = RED
        image[y : y + 12, x + 6 : x + 12] = BLUE
    boxes = np.array([(x, y, x + 12, y + 12) for x, y in corners], np.float32)
    view = View(image, boxes, np.zeros(len(boxes), int))
    for seed in range(20):
        result = cropped(view, 96, fit_scale, (1.0, 1.0), np.random.default_rng(seed))
        assert (len(result.boxes) > 0) is labelled
        # away from the edges, where an object may be cut to one of its colours
        blue, _, red = np.moveaxis(result.image[14:-14, 14:-14].astype(int), 2, 0)
        contrast = np.abs(blue - red).max()
        assert least_contrast <= contrast <= largest_contrast
        # painted over, and not cut out
        assert (blue + red).max() > 200


@pytest.mark.parametrize("fit_scale", [0.5, 1.0, 2.0])
def test_a_crop_is_scaled_from_the_scale_at_which_the_network_looks(fit_scale: float) -> None:
    view = picture_of_a_square(130, 80, 40)
    sides = []
    for seed in range(20):
        result = cropped(view, 160, fit_scale, (1.0, 1.0), np.random.default_rng(seed))
        areas = (result.boxes[:, 2:] - result.boxes[:, :2]).prod(axis=1)
        sides += np.sqrt(areas).tolist()
    # the least cut of them are seen whole
    assert max(sides) == pytest.approx(40 * fit_scale, rel=0.03)


@pytest.mark.parametrize(
    ("axis", "box"),
    [
        (1, [220, 40, 270, 90]),  # left and right of 300 px exchanged
        (0, [30, 110, 80, 160]),  # top and bottom of 200 px exchanged
    ],
)
def test_mirroring_moves_the_box_with_the_object_and_twice_changes_nothing(
    axis: int, box: list[float]
) -> None:
    view = picture_of_a_square(30, 40, 50)
    once = mirrored(view, axis)
    assert once.boxes.tolist() == [box]
    check_boxes_lie_on_blue(once, 0)
    assert blue(once).sum() == 50 * 50
    twice = mirrored(once, axis)
    assert twice.boxes.tolist() == view.boxes.tolist()
    assert (twice.image == view.image).all()


def test_half_of_the_views_are_mirrored_and_none_upside_down_unless_asked_for() -> None:
    view, rng = picture_of_a_square(30, 40, 50), np.random.default_rng(0)
    boxes = [tuple(flipped(view, Augmentation(96), rng).boxes[0].tolist()) for _ in range(100)]
    assert set(boxes) == {(30, 40, 80, 90), (220, 40, 270, 90)}
    # three deviations are 15
    assert 35 <= boxes.count((30, 40, 80, 90)) <= 65


def test_four_views_are_joined_row_by_row_each_with_its_own_boxes() -> None:
    parts = [
        View(
            np.full((40, 40, 3), 50 * number, np.uint8),
            np.array([[1, 2, 11, 22 + number]] * number, np.float32).reshape(-1, 4),
            np.full(number, number),
        )
        for number in range(4)
    ]
    result = joined(parts)
    assert result.image.shape == (80, 80, 3)
    assert result.image[::40, ::40, 0].tolist() == [[0, 50], [100, 150]]
    # upper right, lower left and lower right; the upper left part has no object
    boxes = [[41, 2, 51, 23], *[[1, 42, 11, 64]] * 2, *[[41, 42, 51, 65]] * 3]
    assert result.boxes.tolist() == boxes
    assert result.boxes.dtype == np.float32
    assert result.labels.tolist() == [1, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(
    "size",
    [
        (150, 100),  # half as large
        (450, 300),  # larger
        (320, 192),  # stretched to whole multiples of 32
    ],
)
def test_a_whole_picture_is_stretched_with_its_boxes(size: tuple[int, int]) -> None:
    view = picture_of_a_square(30, 40, 60)
    result = resized(view, size)
    x, y = size[0] / 300, size[1] / 200
    assert result.image.shape == (size[1], size[0], 3)
    assert result.boxes.tolist() == [pytest.approx([30 * x, 40 * y, 90 * x, 100 * y])]
    assert result.boxes.dtype == np.float32
    check_boxes_lie_on_blue(result, 2)


@given(seeds)
@settings(max_examples=40)
def test_other_light_leaves_shape_and_type_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    before = image.copy()
    result = recoloured(image, rng)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert (image == before).all()


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_the_same_seed_gives_the_same_view_and_another_seed_another(mosaic: float) -> None:
    def view(seed: int) -> View:
        augmentation = Augmentation(96, mosaic)
        picture = picture_of_a_square(30, 40, 50)
        return augmented(lambda: (picture, 1.0), augmentation, np.random.default_rng(seed))

    first, second, other = view(5), view(5), view(6)
    assert (first.image == second.image).all()
    assert first.boxes.tolist() == second.boxes.tolist()
    assert (first.image != other.image).any()


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_a_picture_without_objects_gives_a_view_without_objects(mosaic: float) -> None:
    view = View(np.zeros((50, 400, 3), np.uint8), np.zeros((0, 4), np.float32), np.zeros(0, int))
    augmentation = Augmentation(96, mosaic)
    result = augmented(lambda: (view, 1.0), augmentation, np.random.default_rng(0))
    assert result.image.shape == (96, 96, 3)
    assert result.boxes.shape == (0, 4)
    assert result.labels.shape == (0,)
