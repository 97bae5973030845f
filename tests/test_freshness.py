"""Which pictures of a live camera are taken for pictures of now."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from monitor.frame import Image
from monitor.freshness import Freshness

WIDTH_PX, HEIGHT_PX = 320, 180


def grey(level: float) -> Image:
    return np.full((HEIGHT_PX, WIDTH_PX, 3), level, np.uint8)


def noisy(image: Image, seed: int, spread: float = 4.0) -> Image:
    """The picture as a sensor with noise takes it."""
    noise = np.random.default_rng(seed).normal(0.0, spread, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def lobby(light: float = 1.0) -> Image:
    """A wall with a door and somebody in front of it, lit more or less."""
    image = grey(150 * light)
    cv2.rectangle(image, (75, 25), (150, 179), (90 * light,) * 3, cv2.FILLED)
    cv2.circle(image, (200, 88), 22, (200 * light,) * 3, cv2.FILLED)
    return image


def street_lamp() -> Image:
    """Night: almost everything is dark but for what a lamp lights."""
    image = grey(6)
    cv2.circle(image, (225, 100), 30, (60, 60, 60), cv2.FILLED)
    return image


def clock(image: Image, tick: int) -> Image:
    """The picture with the time written into it, as cameras do."""
    written = image.copy()
    text = f"2026-11-26 11:22:{tick % 60:02}"
    cv2.putText(written, text, (5, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (255, 255, 255), 1)
    return written


def faults(pictures: list[Image], frames_per_second: float = 10.0) -> list[str | None]:
    """What is wrong with each picture of a stream."""
    freshness = Freshness()
    return [
        freshness.fault(image, index / frames_per_second) for index, image in enumerate(pictures)
    ]


@pytest.mark.parametrize(
    ("scene", "fault"),
    [
        pytest.param(lobby(), None, id="a room in daylight"),
        pytest.param(lobby(0.15), None, id="the same room in the dark"),
        pytest.param(street_lamp(), None, id="night with a lamp"),
        pytest.param(grey(0), "camera gives a black picture", id="no signal"),
        pytest.param(grey(16), "camera gives a black picture", id="black of video range"),
        pytest.param(clock(grey(0), 0), "camera gives a black picture", id="black with a clock"),
        pytest.param(grey(128), "camera covered: one plain colour", id="taped over"),
        pytest.param(clock(grey(90), 0), "camera covered: one plain colour", id="a tape, a clock"),
        pytest.param(
            np.full((HEIGHT_PX, WIDTH_PX, 3), (200, 20, 20), np.uint8),
            "camera covered: one plain colour",
            id="the blue of a recorder without a signal",
        ),
    ],
)
@pytest.mark.parametrize("noise", [1.0, 4.0, 10.0])
def test_black_and_covered_are_told_from_dark(
    scene: Image, fault: str | None, noise: float
) -> None:
    assert faults([noisy(scene, seed, noise) for seed in range(3)]) == [fault] * 3


def test_a_still_scene_with_the_noise_of_a_sensor_is_fresh() -> None:
    assert faults([noisy(lobby(), seed, 1.0) for seed in range(20)]) == [None] * 20


def test_the_same_picture_again_is_not() -> None:
    image = lobby()
    assert faults([image, image, image]) == [None, *["camera repeats the same picture"] * 2]


@pytest.mark.parametrize("length", [2, 3, 30])
def test_pictures_of_a_short_loop_are_not(length: int) -> None:
    loop = [noisy(lobby(), seed) for seed in range(length)]
    found = faults(loop * 2)
    assert found == [None] * length + ["camera repeats earlier pictures"] * length


@pytest.mark.parametrize(
    ("frames_per_second", "believed"),
    [
        (30.0, 15),  # for half a second it may be a calm scene
        (10.0, 5),
        (1.0, 0),  # a whole second without a change is too long
    ],
)
def test_a_stuck_picture_with_a_clock_in_it_is_found_within_a_second(
    frames_per_second: float, believed: int
) -> None:
    found = faults([clock(lobby(), tick) for tick in range(40)], frames_per_second)
    stuck = "camera stuck: next to nothing in the picture changes"
    assert found == [None] * (believed + 1) + [stuck] * (39 - believed)


def walk() -> Iterator[Image]:
    for step in range(20):
        image = lobby()
        cv2.circle(image, (25 + 5 * step, 100), 15, (40, 40, 40), cv2.FILLED)
        yield image


def test_a_camera_without_any_noise_is_fresh_while_somebody_walks() -> None:
    assert faults(list(walk())) == [None] * 20


def test_a_camera_that_changes_its_size_is_fresh() -> None:
    small = cv2.resize(lobby(), (100, 60))
    assert faults([lobby(), np.asarray(small, np.uint8)]) == [None, None]
