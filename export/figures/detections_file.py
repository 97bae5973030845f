"""The detections file: what a model found in a data set, as JSON for other programs to measure.

A list with one object a picture, `{"image", "boxes", "scores", "labels"}`: parallel lists with a
row for every face and class whose score is at least 0.05, so that a face may stand there once a
class. Boxes are xyxy pixels to the hundredth, labels are class names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitor.detections import Detections
from monitor.errors import UsageError

from ..datasets.sample import DatasetError, Sample, as_boxes
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


def read_detections(path: Path, classes: tuple[str, ...]) -> list[tuple[str, Detections]]:
    """Read (image, detections) pairs back, one detections row for each row of the file.

    path: a detections file.
    classes: names of the score columns; a row has its score in the column of its label, else 0.

    Raises UsageError when the file cannot be read, DatasetError when it is not a detections file.
    """
    try:
        objects = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the detections: {error.strerror}") from None
    except ValueError as error:
        raise DatasetError(f"{path}: cannot read the file as JSON: {error}") from None
    if not isinstance(objects, list):
        raise DatasetError(f"{path}: found {type(objects).__name__}, expected a list of objects")
    return [
        _from_lists(item, classes, f"{path}: item {number}") for number, item in enumerate(objects)
    ]


def _as_lists(detections: Detections) -> dict[str, list[Any]]:
    rows, columns = Thresholds().counted(detections)
    boxes = detections.boxes[rows].tolist()
    scores = detections.scores[rows, columns].tolist()
    return {
        "boxes": [[round(edge, 2) for edge in box] for box in boxes],
        "scores": [round(score, 6) for score in scores],
        "labels": [detections.classes[column] for column in columns],
    }


def _from_lists(item: Any, classes: tuple[str, ...], where: str) -> tuple[str, Detections]:
    try:
        image, labels = str(item["image"]), list(item["labels"])
        boxes = as_boxes(item["boxes"])
        scores = np.zeros((len(labels), len(classes)), np.float32)
        columns = [classes.index(label) for label in labels]
        scores[np.arange(len(labels)), columns] = np.asarray(item["scores"], np.float32)
        return image, Detections(boxes, scores, classes)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError(
            f"{where}: found {error!r}, expected image, boxes, scores and labels "
            f"of {', '.join(classes)}"
        ) from None
