"""The words at the end of a command line that name a data set."""

from __future__ import annotations

import argparse
from pathlib import Path

from monitor.errors import UsageError

from .classes import apply_merges, parse_merges
from .datasets import Sample, read_csv, read_pascal


def add_data_set(parser: argparse.ArgumentParser) -> None:
    """Declare `--merge` and the data set: `pascal DIR` or `csv DATA CLASSES`."""
    parser.add_argument(
        "--merge",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="fold one class into another; may be repeated",
    )
    kinds = parser.add_subparsers(
        dest="kind", metavar="pascal DIR | csv DATA CLASSES", required=True
    )
    pascal = kinds.add_parser(
        "pascal", help="JPEGImages, Annotations and ImageSets, as labelImg has it"
    )
    pascal.add_argument("folder", type=Path, metavar="DIR")
    table = kinds.add_parser("csv", help="a CSV of boxes and a CSV of classes")
    table.add_argument("data", type=Path, metavar="DATA")
    table.add_argument("classes", type=Path, metavar="CLASSES")


def has_split(options: argparse.Namespace, split: str) -> bool:
    """Whether the named data set has a list of that name."""
    if options.kind != "pascal":
        return False
    return (options.folder / "ImageSets" / "Main" / f"{split}.txt").is_file()


def read_data_set(
    options: argparse.Namespace, split: str | None
) -> tuple[list[Sample], tuple[str, ...] | None]:
    """Read the data set that the command line names.

    options: with the values that `add_data_set` declared.
    split: name of a list of the data set; None takes every picture.

    Returns the samples, with classes folded, and the class names in the data set's own order, or
    None where it has none. Raises UsageError for a list of a csv data set, which has none.
    """
    merges = parse_merges(options.merge)
    if options.kind == "csv":
        if split is not None:
            raise UsageError(
                f"--split: {split!r} found, expected none: a csv data set has no lists"
            )
        samples, names = read_csv(options.data, options.classes)
        kept = tuple(name for name in names if name not in merges)
        added = tuple(new for new in dict.fromkeys(merges.values()) if new not in kept)
        return apply_merges(samples, merges), kept + added
    return apply_merges(read_pascal(options.folder, split), merges), None
