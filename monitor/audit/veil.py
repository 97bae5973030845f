"""The veil: makes the faces of a picture unrecognisable before it is kept."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

from ..frame import Image
from ..result import Result

Boxes = npt.NDArray[np.float32]

# Of the box's width and height, on each side: hair, ears and chin stand out of it.
_MARGIN = 0.3
# Over the longer side of a face. So few show no features, yet still whether there is a mask.
_CELLS = 4
_REMEMBERED_SECONDS = 1.0


class Veil:
    """Remembers where faces were, so that one which the detector misses for a moment stays veiled.

    remembered_seconds: for how long a place is still veiled after a face was last found there.
    """

    def __init__(self, remembered_seconds: float = _REMEMBERED_SECONDS) -> None:
        self._remembered_seconds = remembered_seconds
        self._places: deque[tuple[float, Boxes]] = deque()

    def places(self, result: Result) -> Boxes | None:
        """What to veil in a result's picture: xyxy in pixels; None for all of it.

        All of it where the detector did not look: nobody knows then where the faces are.
        """
        if result.seen is None:
            return None
        time = result.frame.time
        self._places.append((time, result.seen.boxes))
        while time - self._places[0][0] > self._remembered_seconds:
            self._places.popleft()
        return np.concatenate([boxes for _, boxes in self._places])


def veiled(image: Image, places: Boxes | None) -> Image:
    """A copy of a picture, uint8 [H, W, 3], with every place in it coarsely pixelated.

    places: float32 [N, 4], xyxy in pixels; None for the whole picture.
    """
    covered = image.copy()
    height_px, width_px = image.shape[:2]
    if places is None:
        places = np.array([[0, 0, width_px, height_px]], np.float32)
    for left, top, right, bottom in places:
        across, down = (right - left) * _MARGIN, (bottom - top) * _MARGIN
        x1, x2 = np.clip([left - across, right + across], 0, width_px).round().astype(int)
        y1, y2 = np.clip([top - down, bottom + down], 0, height_px).round().astype(int)
        if x2 > x1 and y2 > y1:
            # From the picture itself: cells of cells would let the first one's edges through.
            covered[y1:y2, x1:x2] = _pixelated(image[y1:y2, x1:x2])
    return covered


def _pixelated(part: Image) -> Image:
    height_px, width_px = part.shape[:2]
    cell_px = max(width_px, height_px) / _CELLS
    cells = (max(round(width_px / cell_px), 1), max(round(height_px / cell_px), 1))
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    fine = cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_NEAREST)
    return fine.astype(np.uint8, copy=False)
