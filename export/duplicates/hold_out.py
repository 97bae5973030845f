"""Setting pictures aside for validation so that none of them has a near duplicate in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..datasets import DatasetError, Sample
from . import near_duplicates


def hold_out(
    samples: Sequence[Sample], share: float, seed: int = 0
) -> tuple[list[Sample], list[Sample]]:
    """Divide samples into (training, validation), each in the order of `samples`.

    samples: at least one.
    share: what part of the pictures is for validation, above 0 and below 1.
    seed: which of the many fair divisions to take.

    Near duplicates stay together. As far as they allow, every class has the same share of its
    objects in validation, and so have the pictures without an object. Raises DatasetError when
    either part would be empty.
    """
    groups = near_duplicates.groups([sample.path for sample in samples])
    names = sorted({label for sample in samples for label in sample.labels})
    counts = np.array([_counts(sample, names) for sample in samples])
    group_counts = np.array([counts[group].sum(axis=0) for group in groups])
    chosen = _closest(group_counts, share, np.random.default_rng(seed))
    validation = {index for group in chosen for index in groups[group]}
    if not 0 < len(validation) < len(samples):
        raise DatasetError(
            f"data set: found {len(samples)} pictures in {len(groups)} groups of near duplicates, "
            f"of which a share of {share:g} leaves one part empty; expected more pictures"
        )
    return (
        [sample for index, sample in enumerate(samples) if index not in validation],
        [sample for index, sample in enumerate(samples) if index in validation],
    )


def _counts(sample: Sample, names: Sequence[str]) -> list[int]:
    """What is to be divided fairly: pictures, pictures without an object, objects of each class."""
    labels = Counter(sample.labels)
    return [1, int(not sample.labels), *(labels[name] for name in names)]


def _closest(counts: np.ndarray, share: float, rng: np.random.Generator) -> list[int]:
    """Groups whose counts come close to their share.

    counts: int [groups, kinds].

    Goes through the groups, the largest first, and moves each over when that brings the counts
    closer, until no move does.
    """
    totals = counts.sum(axis=0)
    fractions = counts / np.maximum(totals, 1)
    missing = np.where(totals > 0, share, 0.0)
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order, 0], kind="stable")]
    chosen = np.zeros(len(counts), bool)
    moved = True
    while moved:
        moved = False
        for group in order:
            left = missing + fractions[group] * (1 if chosen[group] else -1)
            # Strictly closer, beyond rounding: otherwise two groups could change places for ever.
            if (left**2).sum() < (missing**2).sum() - 1e-12:
                missing = left
                chosen[group] = not chosen[group]
                moved = True
    return np.flatnonzero(chosen).tolist()
