"""Picture cache: labelled pictures, decoded once, no larger than training needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from tqdm import tqdm

from monitor.contract import ResizeRule

from ..datasets import DatasetError, Sample
from .transforms import View

# a view may be enlarged a little beyond the network's size without looking blurred
ZOOM = 1.25


class PictureCache:
    """Pictures by number, in memory as far as there is room, else read again each time.

    samples: labelled pictures, some maybe more than once; each is decoded once here, so that one
        that cannot be is found now and not hours later.
    classes: class names in the order of the score columns.
    resize: the size at which the network looks at pictures; larger ones are kept that small.
    limit_mb: room for decoded pictures, megabytes.
    damaged: called with the error of each picture that cannot be used, which is then left out; None
        raises it.

    `samples` holds those that are left, `aspects` width over height of each. Raises DatasetError.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        classes: Sequence[str],
        resize: ResizeRule,
        *,
        limit_mb: float,
        damaged: Callable[[DatasetError], None] | None = None,
    ) -> None:
        self._columns = {name: column for column, name in enumerate(classes)}
        self._resize = resize
        self.samples: list[Sample] = []
        self._views: list[View | None] = []
        self._scales: list[float] = []
        self.aspects: list[float] = []
        room = limit_mb * 1e6
        for same in tqdm(_gathered(samples), desc="reading pictures", unit="picture"):
            try:
                view, scale = read_view(same[0], self._columns, resize)
            except DatasetError as error:
                if damaged is None:
                    raise
                damaged(error)
                continue
            fits = view.image.nbytes <= room
            room -= view.image.nbytes if fits else 0
            self.samples += same
            self._views += [view if fits else None] * len(same)
            self._scales += [scale] * len(same)
            self.aspects += [view.image.shape[1] / view.image.shape[0]] * len(same)
        if not self.samples:
            raise DatasetError("data set: found no usable picture, expected at least one")

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[View, float]:
        """A picture, and the scale at which the network would look at the whole of it."""
        view = self._views[index]
        if view is None:
            view, _ = read_view(self.samples[index], self._columns, self._resize)
        return view, self._scales[index]


def _gathered(samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples in their order, those that are one and the same together."""
    together: dict[int, list[Sample]] = {}
    for sample in samples:
        together.setdefault(id(sample), []).append(sample)
    return list(together.values())


def read_view(sample: Sample, columns: Mapping[str, int], resize: ResizeRule) -> tuple[View, float]:
    """A picture no larger than training needs it, and the scale at which the network would look.

    columns: the column of the class scores of each label.
    resize: see `PictureCache`.

    Raises DatasetError when it cannot be read.
    """
    image = sample.read()
    height, width = image.shape[:2]
    scale = fit_scale(resize, width, height)
    shrink = min(ZOOM * scale, 1.0)
    boxes = sample.boxes
    if shrink < 1:
        size = (max(round(width * shrink), 1), max(round(height * shrink), 1))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        boxes = boxes * np.tile([size[0] / width, size[1] / height], 2).astype(np.float32)
    labels = np.array([columns[label] for label in sample.labels], np.int64)
    return View(image, boxes, labels), scale / shrink


def fit_scale(resize: ResizeRule, width_px: int, height_px: int) -> float:
    """The scale of the resize rule before rounding."""
    if resize.min_side_px is None or resize.max_side_px is None:
        return 1.0
    shortest, longest = min(width_px, height_px), max(width_px, height_px)
    return min(resize.min_side_px / shortest, resize.max_side_px / longest)
