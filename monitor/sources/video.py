"""A video file, every frame of it, with times that only ever grow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..errors import SourceError
from ..frame import Frame
from .capture import file_for_ffmpeg, open_capture
from .container import missing_bytes
from .source import FPS_OF_LAST_RESORT


class VideoFile:
    """A clip on disk.

    path: a file of any container and codec that OpenCV's FFmpeg reads: its wheels have no AV1.

    Raises SourceError when it cannot be opened as a video.
    """

    live = False
    timeline = None

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._path = path
        self._capture = open_capture(file_for_ffmpeg(path))
        if not self._capture.isOpened():
            raise SourceError(f"{path}: cannot be opened as a video; damaged, or not one")
        self._codec = _codec_of(self._capture)
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps: float = fps if 0.0 < fps <= 1000.0 else FPS_OF_LAST_RESORT
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count_hint = int(count) if 0 < count < math.inf else None

    def frames(self) -> Iterator[Frame]:
        """Yield every frame that decodes.

        Raises SourceError after the last frame when there was none, or when the end of the file is
        missing: what could be decoded has been delivered by then.
        """
        clock = FrameClock(self.fps)
        index = 0
        try:
            while True:
                read, image = self._capture.read()
                if not read:
                    break
                stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
                yield Frame(np.asarray(image, np.uint8), index, clock.time(stamp))
                index += 1
        finally:
            self.close()
        try:
            missing = missing_bytes(self._path)
        except OSError as error:
            raise SourceError(f"{self._path}: {error.strerror}, expected the video") from None
        if missing:
            raise SourceError(
                f"{self._path}: truncated: {missing} bytes are missing at the end, "
                f"{index} frames decoded"
            )
        if not index:
            raise SourceError(
                f"{self._path}: no frame decoded; damaged, or of a codec that is not decoded here: "
                f"{self._codec} found, which may be converted, for example to H.264"
            )

    def close(self) -> None:
        """Release the file."""
        self._capture.release()


def _codec_of(capture: cv2.VideoCapture) -> str:
    """The four letters of a codec, such as AV01."""
    letters = (int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF).to_bytes(4, "little")
    return "".join(chr(letter) if 32 < letter < 127 else "?" for letter in letters)


class FrameClock:
    """Makes a container's timestamps a clock: from 0 at the first frame, and strictly growing.

    A timestamp that does not grow (none at all, repeated, set back where clips were joined) counts
    as one frame's duration after the frame before, and the ones that follow it go on from there.

    fps: frames per second, for that duration.
    """

    def __init__(self, fps: float) -> None:
        self._frame_seconds = 1.0 / fps
        self._origin_seconds: float | None = None
        self._latest_seconds = 0.0

    def time(self, stamp_seconds: float) -> float:
        """Seconds since the first frame, given the next frame's timestamp in seconds."""
        if self._origin_seconds is None:
            self._origin_seconds = stamp_seconds
            return self._latest_seconds
        time = stamp_seconds - self._origin_seconds
        if not time > self._latest_seconds:
            time = self._latest_seconds + self._frame_seconds
            self._origin_seconds = stamp_seconds - time
        self._latest_seconds = time
        return time
