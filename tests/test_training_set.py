"""The training set: views that repeat themselves, in an order that leaves no picture out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from picture_files import write
from training_views import CLASSES, COLOURS, OWN_SIZE, pictures_of_squares, set_of

from export.datasets import Sample
from export.views.training_set import Batch, TrainingSet
from export.views.transforms import Augmentation
from monitor.contract import ResizeRule


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return pictures_of_squares(tmp_path_factory.mktemp("squares"))


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
    # another epoch is another order, and even in the same order other views
    assert not same(straight, all_batches(views, epoch=3))
    order = views.order(2, batch_size=3, steps=4)
    assert not same(straight, list(views.batches(3, order, workers=0)))
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
def test_a_pass_shows_every_picture_once_and_another_pass_once_more(
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
    times = sorted(shown[index] for index in range(total))
    assert times == [fewest] * (total - rest) + [fewest + 1] * rest


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
