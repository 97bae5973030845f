"""Drawings: boxes and captions where they belong, always inside the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from export.drawing.picture_drawing import Colour, Drawing, blank, class_colours
from monitor.frame import Image

RED: Colour = (0, 0, 255)
BLUE: Colour = (255, 0, 0)
far = st.floats(-1e9, 1e9, width=32)


def black(width_px: int, height_px: int) -> Image:
    return np.zeros((height_px, width_px, 3), np.uint8)


def where(image: Image, colour: Colour) -> np.ndarray:
    """Rows and columns of that colour."""
    return np.argwhere((image == colour).all(axis=2))


@given(
    size=st.tuples(st.integers(1, 700), st.integers(1, 700)),
    box=st.tuples(far, far, far, far),
    text=st.text(max_size=60),
    dashed=st.booleans(),
    below=st.booleans(),
)
# half of a character, which stands for a byte in a file name
@example(size=(640, 480), box=(0, 0, 9, 9), text="a\udcff.jpg", dashed=False, below=False)
def test_any_box_and_text_can_be_drawn_on_any_picture(
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    text: str,
    dashed: bool,
    below: bool,
) -> None:
    image = black(*size)
    drawing = Drawing(image)
    drawing.box(np.array(box, np.float32), RED, text, dashed=dashed, below=below)
    alone = drawing.finished()
    scale = max(480 // max(size), 1)
    assert alone.shape == (size[1] * scale, size[0] * scale, 3)
    drawing.footer(text)
    assert drawing.finished().shape[0] > alone.shape[0]
    assert not image.any()


@pytest.mark.parametrize(
    ("top", "below", "rows"),
    [
        # above the box, or below it where asked for
        (200, False, (150, 200)),
        (200, True, (300, 350)),
        # in the box, where there is no room for it
        (5, False, (5, 55)),
        (375, True, (425, 475)),
    ],
)
def test_a_caption_stands_beside_its_box(top: int, below: bool, rows: tuple[int, int]) -> None:
    drawing = Drawing(black(640, 480))
    drawing.box(np.array([100, top, 200, top + 100]), RED, "mask 0.93", below=below)
    drawn = drawing.finished()
    assert not drawn[:2].any()
    assert not drawn[478:].any()
    part = where(drawn[slice(*rows)], RED)
    # far more than the lines of the box
    assert len(part) > 1000
    assert part[:, 1].min() in (98, 99, 100)


def test_a_caption_at_the_right_edge_is_moved_and_a_long_one_cut() -> None:
    drawing = Drawing(black(640, 480))
    drawing.box(np.array([600, 200, 640, 300]), RED, "mask 0.93")
    drawing.box(np.array([300, 400, 350, 470]), BLUE, "m" * 200)
    drawn = drawing.finished()
    assert drawn.shape == (480, 640, 3)
    assert where(drawn, RED)[:, 1].min() < 580
    label = drawn[388:396]
    assert where(label, BLUE)[:, 1].min() < 20
    # the margin after the dots
    assert (label[:, 637:] == BLUE).all()


def test_lines_differ_by_what_they_are_for() -> None:
    lengths = []
    for style in ({}, {"dashed": True}, {"thin": True}):
        drawing = Drawing(black(640, 480))
        drawing.box(np.array([100, 100, 500, 400]), RED, **style)
        drawn = drawing.finished()
        lengths.append(len(where(drawn, RED)))
        # every corner is there, whatever lies between
        assert {tuple(drawn[y, x]) for x in (100, 500) for y in (100, 400)} == {RED}
    whole, dashed, thin = lengths
    assert 0.3 * whole < dashed < 0.75 * whole
    assert thin == 2 * (400 + 300)


def test_a_footer_has_ink_that_can_be_read_on_its_colour() -> None:
    drawing = Drawing(black(640, 480))
    drawing.footer("on blue", BLUE)
    drawing.footer("on white")
    footer = drawing.finished()[480:]
    blue, white = where(footer, BLUE), where(footer, (255, 255, 255))
    assert blue[:, 0].max() < white[white[:, 1] > 300][:, 0].min()
    assert len(where(footer[: blue[:, 0].max()], (255, 255, 255))) > 5
    assert not len(where(footer[: blue[:, 0].max()], (0, 0, 0)))
    assert len(where(footer[blue[:, 0].max() :], (0, 0, 0))) > 5


def test_a_message_as_long_as_a_path_is_not_cut() -> None:
    reason = "found an empty file, expected a picture"
    short, long = blank(reason), blank(f"/{'folder/' * 40}a.jpg: {reason}")
    assert short.shape[1] == long.shape[1] == 640
    assert long.shape[0] - 360 >= 4 * (short.shape[0] - 360)
    # the margin that a line cut with dots would reach into
    assert (long[360:, -8:] == 255).all()


@given(st.integers(0, 60))
def test_every_class_has_a_colour_of_its_own(count: int) -> None:
    assert len(set(class_colours(count))) == count
    assert class_colours(60)[:count] == class_colours(count)
