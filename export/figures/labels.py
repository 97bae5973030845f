"""Labels: what the model takes the faces of each label for, also of labels that were folded.

Where a data set tells a mask under the nose from no mask at all, this says which of them is harder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.detections import Detections

from ..datasets.sample import Sample
from .matches import overlaps
from .table import table

MISSED = "nothing"


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """What became of the boxes of one label.

    boxes: how many there are.
    taken_for: how many of them were taken for each class, and for "nothing".
    """

    boxes: int
    taken_for: dict[str, int]


def measure_by_label(
    samples: Sequence[Sample], found: Sequence[Detections], *, score: float, overlap: float
) -> dict[str, LabelFigures]:
    """What the boxes of each label were taken for, by the label before any folding.

    score: least score of a detection that counts.
    overlap: least IoU of the best detection on a box; of several, the one with the highest score is
        what the box is taken for.
    """
    seen: dict[str, Counter[str]] = {}
    for sample, detections in zip(samples, found, strict=True):
        counted = detections.where(detections.best_scores >= score)
        ious = overlaps(sample.boxes, counted.boxes)
        for row, label in enumerate(sample.labels_in_file):
            on_it = counted.where(ious[row] >= overlap)
            if len(on_it):
                best = on_it.scores[on_it.best_scores.argmax()]
                name = on_it.classes[int(best.argmax())]
            else:
                name = MISSED
            seen.setdefault(label, Counter())[name] += 1
    names = [*found[0].classes, MISSED] if found else []
    return {
        label: LabelFigures(counts.total(), {name: counts[name] for name in names})
        for label, counts in sorted(seen.items())
    }


def labels_table(labels: Mapping[str, LabelFigures]) -> str:
    """A line for each label: how many boxes, and the share taken for each class."""
    names = list(next(iter(labels.values())).taken_for)
    rows = [["label", "boxes", *(f"taken for {name}" for name in names)]]
    for label, part in labels.items():
        shares = [f"{part.taken_for[name] / part.boxes:.3f}" for name in names]
        rows.append([label, str(part.boxes), *shares])
    return table(rows)
