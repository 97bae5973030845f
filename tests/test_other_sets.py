"""Data sets that are not of faces: other classes, and small objects, are learnt too."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from picture_files import write
from training_cases import SMALL_NETWORK

from export import checkpoint
from export.__main__ import main

COLOURS = {"boat": (220, 120, 40), "car": (40, 40, 220), "tree": (60, 190, 60)}


def shapes(
    folder: Path, name: str, pictures: int, size_px: tuple[int, int], sides_px: tuple[int, int]
) -> list[str]:
    """A CSV data set of grey noise with coloured squares, each colour a class; returns its words.

    size_px: width and height of the pictures. sides_px: least and largest side of a square.
    """
    rng = np.random.default_rng(len(name) + pictures)
    rows = []
    for number in range(pictures):
        image = rng.integers(90, 160, (size_px[1], size_px[0], 3), np.uint8)
        path = folder / f"{name}{number}.png"
        for label, colour in COLOURS.items():
            side_px = int(rng.integers(sides_px[0], sides_px[1] + 1))
            x, y = (int(rng.integers(0, room - side_px)) for room in size_px)
            image[y : y + side_px, x : x + side_px] = colour
            rows.append([path.name, x, y, x + side_px, y + side_px, label])
        write(path, image)
    with (folder / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "classes.csv").write_text("car,0\ntree,1\nboat,2\n")
    return ["csv", str(folder / f"{name}.csv"), str(folder / "classes.csv")]


@pytest.mark.parametrize(
    ("size_px", "sides_px", "resize"),
    [
        # three classes of middle size
        ((160, 120), (24, 48), ["--image-min-side", "96", "--image-max-side", "128"]),
        # small objects in large pictures, looked at as they are
        ((640, 480), (9, 16), ["--no-resize"]),
    ],
)
def test_any_classes_of_any_size_are_learnt_without_a_change_of_the_code(
    tmp_path: Path,
    size_px: tuple[int, int],
    sides_px: tuple[int, int],
    resize: list[str],
) -> None:
    words = shapes(tmp_path, "train", 24, size_px, sides_px)
    held_out = shapes(tmp_path, "val", 8, size_px, sides_px)
    anchors = str(tmp_path / "anchors.ini")
    assert main(["lint", *resize, "--write-config", anchors, *words]) == 0
    options = ["--no-weights", *SMALL_NETWORK, *resize, "--config", anchors, "--random-transform"]
    options += ["--crop", "128", "--epochs", "1", "--steps", "300", "--batch-size", "4"]
    options += ["--lr", "3e-3", "--snapshot-path", str(tmp_path)]
    assert main(["train", *options, *words, "--val-annotations", held_out[1]]) == 0
    content = checkpoint.load(tmp_path / "last.pt")
    assert content["config"]["classes"] == ("car", "tree", "boat")
    figures = content["history"][-1]["validation"]
    # a door is no concern of these
    assert figures["door"] is None
    # what has learnt nothing finds next to nothing
    assert content["history"][-1]["ap50"] > 0.25
