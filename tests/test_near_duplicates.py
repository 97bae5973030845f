"""Near duplicates: one photograph is found however it was saved, and two are kept apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from picture_files import draw, draw_scene, write

from export.duplicates.fingerprint import agreement, fingerprint
from export.duplicates.near_duplicates import exact_groups, groups
from monitor.frame import Image
from monitor.scene import demo, training_picture


def scene(seed: int, width_px: int = 320, height_px: int = 240) -> Image:
    return training_picture(np.random.default_rng(seed), width_px, height_px)[0]


def reencoded(image: Image) -> Image:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        # sent through a messenger
        reencoded,
        # a thumbnail
        lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        # squeezed to a square, as some exports do
        lambda image: cv2.resize(image, (300, 300)),
        # brighter, with more contrast, partly cut off at white
        lambda image: cv2.convertScaleAbs(image, alpha=1.2, beta=20),
        lambda image: cv2.convertScaleAbs(image, alpha=0.5),
        # without colour
        lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR),
        lambda image: image[:, ::-1],
        # cut at the right and lower edge
        lambda image: image[:-24, :-32],
        # cut at the left and upper edge, and mirrored
        lambda image: image[20:, 30:][:, ::-1],
        # cut on all sides
        lambda image: image[15:-15, 20:-20],
    ],
)
def test_the_same_photograph_is_found(change: Callable[[Image], Image], tmp_path: Path) -> None:
    originals = [write(tmp_path / f"{seed}.png", scene(seed)) for seed in range(8)]
    changed = [
        write(tmp_path / f"{seed}-again.png", np.ascontiguousarray(change(scene(seed))))
        for seed in range(8)
    ]
    assert groups(originals + changed) == [[seed, seed + 8] for seed in range(8)]


def test_pictures_of_the_same_kind_stay_apart(tmp_path: Path) -> None:
    paths = [draw_scene(tmp_path / f"{seed}.jpg", seed) for seed in range(60)]
    assert groups(paths) == [[index] for index in range(60)]


def test_one_room_with_other_people_in_it_is_not_a_near_duplicate(tmp_path: Path) -> None:
    frames = [demo().image(index) for index in (0, 90, 200)]
    paths = [write(tmp_path / f"{n}.png", frame) for n, frame in enumerate(frames)]
    assert groups(paths) == [[0], [1], [2]]


def test_a_near_duplicate_of_a_near_duplicate_is_in_its_group(tmp_path: Path) -> None:
    image = scene(3)
    strips = [image[:, shift : shift + 260] for shift in (0, 20, 40, 60)]
    paths = [write(tmp_path / f"{n}.png", np.ascontiguousarray(s)) for n, s in enumerate(strips)]
    assert groups(paths) == [[0, 1, 2, 3]]


def test_pictures_of_one_tone_and_unreadable_files_are_joined_by_their_bytes_only(
    tmp_path: Path,
) -> None:
    paths = [
        draw(tmp_path / "black.png"),
        draw(tmp_path / "also black.png", 50, 50),
        draw(tmp_path / "the same.png"),
        tmp_path / "missing.png",
        tmp_path / "missing.png",
        tmp_path / "text.png",
        tmp_path / "empty.png",
    ]
    paths[5].write_text("no picture")
    paths[6].touch()
    assert groups(paths) == [[0, 2], [1], [3], [4], [5], [6]]
    assert exact_groups(paths) == [[0, 2], [1], [3], [4], [5], [6]]


def test_no_pictures_make_no_groups() -> None:
    assert groups([]) == []


def test_agreement_falls_when_another_photograph_is_laid_over() -> None:
    one, other = fingerprint(scene(1)), fingerprint(scene(2))
    again = fingerprint(reencoded(scene(1)))
    assert one is not None
    assert other is not None
    assert again is not None
    assert min(agreement(one, again)) > 0.7
    assert agreement(one, other).whole < 0.5
