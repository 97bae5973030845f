"""The models that ship with the runtime, before more faces than anybody would expect at a door."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.detector import SHIPPED_MODELS, Detector
from monitor.frame import Image
from monitor.scene import training_picture

SMALLEST_PX = 40
MARGIN = 0.4


def faces(label: str) -> list[Image]:
    """Drawn faces with what is around them, cut out of drawn pictures."""
    found = []
    for seed in range(60):
        image, boxes, labels = training_picture(np.random.default_rng(seed), 640, 360)
        for (left, top, right, bottom), name in zip(boxes, labels, strict=True):
            more_px = MARGIN * (right - left), MARGIN * (bottom - top)
            x1, y1 = round(left - more_px[0]), round(top - more_px[1])
            x2, y2 = round(right + more_px[0]), round(bottom + more_px[1])
            inside = min(x1, y1) >= 0 and x2 <= 640 and y2 <= 360
            if name == label and inside and min(right - left, bottom - top) >= SMALLEST_PX:
                found.append(image[y1:y2, x1:x2])
    return found


def put(image: Image, face: Image, left: int, top: int, width: int, height: int) -> None:
    small = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
    image[top : top + height, left : left + width] = small


def room(masked: Image, bare: Image | None, *, sheet: bool) -> Image:
    """Someone masked, perhaps someone bare, and perhaps a sheet of 36 masked faces beside them."""
    image = np.full((960, 1280, 3), 127, np.uint8)
    for place in range(36 if sheet else 0):
        put(image, masked, 144 * (place % 6), 144 * (place // 6), 115, 138)
    put(image, masked, 1050, 150, 140, 168)
    if bare is not None:
        put(image, bare, 1050, 550, 100, 120)
    return image


@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_a_sheet_of_masked_faces_hides_no_bare_one(name: str) -> None:
    detector = Detector(SHIPPED_MODELS[name], device="cpu")
    allowed, deny = detector.classes.index("mask"), detector.contract.deny

    def bareness(image: Image) -> float:
        """The best score of another class than the allowed one at the place of the bare face."""
        found = detector(image)
        there = found.where((found.boxes[:, 0] > 1000) & (found.boxes[:, 1] > 500))
        return float(np.delete(there.scores, allowed, axis=1).max(initial=0.0))

    def maskedness(face: Image) -> float:
        found = detector(room(face, None, sheet=False))
        return float(found.scores[:, allowed].max(initial=0.0))

    masked = max(faces("mask"), key=maskedness)
    seen = [bare for bare in faces("noMask") if bareness(room(masked, bare, sheet=False)) >= deny]
    assert len(seen) > 5
    hidden = [bare for bare in seen if bareness(room(masked, bare, sheet=True)) < deny]
    assert not hidden
