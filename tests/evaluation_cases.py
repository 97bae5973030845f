"""A small data set and a model of which every figure can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from colour_graph import FOUND_BOX, draw_plain, write_colour_graph

from export.__main__ import main

# The model finds FOUND_BOX everywhere: in a rightly, in b with the wrong class, in c with an
# overlap of 46/64, in d where nobody is (as both classes, noMask the surer), and in e rightly.
PICTURES = {"a": (230, 0), "b": (204, 0), "c": (153, 0), "d": (102, 204), "e": (0, 230)}
LABELS = (
    f"a.png,{FOUND_BOX},mask\nb.png,{FOUND_BOX},noMask\nc.png,0,0,64,46,mask\n"
    f"d.png,,,,,\ne.png,{FOUND_BOX},noMask\n"
)
# of the 101 recalls from 0 to 1, those up to a half have the precision 1, the others 0 or 2/3
HALF = 51 / 101
HALF_AND_TWO_THIRDS = (51 + 50 * 2 / 3) / 101


def write_set(folder: Path) -> Path:
    """The pictures, data.csv, classes.csv with a class more, and the model colours.onnx."""
    for name, (blue, red) in PICTURES.items():
        draw_plain(folder / f"{name}.png", blue, red)
    (folder / "data.csv").write_text(LABELS)
    (folder / "classes.csv").write_text("mask,0\nnoMask,1\nhat,2\n")
    write_colour_graph(folder / "colours.onnx")
    return folder


def evaluate(folder: Path, *options: object, model: str = "colours.onnx") -> int:
    """The exit code of a run on that set."""
    words = ["csv", folder / "data.csv", folder / "classes.csv", folder / model]
    return main(["evaluate", *map(str, (*options, *words))])


def figures(folder: Path, *options: object) -> dict[str, Any]:
    """The report of a run with these options."""
    report = folder / "report.json"
    assert evaluate(folder, "--report", report, *options) == 0
    content: dict[str, Any] = json.loads(report.read_text())
    return content
