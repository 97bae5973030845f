"""Convert: `python -m export convert`, a data set of one format into another.

Pictures stay where they are: CSV and COCO files name them where they lie; the folders of PASCAL VOC
and YOLO get symbolic links, or copies with `--copy`.
"""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from monitor.errors import UsageError

from .arguments.data import (
    TRAINING_LISTS,
    add_data_set,
    add_val_annotations,
    lists,
    read_found,
)
from .datasets import DataSet, Sample, coco_unlisted, pascal_labelled
from .datasets.coco_plan import SUFFIX, coco_plan
from .datasets.csv_plan import csv_plan
from .datasets.pascal_plan import pascal_plan
from .datasets.plan import Lists, Plan, each_once
from .datasets.yolo_plan import yolo_plan
from .duplicates.hold_out import hold_out

TARGETS = ("csv", "pascal", "coco", "yolo")
log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `convert`; they may stand before or after the data set's words."""
    csv_words, *other_words = add_data_set(parser)
    for place in (parser, csv_words, *other_words):
        _add_options(place)
    for place in (parser, *other_words):
        add_val_annotations(place, "with --csv: CSV of boxes of the validation pictures")
    parser.set_defaults(
        **{f"to_{target}": None for target in TARGETS},
        split=None,
        val_share=None,
        seed=0,
        integers=False,
        copy=False,
        force=False,
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    # A default here would override what stands before the words.
    group = parser.add_argument_group("what to write", argument_default=argparse.SUPPRESS)
    add = group.add_argument
    add("--csv", dest="to_csv", nargs=2, type=Path, metavar=("DATA", "CLASSES"))
    add("--pascal", dest="to_pascal", type=Path, metavar="DIR")
    add("--coco", dest="to_coco", type=Path, metavar="FILE.json|DIR", help="DIR for lists")
    add("--yolo", dest="to_yolo", type=Path, metavar="DIR")
    add("--split", metavar="LIST", help="convert only this list of the data set")
    add(
        "--val-share",
        type=float,
        metavar="SHARE",
        help="part of the pictures to hold out for validation, without near duplicates in training",
    )
    add("--seed", type=int, help="which pictures to hold out")
    add("--integers", action="store_true", help="round boxes, as keras-retinanet's CSV wants them")
    add("--copy", action="store_true", help="copy pictures instead of referring to them")
    add("--force", action="store_true", help="overwrite existing files")


def run(options: argparse.Namespace) -> int:
    """Carry out `convert`; returns the exit code."""
    target = _target(options)
    val_annotations = None
    if target == "csv":
        # The option belongs to the CSV side of the conversion; with two, to what is written.
        val_annotations, options.val_annotations = options.val_annotations, None
    parts, classes = _parts(options)
    if options.integers:
        parts = {title: [_whole(sample) for sample in part] for title, part in parts.items()}
    if target == "csv":
        plan = _csv_plan(options.to_csv, parts, classes, val_annotations)
    elif target == "pascal":
        plan = pascal_plan(parts, options.to_pascal)
    elif target == "coco":
        plan = _coco_plan(options.to_coco, parts, classes, copy=options.copy)
    else:
        plan = yolo_plan(parts, classes, options.to_yolo)
    plan.carry_out(force=options.force, copy=options.copy)
    print("\n".join(_summary(title, part) for title, part in parts.items()))
    return 0


def _target(options: argparse.Namespace) -> str:
    """Which format to write; raises UsageError when options do not go together."""
    targets = [name for name in TARGETS if getattr(options, f"to_{name}") is not None]
    if len(targets) != 1:
        found = ", ".join(f"--{name}" for name in targets) or "none"
        raise UsageError(f"found {found}; expected one of --csv, --pascal, --coco, --yolo")
    if options.val_share is not None and not 0 < options.val_share < 1:
        raise UsageError(f"--val-share: found {options.val_share:g}, expected above 0 and below 1")
    if options.seed < 0:
        raise UsageError(f"--seed: found {options.seed}, expected 0 or more")
    if targets == ["csv"]:
        written = [*options.to_csv, *filter(None, [options.val_annotations])]
        if len({path.resolve() for path in written}) < len(written):
            named = ", ".join(map(str, written))
            raise UsageError(f"--csv: found the files {named} to write, expected each once")
        if options.copy:
            raise UsageError("--copy: found with --csv, which names pictures where they lie")
        if options.val_share is not None and options.val_annotations is None:
            raise UsageError("--val-share: expected --val-annotations FILE to go with --csv")
    elif options.kind != "csv" and options.val_annotations is not None:
        raise UsageError("--val-annotations: found without a CSV to read or write")
    return targets[0]


def _parts(options: argparse.Namespace) -> tuple[Lists, tuple[str, ...]]:
    """The pictures of each list to write, None for no list, and the names of the classes."""
    titles = [options.split] if options.split is not None else [*lists(options)] or [None]
    whole = len(titles) == 1 and titles[0] in (None, options.split, *TRAINING_LISTS)
    if options.val_share is not None and not whole:
        named = ", ".join(map(str, titles))
        raise UsageError(f"--val-share: found the lists {named}, expected none; or use --split")
    data_sets = _read_lists(options, titles)
    classes = tuple(dict.fromkeys(name for found in data_sets for name in found.classes))
    if options.val_share is not None:
        training, validation = hold_out(data_sets[0].samples, options.val_share, options.seed)
        return {"train": training, "val": validation}, classes
    if whole:
        return {None: data_sets[0].samples}, classes
    return {title: d.samples for title, d in zip(titles, data_sets, strict=True)}, classes


def _read_lists(options: argparse.Namespace, titles: Sequence[str | None]) -> list[DataSet]:
    """The data set of each list; warns of the pictures that a division leaves out."""
    found = [read_found(options, title) for title in titles]
    if titles not in ([None], [options.split]):
        _say_left_out(options, ", ".join(map(str, titles)), found)
    return [part.usable(options.damaged) for part in found]


def _say_left_out(options: argparse.Namespace, titles: str, found: Sequence[DataSet]) -> None:
    """Warn of what is on none of the lists, which `titles` names and `found` are."""
    if options.kind == "coco" and (files := coco_unlisted(options.coco_path)):
        log.warning(
            "%s: files left out because they are of none of the lists %s: %s",
            options.coco_path,
            titles,
            ", ".join(files),
        )
    if options.kind == "pascal":
        listed = {path.stem for part in found for path in part.pictures}
        pictures = pascal_labelled(options.folder, options.image_extension) - listed
        if pictures:
            log.warning(
                "%s: pictures left out because they are on none of the lists %s: %d",
                options.folder,
                titles,
                len(pictures),
            )


def _csv_plan(
    files: Sequence[Path], parts: Lists, classes: Sequence[str], val_annotations: Path | None
) -> Plan:
    """One CSV file for everything, or one for training and one for validation."""
    data, class_file = files
    titles = ", ".join(map(str, parts))
    if val_annotations is None:
        if len(parts) > 1:
            log.warning("%s: holds the lists %s as one; see --val-annotations", data, titles)
        return csv_plan({data: list(each_once(parts).values())}, classes, class_file)
    instead = {"train": "leave --val-annotations out", "val": "use --val-share"}
    for title, way in instead.items():
        if title not in parts:
            raise UsageError(
                f"--val-annotations: found {'no list' if None in parts else titles} in the data "
                f"set, expected a list {title}; or {way}"
            )
    for title in parts:
        if title not in ("train", "val"):
            log.warning("list %s is not written; convert it by itself with --split", title)
    tables = {data: parts["train"], val_annotations: parts["val"]}
    return csv_plan(tables, classes, class_file)


def _coco_plan(path: Path, parts: Lists, classes: Sequence[str], *, copy: bool) -> Plan:
    one_file = path.suffix.lower() == SUFFIX
    if one_file != (None in parts):
        expected = (
            "a folder for the lists" if one_file else "FILE.json for a data set without lists"
        )
        raise UsageError(f"--coco: found {path}, expected {expected}")
    return coco_plan(parts, classes, path, copy=copy)


def _whole(sample: Sample) -> Sample:
    """The sample with its boxes at whole pixels, each at least 1 px wide and high."""
    low, high = np.round(sample.boxes[:, :2]), np.round(sample.boxes[:, 2:])
    thin = low >= high
    low = np.where(thin, np.floor(sample.boxes[:, :2]), low)
    high = np.where(thin, np.ceil(sample.boxes[:, 2:]), high)
    return replace(sample, boxes=np.concatenate([low, high], axis=1))


def _summary(title: str | None, samples: Sequence[Sample]) -> str:
    labels = Counter(label for sample in samples for label in sample.labels)
    counts = ", ".join(f"{name} {labels[name]}" for name in sorted(labels)) or "none"
    negatives = sum(not sample.labels for sample in samples)
    return (
        f"{title or 'all'}: {len(samples)} pictures, {negatives} of them without a box; "
        f"boxes: {counts}"
    )
