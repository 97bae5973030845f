"""Opening cv2.VideoCapture on whatever FFmpeg reads, the same way for files and streams."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from ..cores import all_but_one

# A source that fails is reported once, by a SourceError: the same said again by OpenCV and FFmpeg
# on stderr, a line for each damaged packet, only hides it. FFmpeg's is read at its first use.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

OPEN_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 5.0


def file_for_ffmpeg(path: Path) -> str:
    """The name of a file as FFmpeg takes it.

    In a bare one it would take what precedes a colon, as in a time, for a protocol.
    """
    return str(path.absolute())


def open_capture(path_or_url: str, *, threads: int = 0) -> cv2.VideoCapture:
    """Open a file or URL; the caller checks isOpened().

    threads: that decode; 0 is one a core but for one, at least one. With several, FFmpeg decodes as
        many pictures side by side and delivers each so much later: 0.4 s with 8 threads at 20
        pictures per second.
    """
    # A thread more would take the core that the detector runs on: on two cores, a clip of 720p that
    # is drawn and recorded goes through at 0.95 of the detector's own speed, and with two at 0.9.
    threads = threads or all_but_one()
    # Only in the constructor do the time-outs take effect; without them a dead camera blocks 30 s.
    # Not by OPENCV_FFMPEG_CAPTURE_OPTIONS: that holds for the whole process, files included, and
    # unset it already means RTSP over TCP first.
    options = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(OPEN_TIMEOUT_SECONDS * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(READ_TIMEOUT_SECONDS * 1000)),
        *(cv2.CAP_PROP_N_THREADS, threads),
    ]
    return cv2.VideoCapture(path_or_url, cv2.CAP_FFMPEG, options)
