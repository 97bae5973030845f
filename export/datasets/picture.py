"""Picture files of a data set: finding, measuring and decoding them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from monitor.frame import Image

from .cut_short import is_cut_short
from .fault import DatasetError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
# Formats whose size Pillow reads from the header exactly as OpenCV decodes it.
_PLAIN_HEADERS = frozenset({"JPEG", "PNG", "BMP"})
# Where the size of a picture is stated, the picture, and its width and height, pixels.
StatedSize = tuple[str, Path, tuple[float, float]]
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = (None, 1)


class CutShortError(DatasetError):
    """A picture's file ends before the picture does."""


def read_picture(path: Path) -> Image:
    """Decode a picture to uint8 [H, W, 3] BGR, turned upright by its EXIF orientation.

    Current labelImg shows, and so labels, the upright picture too (QImageReader.setAutoTransform).

    Raises CutShortError when the end of the picture is missing, and DatasetError when the file is
    missing, empty or not a picture.
    """
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the picture: {error.strerror}") from None
    if not encoded.size:
        raise DatasetError(f"{path}: found an empty file, expected a picture")
    if is_cut_short(encoded.tobytes()):
        raise CutShortError(f"{path}: found the end of the file before the picture's end")
    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    except cv2.error:  # A picture beyond OpenCV's limit of size.
        image = None
    if image is None:
        raise DatasetError(
            f"{path}: cannot decode the picture; expected JPEG, PNG, BMP, TIFF or WebP"
        )
    return np.asarray(image, np.uint8)


def picture_size_px(path: Path) -> tuple[int, int]:
    """Width and height, pixels, of what `read_picture` returns.

    Most pictures are measured by their header alone, so a file that is cut short may pass. A turned
    picture, or one in a rarer format, is decoded.

    Raises DatasetError when the file is missing, empty or not a picture.
    """
    # Pillow lets out many kinds of errors on damaged files; OpenCV then has the last word. It warns
    # of large pictures, which are fine here, and of damaged EXIF data.
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with PIL.Image.open(path) as picture:
            if picture.format in _PLAIN_HEADERS:
                orientation = picture.getexif().get(_EXIF_ORIENTATION)
                if orientation in _UPRIGHT:
                    return picture.size
    height_px, width_px = read_picture(path).shape[:2]
    return width_px, height_px


def is_file(path: Path) -> bool:
    """Whether there is such a file; False also for a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def find_picture(name: str, folders: Iterable[Path]) -> Path:
    """The first picture of that name, with / or \\ between its folders.

    name: absolute, or relative to one of the folders.
    folders: where to look, at least one; where there is no such picture, it is looked for in vain
        in the first.
    """
    tried = [folder / text for folder in folders for text in (name, name.replace("\\", "/"))]
    return next((path for path in tried if is_file(path)), tried[0])
