"""Evaluation drawing: what is labelled in a picture, and what was found in it."""

from __future__ import annotations

import numpy as np

from monitor.detections import Detections
from monitor.frame import Image

from ..datasets.sample import Sample
from ..figures.thresholds import Thresholds
from .picture_drawing import WHITE, Drawing, class_colours

# average precision counts much that nobody would take for found, far too much to be read
CAPTIONED_SCORE = 0.5


def draw_evaluated(
    image: Image, sample: Sample, found: Detections, thresholds: Thresholds
) -> Image:
    """A copy of a picture with its labelled boxes, white and dashed, and the detections that count.

    image: uint8 [H, W, 3] BGR.
    found: in pixels of `image`; a box of which two classes count is drawn for both. One that scores
        less than CAPTIONED_SCORE is thin and without a caption.
    """
    drawing = Drawing(image)
    colours = class_colours(len(found.classes))
    rows, columns = thresholds.counted(found)
    scores = found.scores[rows, columns]
    # the surest last, so that its caption stays on top
    for place in np.argsort(scores, kind="stable"):
        column, sure = columns[place], scores[place] >= CAPTIONED_SCORE
        caption = f"{found.classes[column]} {scores[place]:.2f}" if sure else ""
        drawing.box(found.boxes[rows[place]], colours[column], caption, thin=not sure)
    for box, label in zip(sample.boxes, sample.labels, strict=True):
        drawing.box(box, WHITE, label, dashed=True, below=True)
    drawing.footer(f"{len(sample.boxes)} labelled: white, dashed; {len(rows)} found")
    faint = int((scores < CAPTIONED_SCORE).sum())
    if faint:
        drawing.footer(f"thin, without a caption: the {faint} that score below {CAPTIONED_SCORE}")
    return drawing.finished()
