"""Fitted sessions: the same detections, by a session of its own for a shape that keeps coming."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from monitor.detector import Detector
from monitor.errors import ModelError
from monitor.frame import Image
from monitor.scene import training_picture
from monitor.session import FAMILIAR_FROM, MOST_FITTED, Fitted, Plain, Shape, open_session

SHAPES: list[Shape] = [(1, 128, 192, 3), (1, 192, 128, 3), (2, 128, 128, 3)]


def drawn(shape: Shape, seed: int) -> Image:
    pictures = np.random.default_rng(seed)
    return np.stack([training_picture(pictures, shape[2], shape[1])[0] for _ in range(shape[0])])


@pytest.fixture(scope="module")
def opened(small_model: Path) -> Callable[..., ort.InferenceSession]:
    return partial(open_session, small_model.read_bytes(), "cpu", threads=1)


def test_each_shape_gives_what_a_plain_session_gives_before_it_is_fitted_and_after(
    opened: Callable[..., ort.InferenceSession],
) -> None:
    plain, asked = Plain(opened()), []

    def fit(shape: Shape) -> ort.InferenceSession:
        asked.append(shape)
        return opened(shape=shape)

    fitted = Fitted(opened(), fit)
    for seed in range(FAMILIAR_FROM + 1):
        assert len(fitted) == (len(SHAPES) if seed == FAMILIAR_FROM else 0)
        for shape in SHAPES:
            images = drawn(shape, seed)
            for first, second in zip(plain(images), fitted(images), strict=True):
                # layers that are joined may add up in another order
                assert np.allclose(first, second, atol=1e-4)
    # once each, though in turn
    assert asked == SHAPES


def test_shapes_that_never_come_again_open_nothing(
    opened: Callable[..., ort.InferenceSession],
) -> None:
    def refuse(shape: Shape) -> ort.InferenceSession:
        raise AssertionError(f"opened for {shape}")

    fitted = Fitted(opened(), refuse)
    for side_px in range(64, 64 + 32 * 20, 32):
        fitted(np.zeros((1, side_px, 64, 3), np.uint8))
    assert not len(fitted)


def test_no_more_sessions_are_kept_than_there_is_room_for(
    opened: Callable[..., ort.InferenceSession],
) -> None:
    numbers = count()

    def fit(shape: Shape) -> ort.InferenceSession:
        next(numbers)
        return opened(shape=shape)

    fitted = Fitted(opened(), fit)
    for side_px in range(64, 64 + 32 * (MOST_FITTED + 3), 32):
        for _ in range(2 * FAMILIAR_FROM):
            boxes, _ = fitted(np.zeros((1, side_px, 64, 3), np.uint8))
        assert boxes.shape[0] == 1
    assert len(fitted) == next(numbers) == MOST_FITTED


def test_a_detector_has_a_session_for_its_cameras_frames_by_the_fifth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = Detector(device="cpu")
    image, _, _ = training_picture(np.random.default_rng(3), 640, 360)
    first = detector(image)
    width_px, height_px = detector.resize.size(640, 360)
    shape = (1, height_px, width_px, 3)
    asked = []

    def noted(content: bytes, device: str, **options: object) -> ort.InferenceSession:
        asked.append(options["shape"])
        return open_session(content, "cpu", threads=1, shape=shape)

    monkeypatch.setattr("monitor.detector.open_session", noted)
    later = [detector(image) for _ in range(2 * FAMILIAR_FROM)]
    assert asked == [shape]
    for found in later:
        assert np.array_equal(found.scores, first.scores)
        assert np.array_equal(found.boxes, first.boxes)


def test_a_session_that_cannot_be_opened_is_an_error_of_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = Detector(device="cpu")

    def fail(*_: object, **__: object) -> ort.InferenceSession:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("monitor.detector.open_session", fail)
    image = np.zeros((360, 640, 3), np.uint8)
    for _ in range(FAMILIAR_FROM - 1):
        detector(image)
    with pytest.raises(ModelError, match="the model failed on a frame: out of memory"):
        detector(image)
