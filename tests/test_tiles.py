from __future__ import annotations

import numpy as np
import pytest
from colours import COLOURS, picture

from monitor.view.tiles import TILE_HEIGHT_PX, TILE_WIDTH_PX, Tiles


@pytest.mark.parametrize(
    ("count", "columns", "rows"),
    [
        (2, 2, 1),  # side by side
        (3, 2, 2),  # one place stays black
        (4, 2, 2),  # none does
        (7, 3, 3),  # never wider than a square
    ],
)
def test_every_door_has_a_tile_of_the_same_size(count: int, columns: int, rows: int) -> None:
    names = [str(number) for number in range(count)]
    tiles = Tiles(names)
    for number, name in enumerate(names):
        shown = tiles.put(name, np.full((480, 640, 3), number + 1, np.uint8))
    assert shown.shape == (rows * TILE_HEIGHT_PX, columns * TILE_WIDTH_PX, 3)
    middles = shown[TILE_HEIGHT_PX // 2 :: TILE_HEIGHT_PX, TILE_WIDTH_PX // 2 :: TILE_WIDTH_PX, 0]
    assert middles.ravel()[:count].tolist() == list(range(1, count + 1))
    assert not middles.ravel()[count:].any()


def test_a_tile_says_whose_it_is_without_touching_the_picture_itself() -> None:
    image = np.full((TILE_HEIGHT_PX, TILE_WIDTH_PX, 3), 100, np.uint8)
    shown = Tiles(["front door", "back door"]).put("front door", image)
    assert {0, 100, 255} <= set(shown[:, :TILE_WIDTH_PX].ravel().tolist())
    assert (image == 100).all()


def test_a_name_that_is_wider_than_its_tile_is_cut() -> None:
    shown = Tiles(["x" * 500, "b"]).put("x" * 500, picture("bare"))
    assert not shown[:, TILE_WIDTH_PX:].any()


def test_a_sole_door_is_shown_as_large_as_it_is() -> None:
    image = picture("bare", 1280, 720)
    assert Tiles(["door"]).put("door", image) is image


def test_a_door_without_a_picture_yet_is_black() -> None:
    shown = Tiles(["a", "b"]).put("b", picture("bare"))
    assert not shown[:, :TILE_WIDTH_PX].any()
    assert tuple(shown[TILE_HEIGHT_PX // 2, TILE_WIDTH_PX * 3 // 2]) == COLOURS["bare"]
