"""Tiles: the pictures of several doors in one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..frame import Image
from ..record import fitted
from .pen import BLACK, WHITE, Pen

TILE_WIDTH_PX, TILE_HEIGHT_PX = 640, 360


class Tiles:
    """A picture of one tile a door with its name, all of one size; of a sole door its own picture.

    names: of the doors, in order, at least one.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._columns = math.ceil(math.sqrt(len(names)))
        rows = math.ceil(len(names) / self._columns)
        size = (rows * TILE_HEIGHT_PX, self._columns * TILE_WIDTH_PX, 3)
        self._picture = np.zeros(size, np.uint8)

    def put(self, name: str, image: Image) -> Image:
        """The whole picture, uint8 [H, W, 3], with a newer one, of any size, in a door's tile."""
        if len(self._places) == 1:
            return image
        row, column = divmod(self._places[name], self._columns)
        top, left = row * TILE_HEIGHT_PX, column * TILE_WIDTH_PX
        tile = np.copy(fitted(image, TILE_WIDTH_PX, TILE_HEIGHT_PX))
        pen = Pen(tile)
        label = pen.cut(name, TILE_WIDTH_PX - 2 * pen.margin_px)
        pen.fill(0, 0, pen.measure(label) + 2 * pen.margin_px, pen.row_px, BLACK)
        pen.write(label, pen.margin_px, 0, WHITE)
        self._picture[top : top + TILE_HEIGHT_PX, left : left + TILE_WIDTH_PX] = tile
        return self._picture
