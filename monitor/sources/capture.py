"""Opening cv2.VideoCapture, the same way for cameras, streams and files."""

from __future__ import annotations

import os

import cv2

# A source that fails is reported once, by a SourceError: the same said again by OpenCV and FFmpeg
# on stderr, a line for each damaged packet, only hides it. FFmpeg's is read at its first use.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

OPEN_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 5.0


def open_capture(spec: int | str) -> cv2.VideoCapture:
    """Open a camera index, a path under /dev, a URL or a file; the caller checks isOpened()."""
    if isinstance(spec, int):
        return cv2.VideoCapture(spec)
    if spec.startswith("/dev/"):
        return cv2.VideoCapture(spec, cv2.CAP_V4L2)
    # Only in the constructor do the time-outs take effect; without them a dead camera blocks 30 s.
    timeouts = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(OPEN_TIMEOUT_SECONDS * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(READ_TIMEOUT_SECONDS * 1000)),
    ]
    return cv2.VideoCapture(spec, cv2.CAP_FFMPEG, timeouts)
