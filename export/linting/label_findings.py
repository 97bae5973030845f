"""What lint finds in the labels of sound pictures: classes, and boxes that tell little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from monitor.contract import ResizeRule
from monitor.detections import FloatArray

from ..datasets import DatasetError, Sample, picture_size_px
from .findings import Finding
from .labelled_parts import UNLISTED, LabelledParts

# With fewer, one box is worth five points of recall.
FEW_BOXES = 20
SAME_BOX_IOU = 0.9
# A box of fewer pixels, where training sees it, covers half a position of the finest map.
TINY_SIDE_PX = 4.0


def class_findings(parts: LabelledParts) -> Iterator[Finding]:
    """Classes that training does not know, knows too little of, or knows by two names."""
    training = parts.training
    counts = Counter(label for sample in training.samples for label in sample.labels)
    for name, part in parts.parts.items():
        unknown = Counter(label for sample in part.samples for label in sample.labels)
        for label in sorted(set(unknown) - set(training.classes)):
            first = next(sample.path for sample in part.samples if label in sample.labels)
            expected = f"expected one of the training pictures': {', '.join(training.classes)}"
            found = f"found the class {label!r}, boxes {unknown[label]}, first in {first}"
            severity = "warning" if name == UNLISTED else "error"
            yield Finding("unknown class", severity, name, f"{found}; {expected}", first)
    for label in training.classes:
        if counts[label] < FEW_BOXES:
            found = f"found {counts[label]} boxes to train on, expected {FEW_BOXES} or more"
            yield Finding("few boxes", "warning", f"class {label}", found)
    spellings: dict[str, str] = {}
    for label in parts.classes:
        plain = "".join(character for character in label.casefold() if character.isalnum())
        first_spelling = spellings.setdefault(plain or label, label)
        if first_spelling != label:
            what = f"found {first_spelling!r} too; to fold one into the other use --merge"
            yield Finding("similar classes", "warning", f"class {label}", what)


def sample_findings(samples: Sequence[Sample]) -> Iterator[Finding]:
    """Pictures without a label, and boxes that lie over each other."""
    for sample in samples:
        if not sample.labels:
            what = "found no box; it is trained on as a picture of nothing"
            yield Finding("no label", "warning", str(sample.path), what, sample.path)
        for first, second in _same_boxes(sample.boxes):
            one, other = sample.labels[first], sample.labels[second]
            places = f"boxes {first + 1} and {second + 1}"
            kind = "duplicate box" if one == other else "contradicting boxes"
            classes = one if one == other else f"{one} and {other}"
            what = f"found {places}, {classes}, at the same place; expected one"
            yield Finding(kind, "warning", str(sample.path), what, sample.path)


def tiny_boxes(
    samples: Sequence[Sample], boxes: FloatArray, owners: np.ndarray
) -> Iterator[Finding]:
    """Boxes with next to nothing in them where training sees them.

    boxes: float32 [N, 4], xyxy pixels of the network's input; owners: int [N], row in `samples`.
    """
    sides_px = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    for row in np.flatnonzero(sides_px < TINY_SIDE_PX):
        path = samples[owners[row]].path
        number = int(row - np.searchsorted(owners, owners[row])) + 1
        what = f"box {number}: found a side of {sides_px[row]:.1f} px where training sees it"
        yield Finding("tiny box", "warning", str(path), f"{what}, expected {TINY_SIDE_PX:g}", path)


def boxes_as_trained(
    samples: Sequence[Sample], resize: ResizeRule
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """All boxes, scaled as training scales their pictures.

    Returns float32 [N, 4], xyxy pixels of the network's input; float32 [N, 2], width and height of
    each box's picture there; and int64 [N], the row of each box's sample. A picture that cannot be
    measured is left out.
    """
    boxes, sizes_px, owners = [np.zeros((0, 4))], [np.zeros((0, 2))], [np.zeros(0, np.int64)]
    for row, sample in enumerate(samples):
        size_px = _size_px(sample.path) if len(sample.boxes) else None
        if size_px is None:
            continue
        seen_px = resize.size(*size_px)
        boxes.append(sample.boxes * np.tile(np.divide(seen_px, size_px), 2))
        sizes_px.append(np.tile(seen_px, (len(sample.boxes), 1)))
        owners.append(np.full(len(sample.boxes), row))
    return (
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(sizes_px).astype(np.float32),
        np.concatenate(owners),
    )


def _size_px(path: Path) -> tuple[int, int] | None:
    try:
        return picture_size_px(path)
    except DatasetError:
        return None


def _same_boxes(boxes: FloatArray) -> list[tuple[int, int]]:
    """Rows of two boxes that overlap by 0.9 or more, the first of the two first."""
    corners = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    overlaps = np.maximum(opposite - corners, 0).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    ious = overlaps / np.maximum(areas[:, None] + areas[None] - overlaps, 1e-6)
    rows, columns = np.nonzero(np.triu(ious >= SAME_BOX_IOU, 1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
