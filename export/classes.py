"""Class names of a data set: folding one class into another, and putting them in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from monitor.errors import UsageError

from .datasets.sample import DatasetError, Sample


def parse_merges(texts: Iterable[str]) -> dict[str, str]:
    """Read `--merge FROM=TO` arguments into {FROM: TO}.

    Raises UsageError when one is not of that form, a class is folded twice, or a class that is
    folded away is the target of another merge.
    """
    merges: dict[str, str] = {}
    for text in texts:
        old, _, new = (part.strip() for part in text.partition("="))
        if not old or not new or old == new:
            raise UsageError(f"--merge: found {text!r}, expected FROM=TO with two class names")
        if merges.get(old, new) != new:
            raise UsageError(f"--merge: found {old!r} folded into {merges[old]!r} and {new!r}")
        merges[old] = new
    for old, new in merges.items():
        if new in merges:
            raise UsageError(
                f"--merge: found {old}={new} and {new}={merges[new]}; expected {old}={merges[new]}"
            )
    return merges


def apply_merges(samples: Iterable[Sample], merges: Mapping[str, str]) -> list[Sample]:
    """The samples with each label folded as `merges`, {from: to}, says."""
    return [
        replace(sample, labels=tuple(merges.get(label, label) for label in sample.labels))
        for sample in samples
    ]


def class_names(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The names that occur, in alphabetical order whatever their case."""
    names = {label for sample in samples for label in sample.labels}
    return tuple(sorted(names, key=lambda name: (name.casefold(), name)))


def check_labels(samples: Iterable[Sample], classes: Sequence[str]) -> None:
    """Raise DatasetError naming every label of the samples that is not among `classes`."""
    unknown = [name for name in class_names(samples) if name not in classes]
    if unknown:
        raise DatasetError(
            f"data set: found the labels {', '.join(unknown)}, expected only {', '.join(classes)}; "
            "fold a class with --merge FROM=TO"
        )
