"""Every list of a data set with all that is wrong in it, as lint looks at it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from ..arguments.data import TRAINING_LISTS, lists, read_found, read_unlisted
from ..datasets import DataSet, Problem, Sample

ALL = "all pictures"
UNLISTED = "no list"


@dataclass(frozen=True)
class LabelledParts:
    """A data set by its lists.

    parts: name of a list and what is on it; a data set without lists is one part, "all pictures",
        and pictures on none are the part "no list".
    """

    parts: dict[str, DataSet]

    @property
    def samples(self) -> list[Sample]:
        """The sound pictures, each once, in the order of the lists."""
        found: dict[Path, Sample] = {}
        for part in self.parts.values():
            for sample in part.samples:
                found.setdefault(sample.path, sample)
        return list(found.values())

    @property
    def problems(self) -> list[Problem]:
        """What the readers found wrong, each thing once."""
        return list(dict.fromkeys(p for part in self.parts.values() for p in part.problems))

    @property
    def training(self) -> DataSet:
        """The part that would be trained on."""
        names = (*TRAINING_LISTS, *self.parts)
        return next(self.parts[name] for name in names if name in self.parts)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names of all parts."""
        return tuple(dict.fromkeys(name for part in self.parts.values() for name in part.classes))

    def lists_of(self) -> dict[Path, list[str]]:
        """For each picture that has a file, sound or not, the parts that it is in."""
        found: dict[Path, list[str]] = {}
        for name, part in self.parts.items():
            for path in part.pictures:
                if path.is_file():
                    found.setdefault(path, []).append(name)
        return found


def read_parts(options: argparse.Namespace) -> LabelledParts:
    """Read every list of the data set that the command line names.

    options: with the values that `add_data_set` declared.

    Raises UsageError when a file or list is missing, or lists contradict each other, and
    DatasetError when one cannot be understood at all.
    """
    parts = {name: read_found(options, name) for name in lists(options)}
    if not parts:
        return LabelledParts({ALL: read_found(options, None)})
    if options.kind == "pascal":
        unlisted = read_unlisted(options, list(parts.values()))
        if unlisted.samples or unlisted.problems:
            parts[UNLISTED] = unlisted
    return LabelledParts(parts)
