"""Whether a live camera's picture is a new one."""

from __future__ import annotations

import numpy as np

from .frame import Image

_STRIDE_PX = 4


class Freshness:
    """Tells a frozen stream from a still scene: a sensor's noise never repeats exactly.

    A stalled camera or recorder goes on sending its last picture over a healthy connection, so
    neither the connection nor the frame rate shows it.
    """

    def __init__(self) -> None:
        self._latest: Image | None = None

    def is_fresh(self, image: Image) -> bool:
        """Whether a picture, uint8 [H, W, 3], differs from the one before."""
        sample = image[::_STRIDE_PX, ::_STRIDE_PX].copy()
        fresh = self._latest is None or not np.array_equal(sample, self._latest)
        self._latest = sample
        return fresh
