"""The curves: that the lines are really there, where they belong, and nothing is made up."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from export.drawing.curves import BLUE, COLOURS, VERMILION, draw_history, draw_precision_recall
from export.drawing.drawn_pictures import DrawingError

Flags = npt.NDArray[np.bool_]
RECALL = [0.0, 0.25, 0.5, 0.75, 1.0]
# the part of the picture that is surely left of the names of the lines
PLOT_SHARE = 0.55


def drawn(path: Path, colour: str, share: float = PLOT_SHARE) -> Flags:
    """Where in a picture that colour is, bool [H, W], looking at a share of the width."""
    image = cv2.imread(str(path))
    assert image is not None
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    same: Flags = (image == rgb[::-1]).all(axis=2)
    return same[:, : int(same.shape[1] * share)]


def epoch(
    number: int, loss: float | None, ap50: float | None = None, **more: Any
) -> dict[str, Any]:
    """An entry of a history as a training writes it, with two classes of which one is better."""
    twice = loss and 2 * loss
    entry: dict[str, Any] = {"epoch": number, "class_loss": loss, "box_loss": twice, **more}
    if ap50 is not None:
        classes = {"mask": {"ap50": ap50}, "noMask": {"ap50": ap50 / 2}}
        entry["validation"] = {"slices": [{"mean": {"ap50": 0.75 * ap50}, "classes": classes}]}
    return entry


def test_losses_are_drawn_above_and_precision_below(tmp_path: Path) -> None:
    path = tmp_path / "new" / "curves.png"
    history = [epoch(n, 1 / n, 0.2 * n) for n in (1, 2, 3)]
    draw_history(history, path)
    for colour in (BLUE, VERMILION):
        above, below = np.array_split(drawn(path, colour), 2)
        assert above.sum() > 300
        assert below.sum() > 300
    draw_history([epoch(n, 1 / n) for n in (1, 2, 3)], path)
    for colour in (BLUE, VERMILION):
        above, below = np.array_split(drawn(path, colour), 2)
        assert above.sum() > 300
        assert not below.any()


def test_losses_of_the_validation_are_lines_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    validated = {"class_loss": 4.0, "box_loss": None}
    draw_history([epoch(n, 1.0) for n in (1, 2, 3)], path)
    alone = drawn(path, BLUE).sum()
    draw_history([epoch(n, 1.0, val_loss=validated) for n in (1, 2, 3)], path)
    rows = np.flatnonzero(drawn(path, BLUE).any(axis=1))
    assert drawn(path, BLUE).sum() > 1.4 * alone
    assert rows.max() - rows.min() > 150


def test_a_falling_loss_falls(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    draw_history([epoch(n, 4.0 - n) | {"box_loss": None} for n in (1, 2, 3)], path)
    rows, columns = np.nonzero(drawn(path, BLUE))
    first, last = (rows[columns == at].mean() for at in (columns.min(), columns.max()))
    assert last - first > 50


def test_values_that_are_not_known_leave_no_trace(tmp_path: Path) -> None:
    pictures = []
    for value in (None, math.nan, math.inf, "missing"):
        entries = [epoch(1, 1.0, 0.5), epoch(2, 1.0, 0.5), epoch(3, 1.0, 0.5)]
        losses, mask = entries[1], entries[2]["validation"]["slices"][0]["classes"]["mask"]
        losses["class_loss"] = mask["ap50"] = value
        if value == "missing":
            del losses["class_loss"], mask["ap50"]
        draw_history(entries, tmp_path / "curves.png")
        pictures.append((tmp_path / "curves.png").read_bytes())
    assert len(set(pictures)) == 1
    # a line all the same, in either plot
    for part in np.array_split(drawn(tmp_path / "curves.png", BLUE), 2):
        assert part.sum() > 200


@pytest.mark.parametrize(
    "history",
    [
        [],
        # killed before its first value
        [{}],
        [{"epoch": 7, "validation": {}, "val_loss": None}],
        [{"validation": {"slices": []}}],
    ],
)
def test_a_history_without_values_has_axes_and_no_line(
    tmp_path: Path, history: list[dict[str, Any]]
) -> None:
    path = tmp_path / "curves.png"
    draw_history(history, path)
    assert not any(drawn(path, colour).any() for colour in COLOURS)
    # the frames of both plots
    assert (drawn(path, "#000000").sum(axis=1) > 300).sum() >= 4


def test_every_class_has_its_line_at_the_height_of_its_precision(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    curves = {"mask": (RECALL, [0.9] * 5), "noMask": (RECALL, [0.3] * 5)}
    draw_precision_recall(curves, path)
    mask, bare = (np.flatnonzero(drawn(path, colour).sum(axis=1) > 200) for colour in COLOURS[:2])
    assert 0 < len(mask) < 5
    assert 0 < len(bare) < 5
    # 0.6 of a plot that is somewhat lower than the picture
    assert 0.4 < (bare.min() - mask.max()) / drawn(path, BLUE).shape[0] < 0.6


def test_what_is_no_precision_is_left_out(tmp_path: Path) -> None:
    unknown = ([0.0, 0.5, 0.75, math.nan, 1.0], [0.5, 0.5, -1.0, 0.5, math.nan])
    draw_precision_recall({"a": unknown, "b": (RECALL, [-1.0] * 5)}, tmp_path / "with.png")
    draw_precision_recall({"a": ([0.0, 0.5], [0.5, 0.5]), "b": ([], [])}, tmp_path / "without.png")
    assert (tmp_path / "with.png").read_bytes() == (tmp_path / "without.png").read_bytes()
    assert drawn(tmp_path / "with.png", BLUE).sum() > 300
    assert not drawn(tmp_path / "with.png", VERMILION).any()


def test_every_line_has_its_name_beside_the_plot(tmp_path: Path) -> None:
    # what matplotlib would take for a formula, and what it would leave out
    names = (r"$\frac{$", "_hidden", "Mäske")
    path = tmp_path / "curves.png"
    heights = (0.3, 0.2, 0.1)
    curves = {name: (RECALL, [at] * 5) for name, at in zip(names, heights, strict=True)}
    draw_precision_recall(curves, path)
    for colour in COLOURS[: len(names)]:
        upper, lower = np.array_split(drawn(path, colour, share=1.0), 2)
        assert upper.any()
        assert lower.any()


@pytest.mark.parametrize(
    "names",
    [
        # the font has no such letters
        ["rote Mäske", "帽子"],
        ["x" * 300],
        [str(number) for number in range(30)],
        [],
    ],
)
def test_names_of_classes_may_be_anything(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "curves.png"
    heights = np.linspace(0.9, 0.1, len(names))
    curves = {name: (RECALL, [at] * 5) for name, at in zip(names, heights, strict=True)}
    draw_precision_recall(curves, path)
    for number, colour in enumerate(COLOURS):
        assert drawn(path, colour).any() == (number < len(names))


def test_a_picture_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for draw, content in ((draw_history, [epoch(1, 1.0)]), (draw_precision_recall, {})):
        with pytest.raises(DrawingError, match=r"file/a\.png: cannot write the picture: "):
            draw(content, tmp_path / "file" / "a.png")
    with pytest.raises(DrawingError, match="cannot write the picture: Is a directory"):
        draw_history([], tmp_path)
