"""Evaluation report: all that was measured, for other programs, and curves to look at."""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitor import __version__
from monitor.contract import ResizeRule
from monitor.detections import Detections

from ..datasets.sample import Sample
from ..drawing.curves import draw_precision_recall, draw_reliability
from ..output_files import write_json
from .figures import Figures
from .intervals import RESAMPLES, SHARE
from .labels import LabelFigures
from .metrics import precision_recall
from .reliability import reliability
from .thresholds import Thresholds


@dataclass(frozen=True)
class Evaluation:
    """What a report tells of.

    model: its file.
    options: of the command line, for the words that name the data set.
    resize: at which size the model looked.
    samples, found: the pictures, and what was found in each.
    thresholds: which detections counted.
    figures: what was measured of them; sources: of those of each source, by name; labels: what
        those of each label were taken for.
    """

    model: Path
    options: argparse.Namespace
    resize: ResizeRule
    samples: Sequence[Sample]
    found: Sequence[Detections]
    thresholds: Thresholds
    figures: Figures
    sources: Mapping[str, Figures]
    labels: Mapping[str, LabelFigures]


def write_report(path: Path, evaluation: Evaluation) -> None:
    """Write everything as JSON, and beside it as PNG what can be drawn.

    path: the JSON file, replaced when it exists. NAME.png has the precision-recall curves,
        NAME_reliability.png says whether the scores are probabilities.

    Raises UsageError or DrawingError when a file cannot be written.
    """
    measured = evaluation.samples, evaluation.found
    curves = precision_recall(*measured, thresholds=evaluation.thresholds)
    reliabilities = reliability(*measured, evaluation.thresholds)
    content = {
        **_circumstances(evaluation),
        "mean_ap50": evaluation.figures.mean_ap50,
        "figures": evaluation.figures.to_dict(),
        "sources": {name: part.to_dict() for name, part in evaluation.sources.items()},
        "labels": {name: asdict(part) for name, part in evaluation.labels.items()},
        "precision_recall": {
            "overlap": 0.5,
            "classes": {name: asdict(curve) for name, curve in curves.items()},
        },
        "reliability": {name: asdict(part) for name, part in reliabilities.items()},
    }
    write_json(path, content, "the report")
    drawn = {name: (curve.recall, curve.precision) for name, curve in curves.items()}
    draw_precision_recall(drawn, path.with_suffix(".png"))
    points = {
        name: ([b.score for b in part.bins], [b.right for b in part.bins])
        for name, part in reliabilities.items()
    }
    draw_reliability(points, path.with_name(f"{path.stem}_reliability.png"))


def _circumstances(evaluation: Evaluation) -> dict[str, Any]:
    """What was measured, of what, and how."""
    options, classes = evaluation.options, evaluation.found[0].classes
    labels = Counter(label for sample in evaluation.samples for label in sample.labels)
    return {
        "producer": f"maskgate {__version__}",
        "model": {
            "file": evaluation.model.name,
            "sha256": hashlib.sha256(evaluation.model.read_bytes()).hexdigest(),
            "classes": list(classes),
        },
        "data_set": {
            "kind": options.kind,
            "split": options.split,
            "merged": options.merge,
            "pictures": len(evaluation.samples),
            "boxes": {name: labels[name] for name in classes},
        },
        "thresholds": asdict(evaluation.thresholds),
        "resize": asdict(evaluation.resize),
        "intervals": {"share": SHARE, "method": "bootstrap over pictures", "resamples": RESAMPLES},
    }
