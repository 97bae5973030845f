"""Every list of a data set with all that is wrong in it, as lint looks at it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from ..data_arguments import lists, read_found
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
        names = ("train", "trainval", *self.parts)
        return next(self.parts[name] for name in names if name in self.parts)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names of all parts."""
        return tuple(dict.fromkeys(name for part in self.parts.values() for name in part.classes))

    def lists_of(self) -> dict[Path, list[str]]:
        """For each picture that has a file, sound or not, the parts that it is in."""
        found: dict[Path, list[str]] = {}
        for name, part in self.parts.items():
            pictures = [sample.path for sample in part.samples]
            pictures += [problem.picture for problem in part.problems if problem.picture]
            for path in dict.fromkeys(pictures):
                if path.is_file():
                    found.setdefault(path, []).append(name)
        return found


def read_parts(options: argparse.Namespace) -> LabelledParts:
    """Read every list of the data set that the command line names.

    options: with the values that `add_data_set` declared. The list trainval is not looked at where
        there is a list train, since it is that and val.

    Raises UsageError when a file or list is missing, and DatasetError when one cannot be understood
    at all.
    """
    names = list(lists(options))
    if "train" in names and "trainval" in names:
        names.remove("trainval")
    parts = {name: read_found(options, name) for name in names}
    if not parts:
        return LabelledParts({ALL: read_found(options, None)})
    if options.kind == "pascal":
        listed = set(LabelledParts(parts).lists_of())
        whole = read_found(options, None)
        rest = tuple(sample for sample in whole.samples if sample.path not in listed)
        known = {problem for part in parts.values() for problem in part.problems}
        problems = tuple(problem for problem in whole.problems if problem not in known)
        if rest or problems:
            parts[UNLISTED] = replace(whole, samples=rest, problems=problems)
    return LabelledParts(parts)
