"""Turning a camera's picture the way the scene stands."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .frame import Image

_ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a camera hangs.

    rotate_degrees: how far to turn the picture clockwise: 0, 90, 180 or 270.
    mirror: whether to swap left and right, after turning.
    """

    rotate_degrees: int = 0
    mirror: bool = False

    def apply(self, image: Image) -> Image:
        """The picture, uint8 [H, W, 3], turned; the same object when there is nothing to do."""
        if self.rotate_degrees:
            image = np.asarray(cv2.rotate(image, _ROTATIONS[self.rotate_degrees]), np.uint8)
        if self.mirror:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
        return image
