"""A data set: labelled pictures, the names of their classes, and what was wrong on disk."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from .fault import DatasetError, refuse
from .sample import Sample

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one picture or annotation.

    kind: one of the words that `python -m export lint` counts by, such as "box outside".
    where: the file at fault, with the line or object where there is one.
    what: what was found and what was expected.
    picture: the picture that cannot be used because of it; None where none is concerned.
    """

    kind: str
    where: str
    what: str
    picture: Path | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class DataSet:
    """What a reader found.

    samples: the pictures of which nothing is wrong, in the order of the data set.
    classes: class names in the order of the score columns.
    problems: everything that is wrong; a picture with a problem is not among the samples.
    """

    samples: tuple[Sample, ...]
    classes: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def pictures(self) -> tuple[Path, ...]:
        """Every picture, the sound ones first, each once."""
        blamed = [problem.picture for problem in self.problems if problem.picture]
        return tuple(dict.fromkeys([*(sample.path for sample in self.samples), *blamed]))

    def usable(self, damaged: str) -> DataSet:
        """The data set without its problems.

        damaged: "refuse" raises DatasetError listing the problems, the first 20 in full; "skip"
            warns of each and leaves its picture out.

        Raises DatasetError also when no picture is left.
        """
        if damaged == "refuse":
            refuse([str(problem) for problem in self.problems])
        for problem in self.problems:
            log.warning("left out: %s", problem)
        if not self.samples:
            raise DatasetError("data set: found no usable picture, expected at least one")
        return replace(self, problems=())

    def readable(self, damaged: str) -> DataSet:
        """The data set without the pictures that cannot be decoded; all are decoded to find them.

        damaged: see `usable`. Raises DatasetError also when no picture is left.
        """
        problems = []
        for sample in self.samples:
            try:
                sample.read()
            except DatasetError as error:
                what = str(error).removeprefix(f"{sample.path}: ")
                problems.append(Problem("unreadable picture", str(sample.path), what))
        unread = {problem.where for problem in problems}
        sound = tuple(sample for sample in self.samples if str(sample.path) not in unread)
        return replace(self, samples=sound, problems=tuple(problems)).usable(damaged)


def class_names(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The names that occur, in alphabetical order whatever their case."""
    names = {label for sample in samples for label in sample.labels}
    return tuple(sorted(names, key=lambda name: (name.casefold(), name)))
