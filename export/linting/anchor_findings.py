"""What lint finds of anchors: boxes that none matches, and the config that would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from monitor.detections import FloatArray

from ..anchor_config import AnchorConfig, anchor_config_text
from ..datasets import Sample
from .anchor_fit import AnchorFit, fit_anchors, measure_anchors
from .anchor_match import MATCHED_IOU, best_iou
from .findings import Finding

# part of the boxes from which on nothing more is said
WELL_MATCHED = 0.9
# part of the boxes that a fitted config must match more to be worth proposing
WORTH_PROPOSING = 0.01


@dataclass(frozen=True)
class AnchorAdvice:
    """How the anchors at hand fit, and which fit better.

    boxes: how many boxes were looked at, at the size at which training sees them.
    present: the anchors at hand.
    fitted: those that match more boxes; the ones at hand where these do well enough.
    """

    boxes: int
    present: AnchorFit
    fitted: AnchorFit

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "boxes": self.boxes,
            "present": asdict(self.present),
            "fitted": asdict(self.fitted),
            "fitted_ini": anchor_config_text(self.fitted.config),
        }

    def __str__(self) -> str:
        lines = [f"anchors match {_share(self.present)} of {self.boxes} boxes"]
        if self.fitted.config != self.present.config:
            lines += self._proposal()
        if self.fitted.matched_share < WELL_MATCHED:
            lines.append("the others are too small or too long; a larger --image-min-side helps")
        return "\n".join(lines)

    def _proposal(self) -> list[str]:
        lines = [
            f"with this config they would match {_share(self.fitted)}:",
            anchor_config_text(self.fitted.config).rstrip(),
        ]
        if self.fitted.config.strides[0] < self.present.config.strides[0]:
            lines.append(
                "its finer maps cost about four times the work; twice the --image-min-side and "
                "--image-max-side cost as much and leave the strides as they are"
            )
        return lines


def anchor_advice(
    boxes: FloatArray, sizes_px: FloatArray, config: AnchorConfig
) -> AnchorAdvice | None:
    """Advice on anchors for boxes as training sees them; None where there is no box.

    boxes: float32 [N, 4], xyxy pixels of the network's input.
    sizes_px: float32 [N, 2], width and height of each box's picture there.
    config: the anchors at hand.
    """
    if not len(boxes):
        return None
    present, fitted = measure_anchors(boxes, sizes_px, config), fit_anchors(boxes, sizes_px)
    if fitted.matched_share < present.matched_share + WORTH_PROPOSING:
        fitted = present
    return AnchorAdvice(len(boxes), present, fitted)


def unmatched_boxes(
    samples: Sequence[Sample],
    boxes: FloatArray,
    sizes_px: FloatArray,
    owners: np.ndarray,
    config: AnchorConfig,
) -> list[Finding]:
    """Boxes that no anchor overlaps by 0.5 or more.

    samples: whose boxes these are. owners: int64 [N], the row of each box's sample. The other
    arguments are as for `anchor_advice`.
    """
    found = []
    overlaps = best_iou(boxes, sizes_px, config)
    for row in np.flatnonzero(overlaps < MATCHED_IOU):
        path = samples[owners[row]].path
        number = int(row - np.searchsorted(owners, owners[row])) + 1
        width_px, height_px = boxes[row, 2:] - boxes[row, :2]
        what = (
            f"box {number}: found {width_px:.0f} x {height_px:.0f} px where training sees it, best "
            f"overlap with an anchor {overlaps[row]:.2f}, expected {MATCHED_IOU:g} or more"
        )
        found.append(Finding("no anchor matches", "warning", str(path), what, path))
    return found


def _share(fit: AnchorFit) -> str:
    return f"{fit.matched_share:.1%} (mean overlap {fit.mean_iou:.2f})"
