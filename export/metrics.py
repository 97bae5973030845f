"""Average precision, by class and by size of face, as the COCO evaluation defines it.

T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, 2014; cocodataset.org/#detection-eval
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_coco_eval import COCO, COCOeval_faster

from monitor.detections import Detections

from .classes import check_labels
from .datasets.sample import Sample
from .detections_file import counted

MOST_DETECTIONS = 1000
LARGEST_AREA_PX2 = 1e10
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """One class's figures, or the mean over classes.

    faces: how many labelled faces they rest on.
    ap50: average precision at an overlap (IoU) of 0.5, 0 to 1; None without a face.
    ap: average precision, mean over the overlaps 0.50, 0.55, ... 0.95, 0 to 1; None without a face.
    """

    faces: int
    ap50: float | None
    ap: float | None


@dataclass(frozen=True, slots=True)
class SizeSlice:
    """Average precision for the faces from one size up.

    smallest_px: least square root of a face's area in the original picture, pixels; 0 for all.
    mean: the mean over the classes that have a face in the slice.
    classes: the figures of each of the model's classes, by name.
    """

    smallest_px: float
    mean: AveragePrecision
    classes: dict[str, AveragePrecision]


def average_precision(
    samples: Sequence[Sample],
    found: Sequence[Detections],
    *,
    sizes_px: Sequence[float] = (0.0, 32.0),
) -> tuple[SizeSlice, ...]:
    """Measure detections against labels; one slice for each of `sizes_px`.

    samples: the labelled pictures, at least one.
    found: what was found in each of them, in the same order; every class of a face whose score is
        at least 0.05 is a detection of that class.
    sizes_px: smallest size of a face in each slice, square root of its area. A smaller face is
        neither missed nor wrongly found, and a smaller detection on no face is no mistake: they are
        ignored as outside of COCO's area range.

    Raises DatasetError when a label is none of the model's classes.
    """
    classes = found[0].classes
    check_labels(samples, classes)
    truth = _labelled(samples, classes)
    precision = _precision(truth, _detected(found), len(samples), len(classes), sizes_px)
    return tuple(
        _slice(size_px, classes, _faces(truth, len(classes), size_px), precision[..., number])
        for number, size_px in enumerate(sizes_px)
    )


def _labelled(samples: Sequence[Sample], classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The labelled faces as COCO annotations; the category is the class's column."""
    faces: list[dict[str, Any]] = [
        {
            "image_id": image,
            "category_id": classes.index(label),
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "iscrowd": 0,
        }
        for image, sample in enumerate(samples)
        for (x1, y1, x2, y2), label in zip(sample.boxes.tolist(), sample.labels, strict=True)
    ]
    # COCO's matching reads the id 0 as "no match".
    return [face | {"id": number} for number, face in enumerate(faces, 1)]


def _detected(found: Sequence[Detections]) -> list[dict[str, Any]]:
    """The detections as COCO results."""
    results: list[dict[str, Any]] = []
    for image, detections in enumerate(found):
        rows, columns = counted(detections)
        boxes, scores = detections.boxes[rows], detections.scores[rows, columns]
        results += [
            {
                "image_id": image,
                "category_id": column,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "score": score,
            }
            for (x1, y1, x2, y2), score, column in zip(
                boxes.tolist(), scores.tolist(), columns.tolist(), strict=True
            )
        ]
    return results


def _faces(truth: list[dict[str, Any]], class_count: int, size_px: float) -> list[int]:
    """How many labelled faces of at least that size each class has."""
    columns = [face["category_id"] for face in truth if face["area"] >= size_px**2]
    return [columns.count(column) for column in range(class_count)]


def _precision(
    truth: list[dict[str, Any]],
    detected: list[dict[str, Any]],
    picture_count: int,
    class_count: int,
    sizes_px: Sequence[float],
) -> npt.NDArray[np.float64]:
    """Precision [10 overlaps, 101 recalls, C classes, sizes]; -1 where there is no face to find."""
    labelled = COCO(
        {
            "images": [{"id": image} for image in range(picture_count)],
            "categories": [{"id": column} for column in range(class_count)],
            "annotations": truth,
        }
    )
    evaluation = COCOeval_faster(
        labelled, labelled.loadRes(detected), iouType="bbox", print_function=log.debug
    )
    evaluation.params.maxDets = [MOST_DETECTIONS]
    evaluation.params.areaRng = [[size_px**2, LARGEST_AREA_PX2] for size_px in sizes_px]
    evaluation.params.areaRngLbl = [f"from {size_px:g} px" for size_px in sizes_px]
    evaluation.evaluate()
    evaluation.accumulate()
    return np.asarray(evaluation.eval["precision"])[..., 0]


def _slice(
    size_px: float, classes: tuple[str, ...], faces: list[int], precision: npt.NDArray[np.float64]
) -> SizeSlice:
    """The figures in precision [10 overlaps, 101 recalls, C classes]."""
    by_class = {
        name: AveragePrecision(
            count,
            float(precision[0, :, column].mean()) if count else None,
            float(precision[:, :, column].mean()) if count else None,
        )
        for column, (name, count) in enumerate(zip(classes, faces, strict=True))
    }
    present = [figures for figures in by_class.values() if figures.faces]
    mean = AveragePrecision(
        sum(faces),
        _mean([figures.ap50 for figures in present]),
        _mean([figures.ap for figures in present]),
    )
    return SizeSlice(size_px, mean, by_class)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
