"""Whether a live camera shows what is before it now."""

from __future__ import annotations

import math
from collections import deque

import cv2
import numpy as np

from .frame import Image

# Of two pictures of a real scene, even a compressed one, at least 4 in 100 samples differ; a clock
# that the camera writes into them makes up for some in 10 000.
_MOVING_SHARE = 0.002
_STUCK_SECONDS = 0.5
_REMEMBERED = 32

_SAMPLED_WIDTH_PX, _SAMPLED_HEIGHT_PX = 240, 135
_BLOCKS = (32, 18)
_WRITTEN_ON_ROWS = 2
_LEAST_SPREAD = 3.0
_BLACK = 24.0


class Freshness:
    """Finds pictures that are no evidence though they come in time: repeated, stuck or blank.

    A stalled camera or recorder goes on sending its last picture over a healthy connection, so
    neither the connection nor the frame rate shows it. A sensor's noise never repeats exactly.

    Found: the same picture again, or one of a short loop; a picture in which for half a second
    nothing but a clock has changed; black, and one plain colour, as before a covered lens, whatever
    is written along the upper and lower edge. Not found: a longer loop, a stuck picture that is
    compressed anew each time, a cover through which light falls unevenly.
    """

    def __init__(self) -> None:
        self._latest: Image | None = None
        self._seen: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._moved_at = -math.inf

    def fault(self, image: Image, time: float) -> str | None:
        """What is wrong with a picture, in words; None when nothing is.

        image: uint8 [H, W, 3].
        time: seconds, when it was taken.
        """
        height_px, width_px = image.shape[:2]
        size = (min(width_px, _SAMPLED_WIDTH_PX), min(height_px, _SAMPLED_HEIGHT_PX))
        sample = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        return self._repeated(sample, time) or _blank(sample)

    def _repeated(self, sample: Image, time: float) -> str | None:
        latest, self._latest = self._latest, sample
        if (
            latest is None
            or latest.shape != sample.shape
            or np.count_nonzero(latest != sample) >= _MOVING_SHARE * sample.size
        ):
            self._moved_at = time
        content = sample.tobytes()
        if self._seen and content == self._seen[-1]:
            return "camera repeats the same picture"
        looped = content in self._seen
        self._seen.append(content)
        if looped:
            return "camera repeats earlier pictures"
        if time - self._moved_at > _STUCK_SECONDS:
            return "camera stuck: next to nothing in the picture changes"
        return None


def _blank(sample: Image) -> str | None:
    grey = cv2.cvtColor(sample, cv2.COLOR_BGR2GRAY)
    # The mean of a block, unlike a pixel, has no noise.
    blocks = cv2.resize(grey, _BLOCKS, interpolation=cv2.INTER_AREA)
    scene = blocks[_WRITTEN_ON_ROWS:-_WRITTEN_ON_ROWS]
    if scene.std() >= _LEAST_SPREAD:
        return None
    if scene.mean() < _BLACK:
        return "camera gives a black picture"
    return "camera covered: one plain colour"
