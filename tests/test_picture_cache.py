"""The picture cache: decoded once, within its memory, and never another picture for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from picture_files import HEIGHT_PX, WIDTH_PX, draw, write

from export.datasets import DatasetError, Sample
from export.views.picture_cache import ZOOM, PictureCache, fit_scale
from monitor.contract import ResizeRule
from monitor.frame import Image
from monitor.scene import training_picture

CLASSES = ("noMask", "mask")
OWN_SIZE = ResizeRule(None, None)
PLENTY = 100.0


class CountingSample:
    """A grey picture of so many bytes, without an object, that counts how often it is decoded."""

    boxes = np.zeros((0, 4), np.float32)
    labels = ()

    def __init__(self, size_bytes: int = 1200) -> None:
        self.size_bytes = size_bytes
        self.decoded = 0

    def read(self) -> Image:
        self.decoded += 1
        return np.full((1, self.size_bytes // 3, 3), 90, np.uint8)


def cache_of(samples: list, resize: ResizeRule = OWN_SIZE, limit_mb: float = PLENTY):
    return PictureCache(samples, CLASSES, resize, limit_mb=limit_mb)


def empty(path: Path) -> Sample:
    return Sample(path, np.zeros((0, 4), np.float32), ())


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Two drawn scenes of 160 x 120 pixels, with faces of both classes in them."""
    folder = tmp_path_factory.mktemp("scenes")
    samples = []
    for seed in (0, 3):
        image, boxes, labels = training_picture(np.random.default_rng(seed), 160, 120)
        assert set(labels) == set(CLASSES)
        samples.append(Sample(write(folder / f"{seed}.png", image), boxes, tuple(labels)))
    return samples


@pytest.mark.parametrize(
    ("sizes", "limit_bytes", "kept"),
    [
        ([1200, 1200, 1200], 3600, [True, True, True]),  # room for all, to the last byte
        ([1200, 1200, 1200], 3599, [True, True, False]),  # one byte too few
        ([1200, 1200, 1200], 0, [False, False, False]),  # no room at all
        ([1200, 6000, 1200, 1200], 2500, [True, False, True, False]),  # a small one after a large
    ],
)
def test_each_picture_is_decoded_once_as_far_as_memory_reaches(
    sizes: list[int], limit_bytes: int, kept: list[bool]
) -> None:
    samples = [CountingSample(size) for size in sizes]
    cache = cache_of(samples, limit_mb=limit_bytes / 1e6)
    assert [sample.decoded for sample in samples] == [1] * len(sizes)
    for _ in range(2):
        for number, size in enumerate(sizes):
            assert cache[number][0].image.nbytes == size
    assert [sample.decoded for sample in samples] == [1 if stays else 3 for stays in kept]


def test_a_picture_that_comes_again_takes_no_more_room() -> None:
    rare, common = CountingSample(), CountingSample()
    cache = cache_of([rare, rare, rare, common], limit_mb=2400 / 1e6)
    assert cache.samples == [rare, rare, rare, common]
    assert all(cache[number][0].image.size == 1200 for number in range(4))
    assert (rare.decoded, common.decoded) == (1, 1)


@pytest.mark.parametrize(
    "resize",
    [
        OWN_SIZE,  # as they are
        ResizeRule(64, 64),  # kept smaller
        ResizeRule(512, 512),  # never enlarged
    ],
)
def test_a_picture_that_is_kept_and_one_that_is_read_again_are_the_same(
    scenes: list[Sample], resize: ResizeRule
) -> None:
    kept, read_again = cache_of(scenes, resize), cache_of(scenes, resize, limit_mb=0)
    assert kept.aspects == read_again.aspects
    for number, sample in enumerate(scenes):
        (first, scale), (second, other_scale) = kept[number], read_again[number]
        assert (first.image == second.image).all()
        assert (first.boxes == second.boxes).all()
        # columns of the classes, not places in the alphabet
        assert first.labels.tolist() == [CLASSES.index(label) for label in sample.labels]
        assert second.labels.tolist() == first.labels.tolist()
        assert scale == other_scale


