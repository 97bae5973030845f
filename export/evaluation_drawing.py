"""Evaluation drawing: what is labelled in a picture, and what was found in it."""

from __future__ import annotations

import numpy as np

from monitor.detections import Detections
from monitor.frame import Image

from .datasets.sample import Sample
from .picture_drawing import WHITE, Drawing, class_colours
from .thresholds import Thresholds


def draw_evaluated(
    image: Image, sample: Sample, found: Detections, thresholds: Thresholds
) -> Image:
    """A copy of a picture with its labelled boxes, white and dashed, and the detections that count.

    image: uint8 [H, W, 3] BGR.
    found: in pixels of `image`; a box of which two classes count is drawn for both.
    """
    drawing = Drawing(image)
    for box, label in zip(sample.boxes, sample.labels, strict=True):
        drawing.box(box, WHITE, label, dashed=True)
    colours = class_colours(len(found.classes))
    rows, columns = thresholds.counted(found)
    # the surest last, so that its caption stays on top
    for place in np.argsort(found.scores[rows, columns], kind="stable"):
        row, column = rows[place], columns[place]
        caption = f"{found.classes[column]} {found.scores[row, column]:.2f}"
        drawing.box(found.boxes[row], colours[column], caption)
    drawing.footer(f"{len(sample.boxes)} labelled: white, dashed; {len(rows)} found")
    return drawing.finished()
