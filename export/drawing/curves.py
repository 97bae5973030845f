"""Curves: what a training or an evaluation has measured, as PNG pictures."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .drawn_pictures import DrawingError

Curve = tuple[npt.ArrayLike, npt.ArrayLike]
Style = tuple[str, str]

# Okabe and Ito, "Color Universal Design", without their yellow, which is too faint on white.
BLUE, VERMILION = "#0072B2", "#D55E00"
COLOURS = (BLUE, VERMILION, "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES = ("-", "--", ":", "-.")
MEAN: Style = ("black", "-")
LEGEND_ROWS = 20
LONGEST_NAME = 32
RESOLUTION_DPI = 120


def draw_history(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the losses and, where it was validated, the average precision over the epochs.

    history: one entry an epoch, as a checkpoint has it; a value that is missing, None or not finite
        is left out.
    path: the PNG file; its folder is made.

    Raises DrawingError when the file cannot be written.
    """
    epochs = [entry.get("epoch", number) for number, entry in enumerate(history, 1)]
    figure = Figure(figsize=(8, 7), layout="constrained")
    losses, precision = figure.subplots(2, 1)
    for axes, lines in ((losses, _losses(history)), (precision, _precisions(history))):
        for name, (values, (colour, dash)) in lines.items():
            known = [(at, v) for at, v in zip(epochs, values, strict=True) if _is_known(v)]
            if known:
                at, v = zip(*known, strict=True)
                fill = colour if dash == "-" else "white"
                style = {"color": colour, "linestyle": dash, "marker": "o", "ms": 4, "mfc": fill}
                axes.plot(at, v, label=_shorten(name), **style)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlim(min(epochs, default=1) - 0.5, max(epochs, default=1) + 0.5)
    losses.set_title("Loss")
    losses.set_ylabel("mean over the epoch")
    losses.set_ylim(bottom=0)
    precision.set_title("Average precision on the validation set")
    precision.set_ylabel("AP at IoU 0.5")
    precision.set_ylim(0, 1.02)
    for axes in (losses, precision):
        _finish(axes, "not measured")
    _write(figure, path)


def draw_precision_recall(curves: Mapping[str, Curve], path: Path) -> None:
    """Draw precision over recall, one line a class.

    curves: by class name, recall and precision at an overlap (IoU) of 0.5: two arrays of one length
        with values of 0 to 1. What is negative or not finite is left out; a class of which nothing
        is left is named as one without a labelled box.
    path: the PNG file; its folder is made.

    Raises DrawingError when the file cannot be written.
    """
    columns = max(math.ceil(len(curves) / LEGEND_ROWS), 1)
    figure = Figure(figsize=(7 + 2 * columns, 6), layout="constrained")
    axes = figure.subplots()
    for (name, curve), (colour, dash) in zip(curves.items(), _styles(), strict=False):
        recall, precision = (np.asarray(values, np.float64) for values in curve)
        known = np.isfinite(recall) & np.isfinite(precision) & (precision >= 0)
        label = _shorten(name) + ("" if known.any() else " (no labelled box)")
        axes.plot(recall[known], precision[known], color=colour, linestyle=dash, label=label)
    axes.set_title("Precision over recall, at IoU 0.5")
    axes.set_xlabel("recall: share of the labelled boxes that were found")
    axes.set_ylabel("precision: share of the detections that were right")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    _finish(axes, "no class", columns)
    _write(figure, path)


def draw_reliability(curves: Mapping[str, Curve], path: Path) -> None:
    """Draw the share of right detections over their score, one line a class.

    curves: by class name, mean score and share of each bin: two arrays of one length with values of
        0 to 1. Of scores that are probabilities the points lie on the diagonal.
    path: the PNG file; its folder is made.

    Raises DrawingError when the file cannot be written.
    """
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1, label="probability")
    for (name, (score, right)), (colour, dash) in zip(curves.items(), _styles(), strict=False):
        style = {"color": colour, "linestyle": dash, "marker": "o", "ms": 4}
        axes.plot(np.asarray(score), np.asarray(right), label=_shorten(name), **style)
    axes.set_title("Reliability")
    axes.set_xlabel("score of the detections, mean of a tenth of the range")
    axes.set_ylabel("share of them that is right, at IoU 0.5")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    _finish(axes, "no class")
    _write(figure, path)


def _losses(history: Sequence[Mapping[str, Any]]) -> dict[str, tuple[list[Any], Style]]:
    """Values and style of each line."""
    lines: dict[str, tuple[list[Any], Style]] = {}
    for name, colour in (("class", BLUE), ("box", VERMILION)):
        key = f"{name}_loss"
        trained = [entry.get(key) for entry in history]
        validated = [(entry.get("val_loss") or {}).get(key) for entry in history]
        lines[f"{name} loss, training"] = (trained, (colour, "-"))
        lines[f"{name} loss, validation"] = (validated, (colour, "--"))
    return lines


def _precisions(history: Sequence[Mapping[str, Any]]) -> dict[str, tuple[list[Any], Style]]:
    """Values and style of each line: the mean, and each class as long as they can be told apart."""
    # the first slice has boxes of every size
    parts = [((entry.get("validation") or {}).get("slices") or [{}])[0] for entry in history]
    names = list(dict.fromkeys(name for part in parts for name in part.get("classes", {})))
    lines: dict[str, tuple[list[Any], Style]] = {}
    lines["mean of the classes"] = ([part.get("mean", {}).get("ap50") for part in parts], MEAN)
    if 1 < len(names) <= len(COLOURS):
        for name, style in zip(names, _styles(), strict=False):
            of_class = [part.get("classes", {}).get(name, {}) for part in parts]
            lines[name] = ([figures.get("ap50") for figures in of_class], style)
    return lines


def _styles() -> Iterator[Style]:
    """Colours and dashes that differ for as many lines as there are pairs of them."""
    return cycle((colour, dash) for dash in DASHES for colour in COLOURS)


def _is_known(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _finish(axes: Axes, nothing: str, columns: int = 1) -> None:
    """Add the grid and, beside the plot, the names of its lines; or say that there is `nothing`."""
    axes.grid(alpha=0.3)
    lines = axes.get_lines()
    if not lines:
        axes.text(0.5, 0.5, nothing, transform=axes.transAxes, ha="center", va="center")
        return
    # handed over, because a name that starts with an underscore would be left out
    names = [str(line.get_label()) for line in lines]
    legend = axes.legend(
        lines, names, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, ncols=columns
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a dollar sign is one


def _shorten(name: str) -> str:
    """The name, or its beginning and an ellipsis where it would squeeze the plot."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\u2026"


def _write(figure: Figure, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # a class name in a script that the font lacks is drawn as boxes, and that is all
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(path, format="png", dpi=RESOLUTION_DPI)
    except OSError as error:
        raise DrawingError(f"{path}: cannot write the picture: {error.strerror}") from None
