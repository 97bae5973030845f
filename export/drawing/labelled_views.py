"""Labelled views: pictures of a data set one by one, at the size and in the light of training."""

from __future__ import annotations

import numpy as np

from monitor.contract import ResizeRule

from ..datasets.dataset import DataSet
from ..datasets.fault import DatasetError
from ..views.picture_cache import read_view
from ..views.transforms import Augmentation, View, augmented, resized


class LabelledViews:
    """Views of labelled pictures, each read when it is asked for.

    resize: the size at which the network looks at pictures.
    augmentation: how views differ from the pictures; None shows each whole, as it is.
    seed: of the augmented views, which differ at each look.
    """

    def __init__(
        self,
        data_set: DataSet,
        resize: ResizeRule,
        augmentation: Augmentation | None,
        seed: int,
    ) -> None:
        self._samples = data_set.samples
        self._columns = {name: column for column, name in enumerate(data_set.classes)}
        self._resize = resize
        self._augmentation = augmentation
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number: int) -> View:
        """One view of a picture; raises DatasetError when it cannot be read."""
        if self._augmentation is None:
            view, _ = self._read(number)
            height, width = view.image.shape[:2]
            return resized(view, self._resize.size(width, height))
        # the others are for a mosaic
        numbers = iter([number, *self._rng.integers(len(self._samples), size=3).tolist()])

        def pick() -> tuple[View, float]:
            return self._read_or(next(numbers), number)

        return augmented(pick, self._augmentation, self._rng)

    def _read_or(self, number: int, wanted: int) -> tuple[View, float]:
        """One picture, or in its place the one that is wanted: only of that an error is raised."""
        try:
            return self._read(number)
        except DatasetError:
            return self._read(wanted)

    def _read(self, number: int) -> tuple[View, float]:
        return read_view(self._samples[number], self._columns, self._resize)
