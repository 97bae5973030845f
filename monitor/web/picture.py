"""The picture of a result as a viewer gets it: small, annotated, encoded."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ..detections import Detections
from ..result import Result
from ..view.annotate import annotate

WIDEST_PX = 960
_JPEG_QUALITY = 80


def encoded(result: Result, *, widest_px: int = WIDEST_PX) -> bytes:
    """A JPEG of the frame with what was decided about it.

    widest_px: a wider frame is shrunk to this width first: drawing and encoding a full one would
        take from the detector's time.
    """
    image, decision = result.frame.image, result.decision
    height_px, width_px = image.shape[:2]
    scale = widest_px / width_px
    if scale < 1.0:
        size = (widest_px, max(round(height_px * scale), 1))
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
        faces = decision.faces
        scaled = Detections(faces.boxes * np.float32(scale), faces.scores, faces.classes)
        decision = replace(decision, faces=scaled)
    else:
        image = np.copy(image)
    annotate(image, decision)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return jpeg.tobytes()
