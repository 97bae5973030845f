"""Training set: decoded pictures in memory, and the many views that training draws from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from monitor.scene import training_picture

from .datasets import Sample
from .loss import Target
from .transforms import View, training_view

Batch = tuple[Tensor, list[Target]]
T = TypeVar("T")


class TrainingSet(Dataset[tuple[Tensor, Target]]):
    """Views of labelled pictures, with drawn scenes among them.

    samples: labelled pictures; all are decoded at once and kept.
    classes: class names in the order of the score columns.
    side_px: height and width of every view.
    scenes: drawn scenes for each real picture, 0 or more.
    seed: together with `epoch` and the index it decides everything about a view, whichever worker
        makes it, so that a resumed training continues as if it had never stopped.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        classes: tuple[str, ...],
        *,
        side_px: int,
        scenes: float,
        seed: int,
    ) -> None:
        columns = {name: column for column, name in enumerate(classes)}
        self.views = [
            View(sample.read(), sample.boxes, as_columns(sample.labels, columns))
            for sample in tqdm(samples, desc="reading pictures", unit="picture")
        ]
        self.columns = columns
        self.side_px = side_px
        self.drawn = round(scenes * len(self.views))
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.views) + self.drawn

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        """A view: image uint8 [side, side, 3] BGR, and what it should give."""
        rng = np.random.default_rng([self.seed, self.epoch, index])
        view = self.views[index] if index < len(self.views) else self._scene(rng)
        view = training_view(view, self.side_px, rng)
        target = Target(torch.from_numpy(view.boxes), torch.from_numpy(view.labels))
        return torch.from_numpy(view.image), target

    def _scene(self, rng: np.random.Generator) -> View:
        height_px = int(rng.integers(240, 480))
        width_px = round(height_px * rng.uniform(0.8, 1.8))
        image, boxes, labels = training_picture(rng, width_px, height_px)
        return View(image, boxes, as_columns(labels, self.columns))

    def batches(self, epoch: int, batch_size: int, workers: int) -> DataLoader[Batch]:
        """The batches of one epoch: pictures uint8 [B, side, side, 3] and one target each.

        epoch: 0 for the first.
        workers: processes that make views; 0 makes them in this one.
        """
        self.epoch = epoch
        order = torch.Generator().manual_seed(hash((self.seed, epoch)) % 2**63)
        return DataLoader(
            self,
            batch_size=batch_size,
            shuffle=True,
            generator=order,
            drop_last=len(self) > batch_size,
            num_workers=workers,
            collate_fn=collate,
            worker_init_fn=quieten,
        )


def as_columns(labels: Iterable[str], columns: dict[str, int]) -> np.ndarray:
    """int64 [N]: the score column of each label."""
    return np.array([columns[label] for label in labels], np.int64)


def collate(items: list[tuple[Tensor, Target]]) -> Batch:
    """Stack the pictures of a batch; the targets differ in length and stay a list."""
    return torch.stack([image for image, _ in items]), [target for _, target in items]


def quieten(_worker: int) -> None:
    """Keep a worker on one core: the others belong to the network."""
    cv2.setNumThreads(0)
