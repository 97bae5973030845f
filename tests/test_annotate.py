from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from colours import CLASSES
from hypothesis import given
from hypothesis import strategies as st

from monitor.decision import Decision, Door
from monitor.detections import Detections
from monitor.evidence import Evidence, Verdict
from monitor.frame import Image
from monitor.view import annotate as module
from monitor.view.annotate import annotate
from monitor.view.caption import face_caption, pace, why
from monitor.view.pen import BLACK, WHITE

SIZES = [(320, 240), (640, 360), (1920, 1080), (3840, 2160), (360, 640)]
ALLOWED, DENIED, UNCERTAIN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNCERTAIN
Box = tuple[float, float, float, float]


def decision(
    *boxes: Box,
    door: Door = Door.LOCKED,
    evidence: Evidence = Evidence.UNKNOWN,
    reason: str = "1 face masked",
    verdict: Verdict = ALLOWED,
    held_seconds: float = 0.0,
) -> Decision:
    scores = np.array([[0.9, 0.1]] * len(boxes), np.float32).reshape(-1, 2)
    faces = Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, CLASSES)
    verdicts = (verdict,) * len(boxes)
    return Decision(
        0.0,
        evidence,
        door,
        reason,
        faces,
        held_seconds,
        1.0,
        verdicts=verdicts,
        allowed=("mask",),
    )


def drawn(decided: Decision, width_px: int, height_px: int) -> Image:
    image = np.full((height_px, width_px, 3), 60, np.uint8)
    annotate(image, decided, 12.3)
    return image


def text_pixels(image: Image) -> int:
    return cv2.countNonZero(cv2.inRange(image, (161, 161, 161), (255, 255, 255)))


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
    assert band_px <= max(0.2 * height_px, 56)
    assert changed[-1]


