"""Pane: what the window shows of one door."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ..frame import Image
from ..result import Result
from ..zones import Polygon, Zones
from .annotate import draw_band, draw_faces
from .caption import pace
from .overlay import draw_zones


class Pane:
    """The newest result of a door, drawn whenever someone looks.

    name: the door's.
    live: whether its frames have an age.
    zones: gives the zones that count now.
    keep_zone: saves a polygon to be ignored and lets it take effect, or raises MaskgateError; None
        when there is no file for it.
    clock: seconds; what `Frame.time` of a live source is measured by.
    """

    def __init__(
        self,
        name: str,
        *,
        live: bool,
        zones: Callable[[], Zones],
        keep_zone: Callable[[Polygon], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.keep_zone = keep_zone
        self._live = live
        self._zones = zones
        self._clock = clock
        self._latest: Result | None = None
        self._frozen: Result | None = None
        self._frames_per_second = 0.0

    def see(self, result: Result, frames_per_second: float) -> None:
        """Take a newer result, and how fast they come."""
        self._latest = result
        self._frames_per_second = frames_per_second

    def freeze(self, frozen: bool) -> None:
        """Stop the picture and its boxes at the newest ones, or let them go on.

        What is said of the door always goes on.
        """
        self._frozen = (self._frozen or self._latest) if frozen else None

    def picture(self) -> Image | None:
        """A new picture, uint8 [H, W, 3], of the frame's size; None before the first result."""
        if self._latest is None:
            return None
        shown, latest = self._frozen or self._latest, self._latest
        image = np.copy(shown.frame.image)
        draw_zones(image, self._zones())
        draw_faces(image, shown.decision)
        age_seconds = max(self._clock() - latest.frame.time, 0.0) if self._live else None
        draw_band(image, latest.decision, pace(self._frames_per_second, age_seconds))
        return image
