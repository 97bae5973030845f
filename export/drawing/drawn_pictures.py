"""Drawn pictures: the files in which drawings of pictures are kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2

from monitor.errors import MaskgateError, UsageError
from monitor.frame import Image


class DrawingError(MaskgateError):
    """A picture could not be written."""


class DrawnPictures:
    """A folder of drawings, NAME_debug.jpg of NAME.jpg where the word is "debug".

    folder: made when the first is written; the tree of folders that the pictures have in common
        goes on below it, so that pictures of one name stay apart.
    word: what the names end with; a picture never overwrites its original. The suffix is the
        picture's, or .jpg where OpenCV writes none of that suffix, as of .jfif, which it reads.
    pictures: all that will be drawn.
    flat: leave out the tree.

    Raises UsageError when two drawings would have the same name.
    """

    def __init__(
        self, folder: Path, word: str, pictures: Sequence[Path], *, flat: bool = False
    ) -> None:
        absolute = {picture: Path(os.path.abspath(picture)) for picture in pictures}  # noqa: PTH100
        common = Path(os.path.commonpath([p.parent for p in absolute.values()] or ["/"]))
        self._paths: dict[Path, Path] = {}
        originals: dict[Path, Path] = {}
        for picture, full in absolute.items():
            below = Path() if flat else full.parent.relative_to(common)
            path = folder / below / f"{picture.stem}_{word}{_written_suffix(picture)}"
            if originals.setdefault(path, full) != full:
                raise UsageError(
                    f"{path}: found the drawings of {originals[path]} and {full}, "
                    "expected a name for each; rename one, or leave out --flatten-output"
                )
            self._paths[picture] = path

    def path(self, picture: Path) -> Path:
        """Where the drawing of a picture belongs."""
        return self._paths[picture]

    def write(self, picture: Path, drawing: Image) -> Path:
        """Write the drawing of a picture, uint8 [H, W, 3] BGR; returns where.

        Raises DrawingError when that is not possible.
        """
        path = self._paths[picture]
        try:
            _, encoded = cv2.imencode(path.suffix, drawing)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded.tobytes())
        except cv2.error:
            raise DrawingError(
                f"{path}: cannot write a picture of {drawing.shape[1]} x {drawing.shape[0]} px "
                f"as {path.suffix!r}"
            ) from None
        except OSError as error:
            raise DrawingError(f"{path}: cannot write the picture: {error.strerror}") from None
        return path


def _written_suffix(picture: Path) -> str:
    # OpenCV ends the whole process at a suffix that is no text.
    suffix = picture.suffix
    return suffix if suffix.isascii() and cv2.haveImageWriter(f"name{suffix}") else ".jpg"
