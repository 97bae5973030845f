"""Pictures of plain colours, and a detector that understands them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from monitor.contract import Contract, ResizeRule
from monitor.detections import Detections
from monitor.frame import Image

CLASSES = ("mask", "noMask")
COLOURS = {"nobody": (20, 20, 20), "masked": (220, 30, 30), "bare": (30, 30, 220)}


def picture(scene: str, width_px: int = 64, height_px: int = 48) -> Image:
    """A picture mostly of one colour: "masked" is blue, "bare" red, "nobody" nearly black."""
    image = np.full((height_px, width_px, 3), COLOURS[scene], np.uint8)
    # Lighter on the left: a lens that is not covered.
    image[:, : width_px // 2] += 15
    return image


class ColourDetector:
    """Takes a blue picture for a masked face and a red one for a bare face, as `Detector` would."""

    provider = "ColourProvider"
    bound = graph = False
    sha256 = "0" * 64
    threads = 1
    contract = Contract(classes=CLASSES, resize=ResizeRule(64, 64))
    classes = CLASSES

    def __init__(self, path: Path | None = None, *, device: str = "auto", **_: object) -> None:
        self.path = path or Path("colours.onnx")

    def __call__(self, image: Image) -> Detections:
        height_px, width_px = image.shape[:2]
        blue, _, red = image.reshape(-1, 3).mean(axis=0)
        if max(blue, red) < 120:
            return Detections.empty(CLASSES)
        box = np.array([[0, 0, width_px, height_px]], np.float32) * 0.8
        scores = np.array([[0.9, 0.05] if blue > red else [0.1, 0.8]], np.float32)
        return Detections(box, scores, CLASSES)
