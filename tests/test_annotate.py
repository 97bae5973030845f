from __future__ import annotations

import numpy as np
import pytest
from conftest import CLASSES
from hypothesis import given
from hypothesis import strategies as st

from monitor.annotate import annotate
from monitor.detections import Detections
from monitor.frame import Image
from monitor.policy import Decision, Door, Evidence

SIZES = [(320, 240), (640, 360), (1920, 1080), (3840, 2160), (360, 640)]


def decision(
    *boxes: tuple[float, float, float, float],
    door: Door = Door.LOCKED,
    reason: str = "1 face masked",
    bare: bool = False,
) -> Decision:
    scores = np.array([[0.1, 0.9] if bare else [0.9, 0.1]] * len(boxes), np.float32)
    faces = Detections(np.array(boxes, np.float32).reshape(-1, 4), scores.reshape(-1, 2), CLASSES)
    return Decision(0.0, Evidence.UNKNOWN, door, reason, faces, 0.0, 1.0)


def drawn(decided: Decision, width_px: int, height_px: int) -> Image:
    image = np.full((height_px, width_px, 3), 60, np.uint8)
    annotate(image, decided, allowed=("mask",), frames_per_second=12.3)
    return image


def text_pixels(image: Image) -> int:
    return int((image > 160).all(axis=2).sum())


@pytest.mark.parametrize(("width_px", "height_px"), SIZES)
@pytest.mark.parametrize(
    "place",
    [
        pytest.param((0.3, 0.3), id="middle"),
        pytest.param((0.0, 0.0), id="upper left"),
        pytest.param((0.95, 0.0), id="upper right, box half outside"),
        pytest.param((-0.08, 0.4), id="left, box half outside"),
    ],
)
def test_a_caption_is_complete_wherever_the_face_is(
    width_px: int, height_px: int, place: tuple[float, float]
) -> None:
    def text_of_box_at(x: float, y: float) -> int:
        left, top = round(x * width_px), round(y * height_px)
        box = (left, top, left + 0.15 * width_px, top + 0.3 * height_px)
        with_box = text_pixels(drawn(decision(box), width_px, height_px))
        return with_box - text_pixels(drawn(decision(), width_px, height_px))

    expected = text_of_box_at(0.5, 0.4)
    assert expected > 20
    assert text_of_box_at(*place) == expected


@pytest.mark.parametrize(("width_px", "height_px"), SIZES)
def test_text_is_large_enough_to_read_and_leaves_most_of_the_picture(
    width_px: int, height_px: int
) -> None:
    changed = (drawn(decision(), width_px, height_px) != 60).any(axis=(1, 2))
    band_px = int(changed.sum())
    assert band_px >= 28
    assert band_px <= max(0.2 * height_px, 48)
    assert changed[-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(decision(), decision(door=Door.UNLOCKED), id="the door's state"),
        pytest.param(decision(reason="no face"), decision(reason="1 face bare"), id="the reason"),
        pytest.param(
            decision((50, 50, 90, 90)), decision((50, 50, 90, 90), bare=True), id="the class"
        ),
    ],
)
def test_what_differs_is_told_by_words_and_not_by_colour_alone(
    one: Decision, other: Decision
) -> None:
    words = [(drawn(decided, 640, 360) > 160).all(axis=2) for decided in (one, other)]
    assert not np.array_equal(*words)


def test_a_long_reason_is_cut_at_the_edge() -> None:
    image = drawn(decision(reason="a very long reason " * 20), 320, 240)
    assert not (image[:, -2:] > 160).all(axis=2).any()


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.lists(st.tuples(*[st.floats(-300, 300, width=32)] * 4), max_size=3),
    st.text(max_size=30),
)
def test_any_picture_and_any_boxes_can_be_drawn(
    width_px: int, height_px: int, boxes: list[tuple[float, float, float, float]], reason: str
) -> None:
    image = drawn(decision(*boxes, reason=reason), width_px, height_px)
    assert image.shape == (height_px, width_px, 3)
