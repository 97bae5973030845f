"""Matched drawing: a view with its labelled boxes, in the colour of what training makes of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from monitor.frame import Image

from ..views.transforms import View
from .matched_boxes import FOREGROUND_IOU, Fate, MatchedBoxes
from .picture_drawing import Colour, Drawing

# green and red are keras-retinanet's; who cannot tell them apart has the dashes and the captions
COLOURS: dict[Fate, Colour] = {
    Fate.MATCHED: (115, 158, 0),
    Fate.WEAK: (0, 159, 230),
    Fate.UNMATCHED: (40, 40, 220),
}
LEGEND = {
    Fate.MATCHED: f"green: learnt by anchors of IoU {FOREGROUND_IOU} or more",
    Fate.WEAK: f"orange, dashed: learnt only by anchors of IoU below {FOREGROUND_IOU}",
    Fate.UNMATCHED: "red: without an anchor, not trained",
}


def draw_matched(
    view: View,
    matched: MatchedBoxes,
    classes: Sequence[str],
    *,
    boxes: bool = True,
    anchors: bool = False,
    name: str = "",
) -> Image:
    """A copy of the view's picture, with its boxes and a legend of their colours below it.

    matched: of the view's boxes.
    classes: class names in the order of the score columns.
    boxes, anchors: whether to draw the labelled boxes; and the anchors that learn one.
    name: one more line below the picture.
    """
    drawing = Drawing(view.image)
    fates = matched.fates
    if anchors:
        for box, row in zip(matched.anchors, matched.rows, strict=True):
            drawing.box(box, COLOURS[fates[row]], thin=True)
    if boxes:
        for box, label, fate, iou in zip(
            view.boxes, view.labels, fates, matched.best_ious, strict=True
        ):
            remark = {Fate.WEAK: f" IoU {iou:.2f}", Fate.UNMATCHED: " no anchor"}.get(fate, "")
            caption = classes[label] + remark
            drawing.box(box, COLOURS[fate], caption, dashed=fate is Fate.WEAK)
    counts = Counter(fates)
    for fate in Fate:
        if counts[fate]:
            drawing.footer(f"{counts[fate]} {LEGEND[fate]}", COLOURS[fate])
    if not fates:
        drawing.footer("no box: all of it is background")
    if name:
        drawing.footer(name)
    return drawing.finished()
