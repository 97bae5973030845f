"""The detections file: what a model found in a data set, as JSON for other programs to measure.

A list with one object a picture, `{"image", "boxes", "scores", "labels"}`: parallel lists with a
row for every face and class whose score is at least 0.05, so that a face may stand there once a
class. Boxes are xyxy pixels to the hundredth, labels are class names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.detections import Detections

from ..datasets.sample import Sample
from ..output_files import write_json
from .thresholds import Thresholds


def image_names(samples: Sequence[Sample]) -> list[str]:
    """Each picture's path relative to the innermost folder that holds all of them.

    For the PASCAL VOC layout that is the file's own name.
    """
    paths = [sample.path.absolute() for sample in samples]
    folder = os.path.commonpath([path.parent for path in paths]) if paths else ""
    return [path.relative_to(folder).as_posix() for path in paths]


def write_detections(path: Path, samples: Sequence[Sample], found: Sequence[Detections]) -> None:
    """Write the detections file.

    path: the file; replaced when it exists.
    samples: the pictures.
    found: what was found in each of them, in the same order.

    Raises UsageError when the file cannot be written.
    """
    objects = [
        {"image": name, **_as_lists(detections)}
        for name, detections in zip(image_names(samples), found, strict=True)
    ]
    write_json(path, objects, "the detections", indent=None)


def _as_lists(detections: Detections) -> dict[str, list[Any]]:
    rows, columns = Thresholds().counted(detections)
    boxes = detections.boxes[rows].tolist()
    scores = detections.scores[rows, columns].tolist()
    return {
        "boxes": [[round(edge, 2) for edge in box] for box in boxes],
        "scores": [round(score, 6) for score in scores],
        "labels": [detections.classes[column] for column in columns],
    }
