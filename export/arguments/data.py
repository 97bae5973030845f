"""The words at the end of a command line that name a data set."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.errors import UsageError

from ..classes import check_labels, check_merges, merge_classes, parse_merges
from ..datasets import (
    DataSet,
    coco_lists,
    pascal_lists,
    read_coco,
    read_csv,
    read_pascal,
    read_yolo,
    yolo_lists,
)

# What is trained on: the first of these that a data set has.
TRAINING_LISTS = ("train", "trainval")
WORDS = "csv ANNOTATIONS CLASSES | pascal DIR | coco PATH | yolo DATA.yaml"


def add_data_set(
    parser: argparse.ArgumentParser, *, model: bool = False
) -> list[argparse.ArgumentParser]:
    """Declare `--merge`, `--damaged` and the words of each kind of data set.

    model: whether a model's file may follow the words, as in keras-retinanet's evaluate.

    Returns the parsers of the words, for options that may stand after them as well.
    """
    parser.add_argument(
        "--merge",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="fold one class into another; may be repeated",
    )
    parser.add_argument(
        "--damaged",
        choices=("refuse", "skip"),
        default="refuse",
        help="what to do when pictures or annotations are damaged",
    )
    kinds = parser.add_subparsers(dest="kind", metavar=WORDS, required=True, parser_class=_Words)
    table = kinds.add_parser("csv", help="a CSV of boxes and a CSV of classes")
    table.add_argument("annotations", type=Path, metavar="ANNOTATIONS")
    table.add_argument("classes", type=Path, metavar="CLASSES")
    add_val_annotations(table, "CSV of boxes of the validation pictures")
    pascal = kinds.add_parser(
        "pascal", help="JPEGImages, Annotations and ImageSets, as labelImg has it"
    )
    pascal.add_argument("folder", type=Path, metavar="DIR")
    pascal.add_argument(
        "--image-extension", metavar="EXT", help="take only pictures of this kind, such as .jpg"
    )
    coco = kinds.add_parser("coco", help="a folder with annotations/instances_*.json, or one JSON")
    coco.add_argument("coco_path", type=Path, metavar="PATH")
    yolo = kinds.add_parser("yolo", help="a YAML that names lists and classes")
    yolo.add_argument("yolo_path", type=Path, metavar="DATA.yaml")
    parser.set_defaults(val_annotations=None)
    words = [table, pascal, coco, yolo]
    for kind in words:
        if model:
            kind.add_argument(
                "model_last", type=Path, nargs="?", metavar="MODEL", help="instead of --model"
            )
    return words


def add_val_annotations(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Declare `--val-annotations`; left out, it leaves the value of another parser alone."""
    parser.add_argument(
        "--val-annotations", type=Path, metavar="FILE", default=argparse.SUPPRESS, help=purpose
    )


class _Words(argparse.ArgumentParser):
    """Takes a model after an option, too: argparse ends optional words at the first option."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def parse_known_args(  # type: ignore[override]
        self, args: list[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        found, rest = super().parse_known_args(args, namespace)
        missing = hasattr(found, "model_last") and found.model_last is None
        if missing and len(rest) == 1 and not rest[0].startswith("-"):
            found.model_last = Path(rest.pop())
        return found, rest


def lists(options: argparse.Namespace) -> tuple[str, ...]:
    """Names of the lists of the data set, such as train and val; none where it has none.

    Raises UsageError where lists contradict each other, and as the readers do.
    """
    if options.kind == "pascal":
        return pascal_lists(options.folder)
    if options.kind == "coco":
        return coco_lists(options.coco_path)
    if options.kind == "yolo":
        return yolo_lists(options.yolo_path)
    return ("train", "val") if options.val_annotations else ()


def read_found(options: argparse.Namespace, split: str | None) -> DataSet:
    """Read the data set that the command line names, with all that is wrong with it.

    options: with the values that `add_data_set` declared.
    split: name of a list of the data set; None takes every picture, of a csv data set those of its
        ANNOTATIONS.

    Returns the data set with its classes folded. Raises UsageError when a file or list is missing
    or a class to fold is on no list, and DatasetError when a file cannot be understood at all.
    """
    merges = parse_merges(options.merge)
    found = _read(options, split)
    known = set(found.classes)
    if not known.issuperset(merges):
        # the lists of a COCO data set may have different classes, and are then not read as one
        others = coco_lists(options.coco_path) if options.kind == "coco" else (None,)
        known.update(*(_read(options, name).classes for name in others))
    check_merges(merges, known)
    return merge_classes(found, merges)


def _read(options: argparse.Namespace, split: str | None) -> DataSet:
    """What a list of the data set holds, its classes as they are."""
    if options.kind == "csv":
        return read_csv(_annotations(options, split), options.classes)
    if options.kind == "pascal":
        return read_pascal(options.folder, split, options.image_extension)
    if options.kind == "coco":
        return read_coco(options.coco_path, split)
    return read_yolo(options.yolo_path, split)


def read_data_set(options: argparse.Namespace, split: str | None) -> DataSet:
    """Read the data set as `read_found` does, and refuse or skip what is damaged.

    Raises DatasetError too when no picture is left.
    """
    return read_found(options, split).usable(options.damaged)


def read_unlisted(options: argparse.Namespace, parts: Sequence[DataSet]) -> DataSet:
    """Read what is on no list of a data set in PASCAL VOC layout, with all that is wrong with it.

    options: as for `read_found`, of such a data set.
    parts: what `read_found` found on each list. What it found wrong is not named again.
    """
    whole = read_found(options, None)
    listed = {path for part in parts for path in part.pictures}
    known = {problem for part in parts for problem in part.problems}
    return replace(
        whole,
        samples=tuple(sample for sample in whole.samples if sample.path not in listed),
        problems=tuple(problem for problem in whole.problems if problem not in known),
    )


def read_training(options: argparse.Namespace) -> tuple[DataSet, DataSet | None]:
    """Read what to train on, and what to validate with, None where there is nothing.

    These are the lists train and val, or trainval alone; without lists, every picture is for
    training. Both data sets have the classes of the first. Raises as `read_data_set`, UsageError
    when there are lists but none to train on, and DatasetError when val has other labels.
    """
    names = lists(options)
    chosen = next((name for name in TRAINING_LISTS if name in names), None)
    if names and chosen is None:
        raise UsageError(f"data set: found the lists {', '.join(names)}, expected a list train")
    training = read_data_set(options, chosen)
    if chosen != "train" or "val" not in names:
        return training, None
    validation = read_data_set(options, "val")
    check_labels(validation.samples, training.classes)
    return training, replace(validation, classes=training.classes)


def _annotations(options: argparse.Namespace, split: str | None) -> Path:
    if split in (None, "train"):
        annotations: Path = options.annotations
        return annotations
    if split == "val" and options.val_annotations:
        validation: Path = options.val_annotations
        return validation
    raise UsageError(
        f"--split: {split!r} found, expected train, or val with --val-annotations: "
        "a csv data set has no other lists"
    )
