"""What a reader gathers, picture by picture: boxes, labels, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .dataset import DataSet, Problem, class_names
from .fault import DatasetError, Fault
from .picture import is_file, picture_size_px
from .sample import Sample, as_boxes, placed_box


class Gathering:
    """Boxes and problems on their way to a data set.

    classes: the names that the data set knows, in the order of its score columns; None takes those
        that occur, in alphabetical order.
    """

    def __init__(self, classes: Sequence[str] | None = None) -> None:
        self._classes = classes
        self._sizes_px: dict[Path, tuple[int, int] | None] = {}
        self._objects: dict[Path, list[tuple[str, list[float]]]] = {}
        self._problems: list[Problem] = []

    def add_picture(self, path: Path, where: object) -> None:
        """Take a picture in, without a box so far; a second time changes nothing.

        where: the file, with the line where there is one, that names the picture.
        """
        if path in self._sizes_px:
            return
        self._objects[path] = []
        if not is_file(path):
            self._sizes_px[path] = None
            missing = Fault("missing picture", f"found no picture {path}, expected one")
            self.blame(missing, where, path)
            return
        try:
            self._sizes_px[path] = picture_size_px(path)
        except DatasetError as error:
            self._sizes_px[path] = None
            fault = Fault("unreadable picture", str(error).removeprefix(f"{path}: "))
            self.blame(fault, path, path)

    def size_px(self, path: Path) -> tuple[int, int] | None:
        """Width and height, pixels, of a picture taken in; None when unreadable."""
        return self._sizes_px[path]

    def add_box(self, path: Path, box: Sequence[float], label: str) -> None:
        """Take in one box of a picture: four finite numbers x1, y1, x2, y2, pixels.

        Raises Fault "inverted box", "box outside" or "unknown class".
        """
        placed = placed_box(box, self._sizes_px[path])
        if self._classes is not None and label not in self._classes:
            known = ", ".join(self._classes)
            raise Fault("unknown class", f"found the class {label!r}, expected one of {known}")
        self._objects[path].append((label, placed))

    def blame(self, fault: Fault, where: object, picture: Path | None) -> None:
        """Note what is wrong; `picture` then becomes no sample."""
        self._problems.append(Problem(fault.kind, str(where), fault.what, picture))

    def data_set(self) -> DataSet:
        """Everything gathered; the sound pictures in the order in which they were taken in."""
        damaged = {problem.picture for problem in self._problems}
        samples = tuple(
            Sample(path, as_boxes([box for _, box in found]), tuple(label for label, _ in found))
            for path, found in self._objects.items()
            if path not in damaged
        )
        classes = class_names(samples) if self._classes is None else tuple(self._classes)
        return DataSet(samples, classes, tuple(self._problems))