@pytest.mark.parametrize(
    ("resize", "side_px"),
    [
        (ResizeRule(80, 80), 80),  # the longer side decides
        (ResizeRule(48, 800), 64),  # the shorter one does
        (ResizeRule(480, 640), 640),  # enlarged, though not here
    ],
)
def test_a_large_picture_is_kept_little_larger_than_the_network_looks_at_it(
    scenes: list[Sample], resize: ResizeRule, side_px: int
) -> None:
    view, scale = cache_of(scenes, resize)[0]
    kept_px = min(160, ZOOM * side_px)
    assert view.image.shape[1] == kept_px
    assert view.image.shape[1] * scale == pytest.approx(side_px)
    assert view.boxes == pytest.approx(scenes[0].boxes * kept_px / 160)


@pytest.mark.parametrize(
    ("resize", "scale"),
    [
        (OWN_SIZE, 1.0),  # its own size
        (ResizeRule(50, 400), 0.5),  # 100 px to 50
        (ResizeRule(150, 200), 1.0),  # no more than 200 px, though the other side asks for 1.5
        (ResizeRule(300, 1000), 3.0),  # enlarged
    ],
)
@pytest.mark.parametrize("size", [(200, 100), (100, 200)])
def test_the_scale_is_that_of_the_resize_rule_upright_or_not(
    size: tuple[int, int], resize: ResizeRule, scale: float
) -> None:
    assert fit_scale(resize, *size) == pytest.approx(scale)


def test_aspects_are_width_over_height(tmp_path: Path) -> None:
    sizes = [(40, 30), (30, 40), (90, 30)]
    samples = [empty(draw(tmp_path / f"{width}.png", width, height)) for width, height in sizes]
    assert cache_of(samples).aspects == pytest.approx([4 / 3, 3 / 4, 3])


def damaged_pictures(folder: Path) -> list[Sample]:
    """A whole picture, an empty one, no picture, a missing one, a box outside, a whole one."""
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("not a picture")
    outside = np.array([[0, 0, WIDTH_PX + 5, HEIGHT_PX]], np.float32)
    return [
        empty(draw(folder / "first.png")),
        empty(folder / "empty.jpg"),
        empty(folder / "text.png"),
        empty(folder / "missing.png"),
        Sample(draw(folder / "outside.png"), outside, ("mask",)),
        empty(write(folder / "last.png", np.full((10, 50, 3), 255, np.uint8))),
    ]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_damaged_picture_is_refused_by_name_before_training_begins(
    tmp_path: Path, number: int
) -> None:
    samples = damaged_pictures(tmp_path)
    with pytest.raises(DatasetError, match=samples[number].path.name):
        cache_of([samples[0], samples[number]])


def test_damaged_pictures_are_named_and_left_out_where_asked_for(tmp_path: Path) -> None:
    samples = damaged_pictures(tmp_path)
    errors: list[DatasetError] = []
    cache = PictureCache(samples, CLASSES, OWN_SIZE, limit_mb=0, damaged=errors.append)
    assert [str(error).partition(": ")[0] for error in errors] == [
        str(sample.path) for sample in samples[1:5]
    ]
    assert len(cache) == len(cache.aspects) == 2
    # the last one has moved up, also where it is read again
    assert cache[1][0].image.shape == (10, 50, 3)
    assert cache.aspects[1] == 5


def test_nothing_but_damaged_pictures_is_refused_even_where_they_may_be_left_out(
    tmp_path: Path,
) -> None:
    samples = damaged_pictures(tmp_path)[1:5]
    errors: list[DatasetError] = []
    with pytest.raises(DatasetError, match="found no usable picture"):
        PictureCache(samples, CLASSES, OWN_SIZE, limit_mb=PLENTY, damaged=errors.append)
    assert len(errors) == 4
