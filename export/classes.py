"""Class names of a data set: folding one class into another, and putting them in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from monitor.errors import UsageError

from .datasets import DataSet, DatasetError, Sample, class_names

__all__ = ["check_labels", "check_merges", "class_names", "merge_classes", "parse_merges"]


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


def check_merges(merges: Mapping[str, str], known: Collection[str]) -> None:
    """Raise UsageError for a class to fold that a data set does not have.

    merges: {from: to}. known: the classes of all its lists.
    """
    unknown = [old for old in merges if old not in known]
    if unknown:
        raise UsageError(
            f"--merge: found {', '.join(map(repr, unknown))}, expected a class of the data set: "
            f"{', '.join(sorted(known))}"
        )


def merge_classes(data_set: DataSet, merges: Mapping[str, str]) -> DataSet:
    """The data set with each label folded as `merges`, {from: to}, says.

    Classes that are left keep their order; a target that the data set did not have comes last.
    """
    samples = tuple(_folded(sample, merges) for sample in data_set.samples)
    kept = [name for name in data_set.classes if name not in merges]
    added = [new for old, new in merges.items() if old in data_set.classes and new not in kept]
    return replace(data_set, samples=samples, classes=(*kept, *dict.fromkeys(added)))


def _folded(sample: Sample, merges: Mapping[str, str]) -> Sample:
    labels = tuple(merges.get(label, label) for label in sample.labels)
    return (
        sample
        if labels == sample.labels
        else replace(sample, labels=labels, unfolded=sample.labels)
    )


def check_labels(samples: Iterable[Sample], classes: Sequence[str]) -> None:
    """Raise DatasetError naming every label of the samples that is not among `classes`."""
    unknown = [name for name in class_names(samples) if name not in classes]
    if unknown:
        raise DatasetError(
            f"data set: found the labels {', '.join(unknown)}, expected only {', '.join(classes)}; "
            "fold a class with --merge FROM=TO"
        )
