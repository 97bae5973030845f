"""A frame: one picture from a source, with the only clock that the policy sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and when it was taken.

    image: uint8 [H, W, 3], BGR as OpenCV gives it.
    index: 0 for the source's first frame, then one more for each.
    time: seconds, never decreasing within a source. Live: the monotonic clock at capture.
        Recorded: the container's timestamp, counted from the first frame.
    lasts_seconds: how long the picture stands for the scene; 0 for a moment of video, the display
        time of a still picture in a folder.
    """

    image: Image
    index: int
    time: float
    lasts_seconds: float = 0.0