FACE = (150, 150, 250, 250)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(decision(), decision(door=Door.UNLOCKED), id="the door's state"),
        pytest.param(decision(reason="no face"), decision(reason="1 face"), id="the reason"),
        pytest.param(decision(FACE), decision(FACE, verdict=DENIED), id="allowed and denied"),
        pytest.param(decision(FACE), decision(FACE, verdict=UNCERTAIN), id="and uncertain"),
        pytest.param(
            decision(FACE, verdict=DENIED), decision(FACE, verdict=UNCERTAIN), id="the other two"
        ),
    ],
)
def test_what_differs_is_told_without_any_colour(
    one: Decision, other: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = {verdict: (BLACK, WHITE, *look[2:]) for verdict, look in module._LOOKS.items()}
    monkeypatch.setattr(module, "_LOOKS", looks)
    monkeypatch.setattr(module, "_DOORS", dict.fromkeys(Door, (BLACK, WHITE)))
    assert not np.array_equal(drawn(one, 640, 360), drawn(other, 640, 360))
    # the line around a face, without its caption
    lines = [drawn(decided, 640, 360)[200:300] for decided in (one, other)]
    assert np.array_equal(*lines) == (not len(one.faces))


@pytest.mark.parametrize(
    ("verdict", "before"),
    [
        (DENIED, ALLOWED),  # a bare face behind a masked one
        (DENIED, UNCERTAIN),  # and behind one that is not told
        (UNCERTAIN, ALLOWED),  # which keeps the door shut too
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_face_that_keeps_the_door_shut_is_covered_by_no_other(
    verdict: Verdict, before: Verdict, first: bool
) -> None:
    shut, other = (100, 100, 200, 240), (130, 108, 240, 260)
    boxes, verdicts = ((shut, other), (verdict, before))
    if not first:
        boxes, verdicts = boxes[::-1], verdicts[::-1]
    both = drawn(replace(decision(*boxes), verdicts=verdicts), 640, 360)
    alone = drawn(decision(shut, verdict=verdict), 640, 360)
    # its caption, above its box
    assert np.array_equal(both[80:98, 100:170], alone[80:98, 100:170])
    assert not np.array_equal(both, alone)


@pytest.mark.parametrize("door", Door)
@pytest.mark.parametrize("width_px", [64, 90, 120, 160, 320])
def test_the_state_of_the_door_is_never_cut_by_the_edge(door: Door, width_px: int) -> None:
    image = drawn(replace(decision(door=door, reason=""), hold_seconds=0.0), width_px, 120)
    # nothing at the edge but the picture and the band
    assert len(np.unique(image[:, -2:].reshape(-1, 3), axis=0)) == 2


def test_a_bar_fills_while_everyone_is_seen_allowed() -> None:
    def white_px(held_seconds: float) -> int:
        image = drawn(decision(reason="", held_seconds=held_seconds), 640, 360)
        return int((image[: -module.Pen(image).row_px - 20] == 255).all(axis=2).any(axis=0).sum())

    assert [white_px(seconds) for seconds in (0.0, 0.25, 0.5, 1.0, 7.0)] == [0, 160, 320, 640, 640]


@pytest.mark.parametrize(("width_px", "height_px"), SIZES)
def test_the_longest_usual_reason_is_written_in_full(width_px: int, height_px: int) -> None:
    usual = "mask below the nose or no mask (2 of 12 faces): left, middle, right"
    pen = module.Pen(np.zeros((height_px, width_px, 3), np.uint8))
    room_px = width_px - 2 * pen.margin_px
    assert " ".join(pen.wrapped(usual, room_px, module._REASON_ROWS)) == usual


def test_a_long_reason_is_cut_at_the_edge() -> None:
    image = drawn(decision(reason="a very long reason " * 20), 320, 240)
    assert not (image[-30:, -2:] < 60).all(axis=2).any()


@pytest.mark.parametrize(
    ("boxes", "where"),
    [
        ([(0, 0, 100, 100)], "left"),
        ([(250, 0, 350, 100)], "middle"),
        ([(500, 0, 640, 100)], "right"),
        # half outside, each named once, in the order of reading
        ([(600, 0, 800, 9), (610, 0, 790, 9), (-90, 0, 20, 9)], "left, right"),
    ],
)
def test_the_reason_says_where_the_faces_are_that_keep_the_door_shut(
    boxes: list[Box], where: str
) -> None:
    decided = decision(*boxes, evidence=Evidence.VIOLATION, verdict=DENIED, reason="no mask")
    assert why(decided, 640) == f"no mask: {where}"


def test_other_reasons_stand_as_they_are() -> None:
    assert why(decision(FACE, reason="camera silent for 1.2 s"), 640) == "camera silent for 1.2 s"


@pytest.mark.parametrize(
    ("scores", "verdict", "caption"),
    [
        ((0.93, 0.05), ALLOWED, "mask 0.93"),
        # denied for what it may also be
        ((0.9, 0.35), DENIED, "noMask 0.35"),
        ((0.1, 0.8), DENIED, "noMask 0.80"),
        ((0.42, 0.1), UNCERTAIN, "mask 0.42"),
    ],
)
def test_a_caption_names_the_class_that_the_verdict_is_about(
    scores: tuple[float, float], verdict: Verdict, caption: str
) -> None:
    assert face_caption(np.array(scores, np.float32), CLASSES, verdict, ("mask",)) == caption


@pytest.mark.parametrize(
    ("frames_per_second", "age_seconds", "words"),
    [(14.6, 0.08, "15 fps, 0.1 s old"), (14.6, None, "15 fps"), (None, None, "")],
)
def test_what_is_not_known_of_the_pace_is_left_out(
    frames_per_second: float | None, age_seconds: float | None, words: str
) -> None:
    assert pace(frames_per_second, age_seconds) == words


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.lists(st.tuples(*[st.floats(-300, 300, width=32)] * 4), max_size=3),
    st.text(max_size=30),
    st.sampled_from(Verdict),
)
def test_any_picture_and_any_boxes_can_be_drawn(
    width_px: int, height_px: int, boxes: list[Box], reason: str, verdict: Verdict
) -> None:
    image = drawn(decision(*boxes, reason=reason, verdict=verdict), width_px, height_px)
    assert image.shape == (height_px, width_px, 3)
