"""Evaluation report: all that was measured, for other programs, and curves to look at."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monitor import __version__
from monitor.contract import ResizeRule
from monitor.detections import Detections
from monitor.errors import UsageError

from .datasets.sample import Sample
from .drawing.curves import draw_precision_recall
from .figures.figures import Figures
from .figures.intervals import RESAMPLES, SHARE
from .figures.metrics import precision_recall
from .figures.thresholds import Thresholds


def write_report(
    path: Path,
    model: Path,
    options: argparse.Namespace,
    resize: ResizeRule,
    samples: Sequence[Sample],
    found: Sequence[Detections],
    thresholds: Thresholds,
    figures: Figures,
) -> None:
    """Write the figures as JSON, and the precision-recall curves beside them as PNG.

    path: the JSON file, replaced when it exists; the picture has the same name and another ending.
    model: its file.
    options: of the command line, for the words that name the data set.
    resize: at which size the model looked.
    figures: what was measured of `samples` and `found` with `thresholds`.

    Raises UsageError when a file cannot be written.
    """
    curves = precision_recall(samples, found, thresholds=thresholds)
    labels = Counter(label for sample in samples for label in sample.labels)
    content: dict[str, Any] = {
        "producer": f"maskgate {__version__}",
        "model": {
            "file": model.name,
            "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "classes": list(found[0].classes),
        },
        "data_set": {
            "kind": options.kind,
            "split": options.split,
            "merged": options.merge,
            "pictures": len(samples),
            "boxes": {name: labels[name] for name in found[0].classes},
        },
        "thresholds": asdict(thresholds),
        "resize": asdict(resize),
        "intervals": {"share": SHARE, "method": "bootstrap over pictures", "resamples": RESAMPLES},
        "mean_ap50": figures.mean_ap50,
        "figures": figures.to_dict(),
        "precision_recall": {
            "overlap": 0.5,
            "classes": {name: asdict(curve) for name, curve in curves.items()},
        },
    }
    try:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot write the report: {error.strerror}") from None
    drawn = {name: (curve.recall, curve.precision) for name, curve in curves.items()}
    draw_precision_recall(drawn, path.with_suffix(".png"))
