"""The training set: views that repeat themselves exactly, and boxes that lie on their objects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from picture_files import write

from export import transforms
from export.datasets import Sample
from export.picture_cache import PictureCache
from export.training_set import Batch, TrainingSet
from export.transforms import Augmentation
from monitor.contract import ResizeRule

CLASSES = ("mask", "noMask")
COLOURS = np.array([(255, 0, 0), (0, 0, 255)])
OWN_SIZE = ResizeRule(None, None)
VIEWS = 40


def pictures_of_squares(folder: Path) -> list[Sample]:
    """Six black pictures of 240 x 180 pixels, each with blue masks and a red noMask on it."""
    samples = []
    for number in range(6):
        rng = np.random.default_rng(number)
        image = np.zeros((180, 240, 3), np.uint8)
        corners = [(20, 20), (140, 30), (60, 110)]
        boxes = np.array(
            [(x, y, *rng.integers((x + 20, y + 20), (x + 50, y + 50))) for x, y in corners]
        )
        for column, (x1, y1, x2, y2) in zip((0, 0, 1), boxes, strict=True):
            image[y1:y2, x1:x2] = COLOURS[column]
        labels = (CLASSES[0], CLASSES[0], CLASSES[1])
        path = write(folder / f"{number}.png", image)
        samples.append(Sample(path, boxes.astype(np.float32), labels))
    return samples


def set_of(
    samples: list[Sample],
    augmentation: Augmentation | None,
    resize: ResizeRule = OWN_SIZE,
    *,
    scenes: float = 0.0,
    seed: int = 0,
) -> TrainingSet:
    cache = PictureCache(samples, CLASSES, resize, limit_mb=100)
    return TrainingSet(cache, CLASSES, resize, augmentation, scenes=scenes, seed=seed)


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return pictures_of_squares(tmp_path_factory.mktemp("squares"))


@pytest.fixture
def true_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the light as it is, so that colours can be recognised."""
    monkeypatch.setattr(transforms, "recoloured", lambda image, rng: image)


def all_batches(views: TrainingSet, epoch: int, workers: int = 0, start: int = 0) -> list[Batch]:
    order = views.order(epoch, batch_size=3, steps=4)
    return list(views.batches(epoch, order[start:], workers))


def same(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(pictures, others)
        and all(
            torch.equal(one.boxes, other.boxes) and torch.equal(one.labels, other.labels)
            for one, other in zip(targets, other_targets, strict=True)
        )
        for (pictures, targets), (others, other_targets) in zip(first, second, strict=True)
    )


def test_seed_epoch_and_position_decide_a_view_whichever_process_makes_it(
    squares: list[Sample],
) -> None:
    augmentation = Augmentation(64, mosaic=0.5, upside_down=0.5)
    views = set_of(squares, augmentation, scenes=0.5)
    straight = all_batches(views, epoch=2)
    assert same(straight, all_batches(set_of(squares, augmentation, scenes=0.5), 2, workers=2))
    # a training that was cut off goes on in the middle
    assert same(straight[1:], all_batches(views, 2, workers=1, start=1))
    assert not same(straight, all_batches(views, epoch=3))
    assert not same(straight, all_batches(set_of(squares, augmentation, scenes=0.5, seed=1), 2))


def test_a_picture_shown_again_in_an_epoch_is_another_view_of_it(squares: list[Sample]) -> None:
    views = set_of(squares, Augmentation(64))
    (first, _), (second, _), (again, _) = views[0, 4], views[7, 4], views[0, 4]
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


class Shapes:
    """Stands for a picture cache of which only the shapes matter."""

    def __init__(self, aspects: list[float]) -> None:
        self.aspects = aspects

    def __len__(self) -> int:
        return len(self.aspects)


def order_of(
    count: int, scenes: float, batch_size: int, steps: int | None, *, epoch: int = 0
) -> tuple[list[list[tuple[int, int]]], int]:
    """The order, and how many pictures and scenes there are."""
    views = TrainingSet(Shapes([1.0] * count), CLASSES, OWN_SIZE, Augmentation(64), scenes=scenes)  # type: ignore[arg-type]
    return views.order(epoch, batch_size, steps), len(views)


