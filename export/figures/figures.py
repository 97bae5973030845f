"""Figures: everything measured on one data set, as values and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from monitor.detections import Detections

from ..datasets.sample import Sample
from .door_figures import DoorFigures, door_figures
from .intervals import Interval, resample
from .metrics import AveragePrecision, SizeSlice, average_precision
from .precision_intervals import with_intervals
from .thresholds import Thresholds

ALLOWED = "mask"


@dataclass(frozen=True)
class Figures:
    """Everything measured on one data set.

    pictures: how many there were.
    overlap: the overlap (IoU) of the thresholds, at which `ap_at_overlap` was measured.
    slices: average precision for all boxes, and for those of each range of sizes.
    detections: how many detections counted, by class.
    door: see `DoorFigures`; None where the model knows no class `mask`.
    """

    pictures: int
    overlap: float
    slices: tuple[SizeSlice, ...]
    detections: dict[str, int]
    door: DoorFigures | None

    @property
    def mean_ap50(self) -> float | None:
        """Average precision at an overlap of 0.5 over all sizes, mean of the classes, 0 to 1."""
        return self.slices[0].mean.ap50

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and checkpoints."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join([*self._precision(), *self._unlabelled(), *self._door()])

    def _precision(self) -> list[str]:
        """The table of average precision: a row for each class in each range that has boxes."""
        cells = [["size", "class", "boxes", *self._columns()]]
        for part in self.slices:
            if part is self.slices[0] or part.mean.boxes:
                rows = [*part.classes.items(), ("mean", part.mean)]
                cells += [
                    [str(part.size), name, str(row.boxes), *self._rates(row)] for name, row in rows
                ]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return ["  ".join(map(_aligned, row, widths, range(len(row)))).rstrip() for row in cells]

    def _columns(self) -> list[str]:
        asked = [] if self.overlap == 0.5 else [f"AP{100 * self.overlap:g}"]
        return ["AP50", *asked, "AP"]

    def _rates(self, row: AveragePrecision) -> list[str]:
        asked = [] if self.overlap == 0.5 else [(row.ap_at_overlap, row.ap_at_overlap_interval)]
        values = [(row.ap50, row.ap50_interval), *asked, (row.ap, None)]
        return [_rate(value, interval) for value, interval in values]

    def _unlabelled(self) -> list[str]:
        """What the average precision is silent about."""
        return [
            f"{name}: no box is labelled, so that its {count} detections count in no figure above"
            for name, count in self.detections.items()
            if count and not self.slices[0].classes[name].boxes
        ]

    def _door(self) -> list[str]:
        door = self.door
        if door is None:
            return []
        lines = [
            f"door: {door.all_masked} pictures all masked, {door.bare} with a bare face, "
            f"of {self.pictures}"
        ]
        if door.auc is not None:
            lines.append(f"door AUC {_rate(door.auc, door.auc_interval)}")
        if door.at_most_denials is not None:
            point = door.at_most_denials
            lines.append(
                f"false unlocks {_rate(point.false_unlocks, door.false_unlocks_interval)} "
                f"at {point.denials:.3f} denials (tau {point.tau:.3f})"
            )
        return lines


def _rate(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if interval is None else f"{value:.3f} {interval}"


def _aligned(cell: str, width: int, column: int) -> str:
    """Names begin and figures begin at the left of their column; counts end at its right."""
    return cell.rjust(width) if column == 2 else cell.ljust(width)


def measure(
    samples: Sequence[Sample],
    found: Sequence[Detections],
    *,
    intervals: bool = False,
    thresholds: Thresholds | None = None,
) -> Figures:
    """All figures of detections against labels.

    samples: the labelled pictures, at least one.
    found: what was found in each of them, in the same order.
    intervals: whether to measure 95 % intervals too, which takes seconds.
    thresholds: which detections count for average precision; None takes the defaults. The door
        figures have thresholds of their own, and see everything that the model finds.

    Raises DatasetError when a label is none of the model's classes.
    """
    thresholds = thresholds or Thresholds()
    slices = average_precision(samples, found, thresholds=thresholds)
    weights = resample(len(samples)) if intervals else None
    if weights is not None:
        slices = with_intervals(slices, samples, found, thresholds, weights)
    classes = found[0].classes
    counts = dict.fromkeys(classes, 0)
    for detections in found:
        for column in thresholds.counted(detections)[1].tolist():
            counts[classes[column]] += 1
    knows = ALLOWED in classes
    door = door_figures(samples, found, allowed=ALLOWED, weights=weights) if knows else None
    return Figures(len(samples), thresholds.overlap, slices, counts, door)
