"""Average precision, by class and by size of box, as the COCO evaluation defines it.

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

from ..classes import check_labels
from ..datasets.sample import Sample
from .intervals import Interval
from .matches import RECALLS, SizeRange
from .thresholds import Thresholds

ALL_SIZES = SizeRange()
# those from 32 px up, and apart from them what COCO calls small, medium and large
SIZES = (ALL_SIZES, SizeRange(32), SizeRange(0, 32), SizeRange(32, 96), SizeRange(96))
OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """One class's figures, or the mean over classes; a figure is None without a box.

    boxes: how many labelled boxes they rest on.
    ap50: average precision at an overlap (IoU) of 0.5, 0 to 1.
    ap: average precision, mean over the overlaps 0.50, 0.55, ... 0.95, 0 to 1.
    ap_at_overlap: average precision at the overlap of the thresholds, 0 to 1.
    ap50_interval, ap_at_overlap_interval: their 95 % intervals; None where not asked for.
    """

    boxes: int
    ap50: float | None
    ap: float | None
    ap_at_overlap: float | None
    ap50_interval: Interval | None = None
    ap_at_overlap_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class SizeSlice:
    """Average precision for the boxes of one range of sizes.

    size: the range, by the square root of a box's area in the original picture.
    mean: the mean over the classes that have a box in the slice.
    classes: the figures of each of the model's classes, by name.
    """

    size: SizeRange
    mean: AveragePrecision
    classes: dict[str, AveragePrecision]


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision over recall of one class.

    recall: 101 steps from 0 to 1.
    precision: the best precision at that recall or more, 0 to 1; 0 where it is not reached.
    score: the score from which detections have to count for it, 0 to 1; 0 where not reached.
    """

    recall: list[float]
    precision: list[float]
    score: list[float]


def average_precision(
    samples: Sequence[Sample],
    found: Sequence[Detections],
    *,
    thresholds: Thresholds | None = None,
    sizes: Sequence[SizeRange] = SIZES,
) -> tuple[SizeSlice, ...]:
    """Measure detections against labels; one slice for each of `sizes`.

    samples: the labelled pictures, at least one.
    found: what was found in each of them, in the same order; every class of a row whose score
        counts is a detection of that class.
    thresholds: which detections count; None takes the defaults.
    sizes: a labelled box of another size is neither missed nor wrongly found, and a detection of
        another size that matches no box is no mistake: COCO's area range ignores them.

    Raises DatasetError when a label is none of the model's classes.
    """
    thresholds = thresholds or Thresholds()
    classes = found[0].classes
    check_labels(samples, classes)
    overlaps = sorted({*OVERLAPS, thresholds.overlap})
    truth = _labelled(samples, classes)
    precision = _evaluate(truth, _detected(found, thresholds), found, overlaps, sizes)["precision"]
    slices = []
    for number, size in enumerate(sizes):
        by_class = {
            name: _figures(
                _count(truth, column, size),
                dict(zip(overlaps, precision[:, :, column, number].mean(axis=1), strict=True)),
                thresholds.overlap,
            )
            for column, name in enumerate(classes)
        }
        slices.append(SizeSlice(size, _mean_of(list(by_class.values())), by_class))
    return tuple(slices)


def precision_recall(
    samples: Sequence[Sample],
    found: Sequence[Detections],
    *,
    thresholds: Thresholds | None = None,
) -> dict[str, Curve]:
    """Precision over recall, at an overlap of 0.5, of each class that has a labelled box.

    Arguments and errors as for `average_precision`.
    """
    classes = found[0].classes
    check_labels(samples, classes)
    truth = _labelled(samples, classes)
    detected = _detected(found, thresholds or Thresholds())
    evaluated = _evaluate(truth, detected, found, [0.5], [ALL_SIZES])
    precision, scores = evaluated["precision"][0, :, :, 0], evaluated["scores"][0, :, :, 0]
    return {
        name: Curve(RECALLS.tolist(), precision[:, column].tolist(), scores[:, column].tolist())
        for column, name in enumerate(classes)
        if _count(truth, column, ALL_SIZES)
    }


def _labelled(samples: Sequence[Sample], classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The labelled boxes as COCO annotations; the category is the class's column."""
    boxes: list[dict[str, Any]] = [
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
    return [box | {"id": number} for number, box in enumerate(boxes, 1)]


def _detected(found: Sequence[Detections], thresholds: Thresholds) -> list[dict[str, Any]]:
    """The detections as COCO results."""
    results: list[dict[str, Any]] = []
    for image, detections in enumerate(found):
        rows, columns = thresholds.counted(detections)
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


def _count(truth: list[dict[str, Any]], column: int, size: SizeRange) -> int:
    """How many labelled boxes of that class and size there are."""
    least, largest = size.areas_px2()
    return sum(box["category_id"] == column and least <= box["area"] <= largest for box in truth)


def _evaluate(
    truth: list[dict[str, Any]],
    detected: list[dict[str, Any]],
    found: Sequence[Detections],
    overlaps: Sequence[float],
    sizes: Sequence[SizeRange],
) -> dict[str, npt.NDArray[np.float64]]:
    """COCO's `precision` and `scores`, [overlaps, 101 recalls, C classes, sizes]; -1 for no box."""
    labelled = COCO(
        {
            "images": [{"id": image} for image in range(len(found))],
            "categories": [{"id": column} for column in range(len(found[0].classes))],
            "annotations": truth,
        }
    )
    evaluation = COCOeval_faster(
        labelled, labelled.loadRes(detected), iouType="bbox", print_function=log.debug
    )
    # every detection counts; COCO's own limit of 100 a picture would hide errors in a crowd
    evaluation.params.maxDets = [max(1, *(len(detections) for detections in found))]
    evaluation.params.iouThrs = np.array(overlaps)
    evaluation.params.recThrs = RECALLS
    evaluation.params.areaRng = [list(size.areas_px2()) for size in sizes]
    evaluation.params.areaRngLbl = [str(size) for size in sizes]
    evaluation.evaluate()
    evaluation.accumulate()
    return {key: np.asarray(evaluation.eval[key])[..., 0] for key in ("precision", "scores")}


def _figures(count: int, precision: dict[float, float], overlap: float) -> AveragePrecision:
    """The figures of one class, from its average precision by overlap."""
    if not count:
        return AveragePrecision(0, None, None, None)
    ap = float(np.mean([precision[step] for step in OVERLAPS]))
    return AveragePrecision(count, float(precision[0.5]), ap, float(precision[overlap]))


def _mean_of(classes: Sequence[AveragePrecision]) -> AveragePrecision:
    present = [figures for figures in classes if figures.boxes]
    return AveragePrecision(
        sum(figures.boxes for figures in present),
        mean([figures.ap50 for figures in present]),
        mean([figures.ap for figures in present]),
        mean([figures.ap_at_overlap for figures in present]),
    )


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