@given(
    st.integers(1, 60),
    st.sampled_from([0.0, 0.5]),
    st.integers(1, 9),
    st.none() | st.integers(1, 30),
)
def test_every_picture_is_shown_once_before_any_is_shown_again(
    count: int, scenes: float, batch_size: int, steps: int | None
) -> None:
    order, total = order_of(count, scenes, batch_size, steps)
    assert total == count + round(scenes * count)
    positions = [position for batch in order for position, _ in batch]
    assert positions == list(range(len(positions)))
    shown = Counter(index for batch in order for _, index in batch)
    assert set(shown) <= set(range(total))
    assert len(order) == (steps or max(total // batch_size, 1))
    if len(order) > 1 or total >= batch_size:
        assert {len(batch) for batch in order} == {batch_size}
    fewest, rest = divmod(len(positions), total)
    assert Counter(shown[index] for index in range(total)) == Counter(
        {fewest: total - rest, fewest + 1: rest} if rest else {fewest: total}
    )


def test_an_order_is_that_of_its_epoch() -> None:
    first, again, other = (order_of(50, 0, 5, None, epoch=epoch)[0] for epoch in (3, 3, 4))
    assert first == again
    assert first != other
    assert sorted(first) != sorted(other)


def test_whole_pictures_share_a_batch_with_those_of_like_shape() -> None:
    aspects = np.random.default_rng(0).permutation([0.5, 1.0, 2.0] * 8).tolist()
    views = TrainingSet(Shapes(aspects), CLASSES, OWN_SIZE, None)  # type: ignore[arg-type]
    order = views.order(0, 4, None)
    assert len(order) == 6
    for batch in order:
        assert len({aspects[index] for _, index in batch}) == 1
    # without being shown in the order of their shape
    shapes = [aspects[batch[0][1]] for batch in order]
    assert shapes != sorted(shapes)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_boxes_lie_on_their_objects_in_parts_of_one_picture_and_of_four(
    squares: list[Sample], mosaic: float, true_colours: None
) -> None:
    views = set_of(squares, Augmentation(96, mosaic, upside_down=0.3))
    seen = Counter()
    for position in range(VIEWS):
        picture, target = views[position, position % len(squares)]
        assert picture.shape == (96, 96, 3)
        seen[len(target.boxes)] += 1
        for (x1, y1, x2, y2), label in zip(
            target.boxes.tolist(), target.labels.tolist(), strict=True
        ):
            assert 0 <= x1 < x2 <= 96
            assert 0 <= y1 < y2 <= 96
            # scaled up twice, a hard edge smears over less than 3 px
            inside = picture[round(y1) + 3 : round(y2) - 3, round(x1) + 3 : round(x2) - 3]
            assert np.abs(inside.numpy() - COLOURS[label]).max(initial=0) <= 8
    # more than the four pictures of a mosaic could not show, and more than one usually
    assert sum(count * number for count, number in seen.items()) > VIEWS


def test_a_mosaic_shows_four_pictures_and_the_one_asked_for_first(
    tmp_path: Path, true_colours: None
) -> None:
    # grey pictures without an object, each of its own shade, large enough never to be padded
    samples = [
        Sample(
            write(tmp_path / f"{shade}.png", np.full((400, 400, 3), shade, np.uint8)),
            np.zeros((0, 4), np.float32),
            (),
        )
        for shade in range(0, 250, 10)
    ]
    views = set_of(samples, Augmentation(64, mosaic=1.0))
    quarters = []
    for position in range(VIEWS):
        picture, _ = views[position, 7]
        for y in (0, 32):
            for x in (0, 32):
                shades = picture[y : y + 32, x : x + 32].unique().tolist()
                assert len(shades) == 1
                quarters += shades
    assert quarters[::4] == [70] * VIEWS
    assert set(quarters) == set(range(0, 250, 10))


@pytest.mark.parametrize(
    ("share", "least", "most"),
    [
        (0.0, 0, 0),  # not asked for: never
        (0.5, 10, 30),  # half of the views, and 10 of 40 are three deviations less
        (1.0, VIEWS, VIEWS),  # always
    ],
)
@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_no_view_is_upside_down_unless_asked_for(
    tmp_path: Path, share: float, least: int, most: int, mosaic: float
) -> None:
    # light above and dark below, and large enough never to be padded
    image = np.repeat(np.linspace(200, 50, 600).astype(np.uint8)[:, None, None], 600, axis=1)
    path = write(tmp_path / "light.png", np.repeat(image, 3, axis=2))
    sample = Sample(path, np.array([[250, 250, 350, 350]], np.float32), ("mask",))
    views = set_of([sample], Augmentation(128, mosaic, upside_down=share))
    # the upper left part of a mosaic is one picture too
    side = 64 if mosaic else 128
    turned = 0
    for position in range(VIEWS):
        rows = views[position, 0][0][:side, :side].float().mean(dim=(1, 2))
        turned += bool(rows[: side // 4].mean() < rows[-side // 4 :].mean())
    assert least <= turned <= most


def test_objects_too_small_to_be_labelled_are_painted_over(
    tmp_path: Path, true_colours: None
) -> None:
    # objects half blue and half red on black; the network looks at a quarter of their 12 px
    image = np.zeros((480, 480, 3), np.uint8)
    boxes = np.array(
        [(x, y, x + 12, y + 12) for x in range(24, 456, 36) for y in range(24, 456, 36)]
    )
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = COLOURS[0]
        image[y1:y2, x1 : x1 + 6] = COLOURS[1]
    labels = ("mask",) * len(boxes)
    sample = Sample(write(tmp_path / "many.png", image), boxes.astype(np.float32), labels)
    views = set_of([sample], Augmentation(96), ResizeRule(120, 120, 24))
    for position in range(VIEWS):
        picture, target = views[position, 0]
        assert len(target.boxes) == 0
        # away from the edges, where an object may be cut to one of its colours
        blue, _, red = picture[8:-8, 8:-8].int().unbind(dim=-1)
        assert (blue - red).abs().max() < 100
        # still there, in one colour
        assert ((blue > 80) & (red > 80)).sum() > 20


def test_without_augmentation_a_picture_is_shown_whole_at_the_size_of_the_network(
    squares: list[Sample],
) -> None:
    views = set_of(squares, None, ResizeRule(96, 128))
    for number, sample in enumerate(squares):
        picture, target = views[number]
        assert picture.shape == (96, 128, 3)
        assert target.boxes.numpy() == pytest.approx(sample.boxes * 128 / 240, abs=1e-3)
        assert target.labels.tolist() == [0, 0, 1]
        x, y = target.boxes[2].reshape(2, 2).mean(dim=0).int().tolist()
        assert picture[y, x].tolist() == COLOURS[1].tolist()


def test_a_batch_is_padded_with_black_on_the_right_and_below(tmp_path: Path) -> None:
    sizes = [(64, 96), (96, 32)]
    boxes = np.array([[1, 2, 30, 31]], np.float32)
    samples = [
        Sample(
            write(tmp_path / f"{n}.png", np.full((height, width, 3), 200, np.uint8)),
            boxes,
            ("mask",),
        )
        for n, (width, height) in enumerate(sizes)
    ]
    views = set_of(samples, None)
    ((pictures, targets),) = views.batches(0, [[(0, 0), (1, 1)]], workers=0)
    assert pictures.shape == (2, 96, 96, 3)
    assert pictures.dtype == torch.uint8
    for picture, target, (width, height) in zip(pictures, targets, sizes, strict=True):
        assert (picture[:height, :width] == 200).all()
        assert picture.count_nonzero() == 3 * height * width
        assert target.boxes.tolist() == boxes.tolist()
