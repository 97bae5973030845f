"""Training views: the views of a data set that the options of `train` describe."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from monitor.contract import ResizeRule
from monitor.errors import UsageError

from ..arguments.augmentation import augmentation_of
from ..datasets import DataSet
from .picture_cache import PictureCache
from .repeats import repeated
from .training_set import TrainingSet

FIRST_VIEWS = 128
log = logging.getLogger(__name__)


def training_views(
    options: argparse.Namespace, data_set: DataSet, resize: ResizeRule, *, augment: bool
) -> TrainingSet:
    """The views of a data set, its pictures read for the first time.

    options: checked, as `training_options` declares them.
    resize: the size at which the network looks at pictures.
    augment: whether views differ from the pictures, some come more often and drawn scenes are among
        them, as far as the options say; else each picture is shown once, whole, as it is.

    Raises DatasetError for a damaged picture, unless the options say to leave it out, and
    UsageError when `--cover` names other classes or `--repeat` other labels.
    """
    samples = repeated(data_set.samples, options.repeat or ()) if augment else data_set.samples
    pictures = PictureCache(
        samples,
        data_set.classes,
        resize,
        limit_mb=options.cache_megabytes,
        damaged=None if options.damaged == "refuse" else warn_of,
    )
    return TrainingSet(
        pictures,
        data_set.classes,
        resize,
        augmentation_of(options, resize, data_set.classes) if augment else None,
        scenes=options.scenes if augment else 0.0,
        seed=options.seed,
    )


def first_pictures(
    options: argparse.Namespace, views: TrainingSet, device: torch.device
) -> Iterator[Tensor]:
    """Some views as the first epoch will show them, uint8 batches [B, H, W, 3] without their boxes.

    options: as for `training_views`.
    """
    order = views.order(0, options.batch_size, -(-FIRST_VIEWS // options.batch_size))
    batches = views.batches(0, order, options.workers)
    return (pictures.to(device) for pictures, _ in batches)


def check_scenes(options: argparse.Namespace, classes: Sequence[str]) -> None:
    """Raise UsageError when drawn scenes are asked for that show other classes than these."""
    if options.scenes and not {"mask", "noMask"} <= set(classes):
        raise UsageError(
            "--scenes: drawn scenes show mask and noMask, but the classes are "
            f"{', '.join(classes)}; expected --scenes 0"
        )


def warn_of(error: Exception) -> None:
    """Name a picture that is left out."""
    log.warning("left out: %s", error)
