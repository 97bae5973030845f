"""Sources: where frames come from, each behind the same three methods."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from ..errors import SourceError
from .camera import Camera, guarded, without_secrets
from .capture import open_capture
from .demo import Demo
from .device import Mode, name_of, open_device
from .pictures import SUFFIXES, Pictures
from .source import FPS_OF_LAST_RESORT, Source
from .video import VideoFile

__all__ = ["FPS_OF_LAST_RESORT", "Mode", "Source", "open_source", "without_secrets"]

_STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
# OpenCV crashes on such a name.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_EXPECTED = "a camera index, a URL, a video file, a folder of pictures, or demo"


def open_source(
    spec: int | str, *, mode: Mode | None = None, fps_of_pictures: float = 1.0
) -> Source:
    """The source that `spec` names.

    spec: a camera index (an int, or a text of digits), a device path under /dev, a URL (rtsp,
        rtsps, http, https), a video file, a folder of pictures, a single picture, or "demo".
    mode: what to ask of a camera on this machine; of no use to other sources.
    fps_of_pictures: pictures per second at which a folder plays, above 0.

    Files and folders are opened at once; a camera or stream when its frames are asked for, so that
    the thread that reads it is the one that opens, reopens and releases it.

    Raises SourceError when there is nothing of that name, or it cannot be opened.
    """
    text = str(spec)
    if not text:
        # most often a variable that a shell does not know; as a path it were the working folder
        raise SourceError(f"source: '' found, expected {_EXPECTED}")
    if _NO_TEXT.search(text):
        raise SourceError(f"{guarded(text)!a}: expected a name without NUL, in UTF-8")
    if text.isdecimal():
        return _camera(_index(text), mode)
    if text == "demo":
        return Demo()
    if "://" in text:
        scheme = text.partition("://")[0].lower()
        if scheme not in _STREAM_SCHEMES:
            expected = ", ".join(_STREAM_SCHEMES)
            found = guarded(scheme)
            raise SourceError(f"source URL: scheme {found!r} found, expected one of {expected}")
        # Only RTSP hands on when the camera took a picture; over HTTP, FFmpeg makes the times up.
        stamped = scheme in ("rtsp", "rtsps")
        connect = partial(open_capture, text, threads=1)
        return Camera(without_secrets(text), connect, stamped=stamped)
    if text.startswith("/dev/"):
        return _camera(text, mode)
    path = Path(text)
    try:
        if path.is_dir():
            return Pictures.of_folder(path, fps_of_pictures)
        is_file = path.is_file()
    except OSError as error:
        raise SourceError(f"{guarded(text)}: {error.strerror}") from None
    if not is_file:
        raise SourceError(f"{guarded(text)}: no such file or folder; expected {_EXPECTED}")
    if path.suffix.lower() in SUFFIXES:
        return Pictures(path.stem, [path], fps_of_pictures)
    return VideoFile(path)


def _index(digits: str) -> int:
    # OpenCV takes the hundreds of an index for the number of one of its drivers.
    if len(digits) > 2:
        raise SourceError(f"camera {digits[:20]}: expected an index of 0 to 99, or a device path")
    return int(digits)


def _camera(device: int | str, mode: Mode | None) -> Camera:
    return Camera(name_of(device), partial(open_device, device, mode or Mode()))
