"""Sources: where frames come from, each behind the same three methods."""

from __future__ import annotations

from pathlib import Path

from ..errors import SourceError
from .camera import Camera, Stream
from .demo import Demo
from .pictures import SUFFIXES, Pictures
from .source import Source
from .video import VideoFile

__all__ = ["Source", "open_source"]

_STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")


def open_source(spec: int | str, *, fps_of_pictures: float = 1.0) -> Source:
    """The source that `spec` names.

    spec: a camera index (an int, or a text of digits), a device path under /dev, a URL (rtsp,
        rtsps, http, https), a video file, a folder of pictures, a single picture, or "demo".
    fps_of_pictures: pictures per second at which a folder plays, above 0.

    Files and folders are opened at once; a camera or stream when its frames are asked for, so that
    the thread that reads it is the one that opens, reopens and releases it.

    Raises SourceError when there is nothing of that name, or it cannot be opened.
    """
    text = str(spec)
    if text.isdecimal():
        return Camera(int(text))
    if text == "demo":
        return Demo()
    if "://" in text:
        scheme = text.partition("://")[0].lower()
        if scheme not in _STREAM_SCHEMES:
            expected = ", ".join(_STREAM_SCHEMES)
            raise SourceError(f"source URL: scheme {scheme!r} found, expected one of {expected}")
        return Stream(text)
    if text.startswith("/dev/"):
        return Camera(text)
    path = Path(text)
    if path.is_dir():
        return Pictures.of_folder(path, fps_of_pictures)
    if not path.is_file():
        raise SourceError(
            f"{text}: no such file or folder; expected a camera index, a URL, a video file, "
            "a folder of pictures, or demo"
        )
    if path.suffix.lower() in SUFFIXES:
        return Pictures(path.stem, [path], fps_of_pictures)
    return VideoFile(path)
