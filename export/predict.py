"""Predict: `python -m export predict`, what a model sees in pictures, drawn onto them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.detections import Detections
from monitor.errors import UsageError
from monitor.view.window import display_works

from .arguments.resize import add_resize, read_asked_resize
from .datasets import DatasetError, read_picture
from .datasets.picture import PICTURE_SUFFIXES
from .drawing.drawn_pictures import DrawingError, DrawnPictures
from .drawing.picture_drawing import draw_detections
from .drawing.picture_window import PictureWindow
from .evaluate import open_detector
from .output_files import make_folders, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `predict`."""
    add = parser.add_argument
    add("--score-threshold", type=float, default=0.5, metavar="T", help="least score that is shown")
    add(
        "--output-dir",
        type=Path,
        default=Path("predictions"),
        metavar="DIR",
        help="folder of the drawn pictures, NAME_predicted.jpg of NAME.jpg",
    )
    add("--json", type=Path, metavar="OUT.json", help="write what was found, too")
    add("--no-gui", action="store_true", help="open no window, even where there is a display")
    add_resize(parser, default=False)
    add("model", type=Path, metavar="MODEL", help="snapshot or ONNX file")
    add("pictures", type=Path, nargs="+", metavar="PICTURES", help="files, or folders of files")


def run(options: argparse.Namespace) -> int:
    """Carry out `predict`; returns the exit code: 1 if a picture could not be read or written."""
    if not 0 <= options.score_threshold <= 1:
        raise UsageError(
            f"--score-threshold: {options.score_threshold} found, expected a score of 0 to 1"
        )
    pictures = find_pictures(options.pictures)
    files = DrawnPictures(options.output_dir, "predicted", pictures)
    make_folders(options.output_dir, files=(options.json,))
    detect = open_detector(options.model, read_asked_resize(options))
    found: dict[Path, Detections] = {}
    for path in pictures:
        try:
            image = read_picture(path)
            seen = detect(image)
            seen = seen.where(seen.best_scores >= options.score_threshold)
            files.write(path, draw_detections(image, seen))
        except (DatasetError, DrawingError) as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        found[path] = seen
        print(f"{path}: {in_words(seen)}", flush=True)
    if options.json:
        write_found(options.json, found)
    print(f"{options.output_dir}: {len(found)} of {len(pictures)} pictures drawn")
    if found and not options.no_gui and display_works():
        drawn = [files.path(path) for path in found]
        with PictureWindow() as window:
            window.leaf_through(len(drawn), lambda number: read_picture(drawn[number]))
    return 0 if len(found) == len(pictures) else 1


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """The pictures named, each once; those of a folder by name, not those of folders in it.

    Raises UsageError for a folder without pictures.
    """
    pictures: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            pictures[path] = None
            continue
        inside = [
            file
            for file in path.iterdir()
            if file.suffix.lower() in PICTURE_SUFFIXES and not file.is_dir()
        ]
        if not inside:
            endings = ", ".join(sorted(PICTURE_SUFFIXES))
            raise UsageError(f"{path}: found no picture in the folder, expected {endings}")
        pictures |= dict.fromkeys(sorted(inside))
    return list(pictures)


def in_words(found: Detections) -> str:
    """What was found, such as "mask 0.93, noMask 0.71"."""
    labels = [found.classes[column] for column in found.labels]
    scores = found.best_scores.tolist()
    words = [f"{label} {score:.2f}" for label, score in zip(labels, scores, strict=True)]
    return ", ".join(words) or "nothing"


def write_found(path: Path, found: Mapping[Path, Detections]) -> None:
    """Write the JSON that `python -m export evaluate --detections` writes, too.

    Each detection stands there once, with its best class. Raises UsageError when that is not
    possible.
    """
    items = [
        {
            "image": str(picture),
            "boxes": [[round(edge, 2) for edge in box] for box in seen.boxes.tolist()],
            "scores": [round(score, 6) for score in seen.best_scores.tolist()],
            "labels": [seen.classes[column] for column in seen.labels],
        }
        for picture, seen in found.items()
    ]
    write_json(path, items, "what was found")
