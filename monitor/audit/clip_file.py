"""A clip's file: JPEG pictures in a Matroska file, each with its own time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..errors import MaskgateError
from ..record import keep_whole
from ..sources.capture import file_for_ffmpeg

_TICKS_PER_SECOND = 1000


class ClipFile:
    """A file of JPEG pictures as they are, without encoding them again; named when complete.

    path: where to write, ending in .mkv.
    width_px, height_px: the size of all pictures.

    Raises MaskgateError when it cannot be written, or this OpenCV cannot write such a file.
    """

    def __init__(self, path: Path, width_px: int, height_px: int) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.stem}.partial.mkv")
        self._start: float | None = None
        self._tick = -1
        self._written = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            pts, raw = cv2.VIDEOWRITER_PROP_PTS, cv2.VIDEOWRITER_PROP_RAW_VIDEO
        except OSError as error:
            raise MaskgateError(f"{path}: {error.strerror}") from None
        except AttributeError:
            raise MaskgateError(f"{path}: OpenCV {cv2.__version__} cannot write clips") from None
        self._pts = pts
        self._writer = cv2.VideoWriter(
            file_for_ffmpeg(self._partial),
            cv2.CAP_FFMPEG,
            cv2.VideoWriter.fourcc(*"MJPG"),
            float(_TICKS_PER_SECOND),
            (width_px, height_px),
            [raw, 1],
        )
        if not self._writer.isOpened():
            raise MaskgateError(f"{path}: a clip cannot be written there")

    def add(self, time: float, jpeg: bytes) -> None:
        """Add a picture; one that is not a tick after the one before is put there all the same.

        time: seconds, of the source.
        """
        self._start = time if self._start is None else self._start
        self._tick = max(round((time - self._start) * _TICKS_PER_SECOND), self._tick + 1)
        self._writer.set(self._pts, self._tick)
        self._writer.write(np.frombuffer(jpeg, np.uint8).reshape(1, -1))
        self._written += 1

    def close(self) -> None:
        """Complete the file and give it its name, see `keep_whole`; raises MaskgateError."""
        self._writer.release()
        keep_whole(self._partial, self._path, self._written)
