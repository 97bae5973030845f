"""A live source: a camera on this machine, or a stream from the network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from ..errors import SourceError
from ..frame import Frame


class Camera:
    """A camera, connected anew each time its frames are asked for.

    name: what messages and events call it.
    connect: opens it; called on the thread that reads it, which also releases it.
    """

    live = True
    fps = None
    frame_count_hint = None
    timeline = None

    def __init__(self, name: str, connect: Callable[[], cv2.VideoCapture]) -> None:
        self.name = name
        self._connect = connect
        self._index = 0

    def frames(self) -> Iterator[Frame]:
        """Connect and yield frames; raises SourceError when there is no camera or no picture."""
        capture = self._connect()
        try:
            if not capture.isOpened():
                raise SourceError(f"{self.name}: cannot be opened, expected a camera that answers")
            while True:
                read, image = capture.read()
                if not read:
                    raise SourceError(f"{self.name}: gives no more pictures")
                yield Frame(np.asarray(image, np.uint8), self._index, time.monotonic())
                self._index += 1
        finally:
            capture.release()

    def close(self) -> None:
        """Nothing to do: `frames` releases the camera when it is left."""


def without_secrets(url: str) -> str:
    """The URL without user, password, query and fragment, whatever the password holds."""
    # Up to the last @, not by a URL parser: a password with an unescaped / or # would slip through.
    bare = re.sub(r"://.*@", "://", url, flags=re.DOTALL)
    return re.split(r"[?#]", bare, maxsplit=1)[0]
