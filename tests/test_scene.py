"""The drawn scene keeps its promises: it repeats itself, and its ground truth is true."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.decision import Door
from monitor.detections import Detections
from monitor.evidence import FrameRule
from monitor.policy import Policy
from monitor.scene import Scene, demo, training_picture
from monitor.timeline import Span, broken

CLASSES = ("mask", "noMask")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return demo()


def perfect_detections(scene: Scene, index: int) -> Detections:
    """What a detector that is never wrong and never in doubt would give."""
    faces = scene.faces(index)
    boxes = np.array([box for box, _ in faces], np.float32).reshape(-1, 4)
    scores = np.array([[label == name for name in CLASSES] for _, label in faces], np.float32)
    return Detections(boxes, scores.reshape(-1, len(CLASSES)), CLASSES)


def frames_within(scene: Scene, span: Span) -> list[int]:
    times = ((index, index / scene.fps) for index in range(scene.frame_count))
    return [index for index, time in times if span.from_seconds <= time < span.to_seconds]


def test_the_demo_ends_within_a_minute(scene: Scene) -> None:
    assert 25 <= scene.frame_count / scene.fps <= 60


def test_a_frame_is_the_same_bytes_in_any_order_and_in_any_scene_of_that_seed(
    scene: Scene,
) -> None:
    indices = [100, 330, 0, 100]
    forwards = {index: scene.image(index).tobytes() for index in sorted(indices)}
    other = demo()
    assert all(other.image(index).tobytes() == forwards[index] for index in indices)


def test_drawing_a_frame_leaves_the_frames_given_before_alone(scene: Scene) -> None:
    image = scene.image(150)
    before = image.copy()
    scene.image(151)
    assert (image == before).all()


@pytest.mark.parametrize("index", [-1, 10**6])
def test_a_frame_outside_the_scene_is_refused(scene: Scene, index: int) -> None:
    with pytest.raises(IndexError, match="expected 0 to"):
        scene.image(index)


@pytest.mark.parametrize(
    ("width_px", "height_px", "fps"),
    [
        pytest.param(640, 360, 15.0, id="demo"),
        pytest.param(320, 240, 7.0, id="small, 4:3, slow"),
        pytest.param(1280, 720, 5.0, id="large"),
    ],
)
def test_faces_lie_inside_the_picture_at_any_size(
    width_px: int, height_px: int, fps: float
) -> None:
    scene = Scene(3, width_px, height_px, fps)
    assert scene.image(scene.frame_count // 2).shape == (height_px, width_px, 3)
    for index in range(scene.frame_count):
        for box, label in scene.faces(index):
            assert label in CLASSES
            assert box.dtype == np.float32
            assert (box >= 0).all()
            assert (box[2:] <= [width_px, height_px]).all()
            assert (box[2:] - box[:2] > 3).all()


def test_the_timeline_is_in_order_shows_both_states_and_ends_with_the_scene(scene: Scene) -> None:
    spans = scene.timeline()
    assert {span.state for span in spans} == set(Door)
    assert all(span.from_seconds < span.to_seconds for span in spans)
    assert all(one.to_seconds <= next_.from_seconds for one, next_ in pairwise(spans))
    assert spans[-1].to_seconds <= scene.frame_count / scene.fps
    assert all(frames_within(scene, span) for span in spans)


def test_while_the_door_must_be_unlocked_somebody_is_there_and_all_wear_masks(
    scene: Scene,
) -> None:
    for span in scene.timeline():
        if span.state is Door.UNLOCKED:
            for index in frames_within(scene, span):
                labels = {label for _, label in scene.faces(index)}
                assert labels == {"mask"}, f"frame {index}"


def test_while_the_door_must_be_locked_nobody_is_there_or_a_face_is_bare(scene: Scene) -> None:
    for span in scene.timeline():
        if span.state is Door.LOCKED:
            for index in frames_within(scene, span):
                labels = {label for _, label in scene.faces(index)}
                assert not labels or "noMask" in labels, f"frame {index}"


def test_a_perfect_detector_keeps_the_timeline_with_the_default_policy(scene: Scene) -> None:
    policy = Policy(FrameRule(classes=CLASSES))
    decisions = [
        policy.update(perfect_detections(scene, index), index / scene.fps)
        for index in range(scene.frame_count)
    ]
    assert broken(scene.timeline(), [(one.time, one.door) for one in decisions]) == []


def test_the_story_needs_every_part_of_the_gate(scene: Scene) -> None:
    seen = {tuple(sorted(label for _, label in scene.faces(i))) for i in range(scene.frame_count)}
    assert seen >= {
        (),  # nobody
        ("noMask",),  # one comes in bare
        ("mask",),  # and masks up
        ("mask", "noMask"),  # a bare one joins
        ("mask", "mask"),
        ("mask", "mask", "noMask"),  # one lets the nose out while a third is there
        ("mask", "mask", "mask"),
    }


def test_another_seed_shows_other_people_in_the_same_story(scene: Scene) -> None:
    other = Scene(3, 640, 360, scene.fps)
    index = int(28.5 * scene.fps)
    assert (other.image(index) != scene.image(index)).mean() > 0.2
    assert other.timeline() == scene.timeline()
    assert [label for _, label in other.faces(index)] == [label for _, label in scene.faces(index)]


def test_every_face_stands_out_from_the_empty_place(scene: Scene) -> None:
    empty = scene.image(0).astype(int)
    assert scene.faces(0) == []
    for index in range(0, scene.frame_count, 40):
        difference = np.abs(scene.image(index) - empty).max(axis=2)
        for box, _ in scene.faces(index):
            left, top, right, bottom = box.round().astype(int)
            assert (difference[top:bottom, left:right] > 12).mean() > 0.6, f"frame {index}"


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.sampled_from([(96, 64), (160, 120), (208, 320), (416, 320)]),
)
def test_training_pictures_are_labelled_within_their_bounds(
    seed: int, size: tuple[int, int]
) -> None:
    width_px, height_px = size
    image, boxes, labels = training_picture(np.random.default_rng(seed), width_px, height_px)
    assert image.shape == (height_px, width_px, 3)
    assert image.dtype == np.uint8
    assert boxes.dtype == np.float32
    assert boxes.shape == (len(labels), 4)
    assert len(labels) <= 6
    assert set(labels) <= set(CLASSES)
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] <= [width_px, height_px]).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 4).all()


def test_a_training_picture_follows_from_its_seed() -> None:
    one, two = (training_picture(np.random.default_rng(5), 160, 120) for _ in range(2))
    assert one[0].tobytes() == two[0].tobytes()
    assert one[1].tolist() == two[1].tolist()
    assert one[2] == two[2]


def test_training_pictures_show_both_classes_about_as_often_and_sometimes_nobody() -> None:
    rng = np.random.default_rng(0)
    labels = [training_picture(rng, 96, 72)[2] for _ in range(40)]
    counts = Counter(label for each in labels for label in each)
    assert 0.5 < counts["mask"] / counts["noMask"] < 2
    assert any(not each for each in labels)
