"""Debug: `python -m export debug`, labelled pictures as training sees them."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from monitor.errors import UsageError
from monitor.frame import Image

from .anchors import Anchors
from .arguments.anchors import add_anchors, anchor_config
from .arguments.augmentation import add_augmentation, augmentation_of, wrong_augmentation
from .arguments.data import add_data_set, read_data_set
from .arguments.resize import add_resize, read_resize
from .arguments.retired import add_retired
from .datasets import DatasetError
from .datasets.dataset import DataSet
from .drawing.drawn_pictures import DrawnPictures
from .drawing.labelled_views import LabelledViews
from .drawing.matched_boxes import Fate, match_boxes
from .drawing.matched_drawing import LEGEND, draw_matched
from .drawing.picture_drawing import blank
from .drawing.picture_window import open_window
from .matcher import matcher
from .output_files import make_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `debug`, keras-retinanet's among them under their own names."""
    add = parser.add_argument
    add(
        "--show-annotations",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="the labelled boxes: green where anchors overlap them well, orange and dashed where "
        "only others learn them, red where none does, so that they do not train",
    )
    add("--anchors", action="store_true", help="the anchors that learn a box, in its colour")
    add("--display-name", action="store_true", help="the picture's file name below it")
    add_augmentation(parser)
    add("--seed", type=int, default=0, help="of the augmented views")
    add_resize(parser)
    add_anchors(parser)
    add("--split", metavar="NAME", help="a list of the data set; without it all pictures")
    add("--no-gui", action="store_true", help="write files instead of opening a window")
    add("--output-dir", type=Path, default=Path(), metavar="DIR", help="folder of the files")
    add("--flatten-output", action="store_true", help="all files in that folder itself")
    add_retired(parser, "debug")
    _, pascal, coco, _ = add_data_set(parser)
    for words, option in ((pascal, "--pascal-set"), (coco, "--coco-set")):
        words.add_argument(
            option, dest="split", default=argparse.SUPPRESS, metavar="NAME", help="as --split"
        )


def run(options: argparse.Namespace) -> int:
    """Carry out `debug`; returns the exit code: 1 if a picture could not be read."""
    check_options(options)
    make_folders(options.output_dir if options.no_gui else None)
    window = None if options.no_gui else open_window()
    resize = read_resize(options)
    anchors = Anchors(anchor_config(options))
    data_set = read_data_set(options, options.split)
    augmentation = augmentation_of(options, resize, data_set.classes)
    views = LabelledViews(data_set, resize, augmentation, options.seed)
    album = Album(data_set, views, anchors, options)
    if window is None:
        album.write()
    else:
        with window:
            window.leaf_through(len(views), album.draw)
    return 1 if album.unreadable and options.damaged == "refuse" else 0


def check_options(options: argparse.Namespace) -> None:
    """Raise UsageError, listing every option out of its range."""
    wrong = wrong_augmentation(options)
    if options.seed < 0:
        wrong.append(f"--seed: {options.seed} found, expected 0 or more")
    if wrong:
        raise UsageError("; ".join(wrong))


class Album:
    """The drawn pictures of a data set.

    options: what to draw, as `add_arguments` declares it.

    `boxes` counts what became of the boxes drawn so far; `unreadable` are the numbers of pictures
    that could not be read.
    """

    def __init__(
        self,
        data_set: DataSet,
        views: LabelledViews,
        anchors: Anchors,
        options: argparse.Namespace,
    ) -> None:
        self._data_set = data_set
        self._views = views
        self._anchors = anchors
        self._matcher = matcher(options.matcher, anchors.per_position)
        self._options = options
        self.boxes: Counter[Fate] = Counter()
        self.unreadable: set[int] = set()

    def draw(self, number: int) -> Image:
        """One picture, uint8 [H, W, 3] BGR; one that cannot be read is named on it instead."""
        try:
            view = self._views[number]
        except DatasetError as error:
            if number not in self.unreadable:
                tqdm.write(f"left out: {error}", file=sys.stderr)
            self.unreadable.add(number)
            return blank(str(error))
        height, width = view.image.shape[:2]
        matched = match_boxes(view.boxes, (width, height), self._anchors, self._matcher)
        self.boxes.update(matched.fates)
        return draw_matched(
            view,
            matched,
            self._data_set.classes,
            boxes=self._options.show_annotations,
            anchors=self._options.anchors,
            name=self._data_set.samples[number].path.name if self._options.display_name else "",
        )

    def write(self) -> None:
        """Write every picture to its file, and say what became of the boxes."""
        paths = [sample.path for sample in self._data_set.samples]
        folder = self._options.output_dir
        files = DrawnPictures(folder, "debug", paths, flat=self._options.flatten_output)
        for number, path in enumerate(tqdm(paths, desc="drawing", unit="picture")):
            drawing = self.draw(number)
            if number not in self.unreadable:
                files.write(path, drawing)
        written = len(paths) - len(self.unreadable)
        print(f"{folder}: {written} pictures with {self.boxes.total()} boxes")
        for fate in Fate:
            print(f"{self.boxes[fate]:>8} {LEGEND[fate]}")
