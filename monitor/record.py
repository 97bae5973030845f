"""Writing pictures to a video file."""

from __future__ import annotations

import logging
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from .errors import MaskgateError, UsageError
from .frame import Image
from .sources.capture import file_for_ffmpeg
from .sources.container import missing_bytes

_log = logging.getLogger("monitor.record")


class Recorder:
    """An MP4 file, which gets its name only when it is complete; a context manager.

    One that breaks off is kept as well, up to there.

    path: where to write, ending in .mp4; what is there is replaced at the end. Raises UsageError
        when that is not possible.

    Raises MaskgateError at the end when not all of it is in the file; over another error it is
    only logged.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() != ".mp4":
            raise UsageError(f"{path}: {path.suffix!r} found, expected a name ending in .mp4")
        self._path = path
        self._partial = path.with_name(f".{path.stem}.partial.mp4")
        self._writer: cv2.VideoWriter | None = None
        self._size_px = (0, 0)
        self._written = 0
        try:
            if path.is_dir():
                raise IsADirectoryError(0, "Is a directory")
            self._partial.touch()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; expected a file to write to") from None

    def write(self, image: Image, fps: float) -> None:
        """Add a picture, uint8 [H, W, 3]; one of another size is fitted into that of the first.

        fps: frames per second, of which the first picture's counts.

        Raises MaskgateError when no video can be written.
        """
        if self._writer is None:
            height_px, width_px = image.shape[:2]
            # The codec has whole 2 x 2 blocks only.
            self._size_px = (max(width_px & ~1, 2), max(height_px & ~1, 2))
            codec = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(
                file_for_ffmpeg(self._partial), codec, fps, self._size_px
            )
            if not self._writer.isOpened():
                raise MaskgateError(
                    f"{self._path}: no video can be written there; expected room on the disk, "
                    "and an OpenCV that writes MP4"
                )
        self._writer.write(fitted(image, *self._size_px))
        self._written += 1

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.release()
        if not self._written:
            self._partial.unlink(missing_ok=True)
            return
        try:
            keep_whole(self._partial, self._path, self._written)
        except MaskgateError as failure:
            if error is None:
                raise
            _log.error("%s", failure)


def keep_whole(partial: Path, path: Path, written: int) -> None:
    """Give a video its name if everything that was written is in it; delete it otherwise.

    OpenCV's writer says nothing when a disk is full. So the pictures are counted, without decoding
    them; after a failed write FFmpeg writes no more, so that none is missing between two others.

    partial: the file, complete as far as its writer can tell.
    path: its name; what has it is replaced.
    written: how many pictures were written to it, at least 1.

    Raises MaskgateError when not everything is in it, or it cannot get its name.
    """
    try:
        found = _pictures_in(partial)
        whole = found == written and not missing_bytes(partial)
        if whole:
            partial.replace(path)
        else:
            partial.unlink()
    except OSError as error:
        raise MaskgateError(f"{path}: {error.strerror}") from None
    if not whole:
        raise MaskgateError(
            f"{path}: could not be written to its end ({found} of {written} pictures can be "
            "read); expected room on the disk"
        )


def _pictures_in(path: Path) -> int:
    packets = cv2.VideoCapture(file_for_ffmpeg(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    count = 0
    while packets.grab():
        count += 1
    packets.release()
    return count


def fitted(image: Image, width_px: int, height_px: int) -> Image:
    """A picture, uint8 [H, W, 3], scaled to fit inside a size and centred on black."""
    height, width = image.shape[:2]
    if (width, height) == (width_px, height_px):
        return image
    scale = min(width_px / width, height_px / height)
    inner_px = (max(round(width * scale), 1), max(round(height * scale), 1))
    canvas = np.zeros((height_px, width_px, 3), np.uint8)
    left, top = (width_px - inner_px[0]) // 2, (height_px - inner_px[1]) // 2
    scaled = cv2.resize(image, inner_px, interpolation=cv2.INTER_AREA)
    canvas[top : top + inner_px[1], left : left + inner_px[0]] = scaled
    return canvas
