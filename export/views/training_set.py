"""Training set: the views that training draws from labelled pictures, in a repeatable order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from monitor.contract import ResizeRule
from monitor.scene import training_picture

from ..loss import Target
from .picture_cache import PictureCache, fit_scale
from .transforms import Augmentation, View, augmented, resized

Batch = tuple[Tensor, list[Target]]
POOL_BATCHES = 16


class TrainingSet(Dataset[tuple[Tensor, Target]]):
    """Views of labelled pictures, with drawn scenes among them.

    pictures: the labelled pictures.
    classes: class names in the order of the score columns.
    resize: the size at which the network looks at pictures.
    augmentation: how views differ from the pictures; None shows each picture whole, as it is.
    scenes: drawn scenes for each real picture, 0 or more.
    seed: together with the epoch and the position in it, it decides everything about a view,
        whichever process makes it, so that a resumed training continues as if it had never stopped.
    """

    def __init__(
        self,
        pictures: PictureCache,
        classes: Sequence[str],
        resize: ResizeRule,
        augmentation: Augmentation | None,
        *,
        scenes: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.pictures = pictures
        self.columns = {name: column for column, name in enumerate(classes)}
        self.resize = resize
        self.augmentation = augmentation
        self.drawn = round(scenes * len(pictures))
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.pictures) + self.drawn

    def __getitem__(self, key: int | tuple[int, int]) -> tuple[Tensor, Target]:
        """A view: image uint8 [H, W, 3] BGR, and what it should give.

        key: (position in the epoch, number of the picture), or the one for both.
        """
        position, index = (key, key) if isinstance(key, int) else key
        rng = np.random.default_rng([self.seed, self.epoch, 1 + position])
        view = self._view(index, rng)
        return torch.from_numpy(view.image), Target(
            torch.from_numpy(view.boxes), torch.from_numpy(view.labels)
        )

    def _view(self, index: int, rng: np.random.Generator) -> View:
        if self.augmentation is None:
            view, _ = self._picture(index, rng)
            height, width = view.image.shape[:2]
            return resized(view, self.resize.size(width, height))
        first = [index]

        def pick() -> tuple[View, float]:
            number = first.pop() if first else int(rng.integers(len(self)))
            return self._picture(number, rng)

        return augmented(pick, self.augmentation, rng)

    def _picture(self, index: int, rng: np.random.Generator) -> tuple[View, float]:
        if index < len(self.pictures):
            return self.pictures[index]
        height_px = int(rng.integers(240, 480))
        width_px = round(height_px * rng.uniform(0.8, 1.8))
        image, boxes, labels = training_picture(rng, width_px, height_px)
        columns = np.array([self.columns[label] for label in labels], np.int64)
        return View(image, boxes, columns), fit_scale(self.resize, width_px, height_px)

    def order(self, epoch: int, batch_size: int, steps: int | None) -> list[list[tuple[int, int]]]:
        """The keys of an epoch's batches.

        steps: number of batches, which may mean less or more than one pass over the pictures; None
            is one pass, without an incomplete last batch.
        """
        rng = np.random.default_rng([self.seed, epoch])
        if steps is None:
            steps = max(len(self) // batch_size, 1)
        count = steps * batch_size if len(self) >= batch_size or steps > 1 else len(self)
        passes = -(-count // len(self))
        numbers = np.concatenate([rng.permutation(len(self)) for _ in range(passes)])[:count]
        batches = []
        pool_size = POOL_BATCHES * batch_size
        for pool in (numbers[i : i + pool_size] for i in range(0, count, pool_size)):
            if self.augmentation is None:
                # pictures of like shape side by side, so that batches need little padding
                aspects = [self._aspect(index) for index in pool]
                pool = pool[np.argsort(aspects, kind="stable")]
            cuts = [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
            batches += [cuts[i] for i in rng.permutation(len(cuts))]
        keys = iter(range(count))
        return [[(next(keys), int(index)) for index in batch] for batch in batches]

    def _aspect(self, index: int) -> float:
        return self.pictures.aspects[index] if index < len(self.pictures) else 1.0

    def batches(
        self, epoch: int, order: Sequence[Sequence[tuple[int, int]]], workers: int
    ) -> DataLoader[Batch]:
        """Batches of an epoch: pictures uint8 [B, H, W, 3] and one target each.

        epoch: 0 for the first.
        order: keys as `order` gives them, or a part of them.
        workers: processes that make views; 0 makes them in this one.
        """
        self.epoch = epoch
        if not workers:
            quieten(0)
        return DataLoader(
            self,
            batch_sampler=Order(order),
            num_workers=workers,
            collate_fn=collate,
            worker_init_fn=quieten,
        )


class Order:
    """The keys of each batch, in the form that a DataLoader takes."""

    def __init__(self, batches: Sequence[Sequence[tuple[int, int]]]) -> None:
        self._batches = [list(batch) for batch in batches]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return iter(self._batches)


def collate(items: list[tuple[Tensor, Target]]) -> Batch:
    """Stack the pictures of a batch, padded with black on the right and below to one size."""
    height, width = (max(image.shape[axis] for image, _ in items) for axis in (0, 1))
    pictures = torch.zeros((len(items), height, width, 3), dtype=torch.uint8)
    for row, (image, _) in zip(pictures, items, strict=True):
        row[: image.shape[0], : image.shape[1]] = image
    return pictures, [target for _, target in items]


def quieten(_worker: int) -> None:
    """Keep OpenCV on one core: the others belong to the network.

    Its blurs also round otherwise on several, so that a view would depend on who makes it.
    """
    cv2.setNumThreads(0)
