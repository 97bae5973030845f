"""Lint: `python -m export lint`, what is wrong with a data set before it is trained on."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from monitor.errors import UsageError

from .anchor_config import AnchorConfig, write_anchor_config
from .arguments.anchors import add_anchors, anchor_config
from .arguments.data import add_data_set
from .arguments.resize import add_resize, read_resize
from .datasets import DatasetError
from .datasets.coco import coco_sizes
from .linting.anchor_findings import AnchorAdvice, anchor_advice, unmatched_boxes
from .linting.csv_repair import repair_csv
from .linting.findings import Finding, error_count, findings_table, findings_to_list
from .linting.label_findings import boxes_as_trained, class_findings, sample_findings, tiny_boxes
from .linting.labelled_parts import LabelledParts, read_parts
from .linting.picture_findings import (
    damaged_pictures,
    duplicates,
    pascal_sizes,
    unlabelled_pictures,
    wrong_sizes,
)
from .linting.xml_repair import repair_xml
from .matcher import match, matcher
from .output_files import make_folders, write_json

REPAIRED_KINDS = ("csv", "pascal")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lint`; they may stand before or after the data set's words."""
    words = add_data_set(parser)
    _add_options(parser)
    for kind in words:
        _add_options(_WithoutDefaults(kind))


class _WithoutDefaults:
    """Declares options whose values, left out, do not override what stands before the words."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser

    def add_argument(self, *names: str, **settings: Any) -> None:
        self._parser.add_argument(*names, **{**settings, "default": argparse.SUPPRESS})


def _add_options(parser: argparse.ArgumentParser | _WithoutDefaults) -> None:
    add = parser.add_argument
    add("--json", type=Path, metavar="OUT", help="write all findings and where they are")
    add("--fix", action="store_true", help="first repair what is certain, and say what")
    add_anchors(parser)
    add("--write-config", type=Path, metavar="FILE.ini", help="write the anchors that fit best")
    add_resize(parser)


def run(options: argparse.Namespace) -> int:
    """Carry out `lint`; returns the exit code, 1 when there are errors."""
    make_folders(files=(options.json, options.write_config))
    config = anchor_config(options)
    parts = read_parts(options)
    fixed = _repair(options, parts) if options.fix else []
    for line in fixed:
        print(f"fixed: {line}")
    if fixed:
        parts = read_parts(options)
    findings, advice = _findings(options, parts, config)
    print(findings_table(findings))
    if advice and _by_overlap(options, config):
        print(advice)
    if options.write_config:
        if advice is None:
            raise DatasetError(
                "--write-config: found no usable box, expected one to fit anchors to"
            )
        write_anchor_config(options.write_config, advice.fitted.config)
    errors = error_count(findings)
    labels = sum(len(sample.labels) for sample in parts.samples)
    print(
        f"pictures {len(parts.samples)}, boxes {labels}, errors {errors}, "
        f"warnings {len(findings) - errors}"
    )
    if options.json:
        _write_json(options, parts, findings, advice, fixed)
    return 1 if errors or not parts.samples else 0


def _findings(
    options: argparse.Namespace, parts: LabelledParts, config: AnchorConfig
) -> tuple[list[Finding], AnchorAdvice | None]:
    samples = parts.samples
    lists_of = parts.lists_of()
    findings = [Finding.of(problem) for problem in parts.problems]
    known = {(finding.picture, finding.kind) for finding in findings}
    findings += [
        finding
        for finding in damaged_pictures(list(lists_of))
        if (finding.picture, "unreadable picture") not in known
    ]
    if options.kind == "pascal":
        findings += wrong_sizes(pascal_sizes(lists_of, options.folder / "Annotations"))
        findings += unlabelled_pictures(options.folder, options.image_extension)
    if options.kind == "coco":
        stated = coco_sizes(options.coco_path)
        findings += wrong_sizes(size for size in stated if size[1] in lists_of)
    findings += duplicates(lists_of)
    findings += class_findings(parts)
    findings += sample_findings(samples)
    resize = read_resize(options)
    boxes, sizes_px, owners = boxes_as_trained(samples, resize)
    findings += tiny_boxes(samples, boxes, owners)
    if _by_overlap(options, config):
        findings += unmatched_boxes(samples, boxes, sizes_px, owners, config)
    return findings, anchor_advice(boxes, sizes_px, config)


def _by_overlap(options: argparse.Namespace, config: AnchorConfig) -> bool:
    """Whether boxes need an anchor of about their size; else where anchors lie decides."""
    return matcher(options.matcher, config.per_position) is match


def _repair(options: argparse.Namespace, parts: LabelledParts) -> list[str]:
    """Repair what is certain; a line for each change."""
    if options.kind not in REPAIRED_KINDS:
        raise UsageError(
            f"--fix: found a {options.kind} data set, expected csv or pascal; convert it first"
        )
    if options.kind == "csv":
        files = [options.annotations, options.val_annotations]
        return [line for file in files if file for line in repair_csv(file)]
    annotations = options.folder / "Annotations"
    return [
        line
        for picture in sorted(parts.lists_of())
        for line in repair_xml(annotations / f"{picture.stem}.xml", picture)
    ]


def _write_json(
    options: argparse.Namespace,
    parts: LabelledParts,
    findings: list[Finding],
    advice: AnchorAdvice | None,
    fixed: list[str],
) -> None:
    samples = parts.samples
    boxes = Counter(label for sample in samples for label in sample.labels)
    errors = error_count(findings)
    content = {
        "data_set": {
            "kind": options.kind,
            "pictures": len(samples),
            "boxes": {name: boxes[name] for name in parts.classes},
            "lists": {name: len(part.samples) for name, part in parts.parts.items()},
        },
        "errors": errors,
        "warnings": len(findings) - errors,
        "findings": findings_to_list(findings),
        "anchors": advice.to_dict() if advice else None,
        "fixed": fixed,
    }
    write_json(options.json, content, "the findings")
