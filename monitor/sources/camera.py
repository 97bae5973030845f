"""Live sources: a camera on this machine, or a stream from the network."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import numpy as np

from ..errors import SourceError
from ..frame import Frame
from .capture import open_capture


class Camera:
    """A camera on this machine.

    device: its index, or its path under /dev.
    """

    live = True
    fps = None
    frame_count_hint = None
    timeline = None

    def __init__(self, device: int | str) -> None:
        self.name = f"camera {device}" if isinstance(device, int) else device
        self._device = device
        self._index = 0

    def frames(self) -> Iterator[Frame]:
        """Connect and yield frames; raises SourceError when there is no camera or no picture."""
        capture = open_capture(self._device)
        try:
            if not capture.isOpened():
                raise SourceError(f"{self.name}: cannot be opened, expected a camera")
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


class Stream(Camera):
    """A camera on the network.

    url: rtsp, rtsps, http or https. Its user, password and query never appear in a message.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.name = without_secrets(url)


def without_secrets(url: str) -> str:
    """The URL without user, password, query and fragment, whatever the password holds."""
    # Up to the last @, not by a URL parser: a password with an unescaped / or # would slip through.
    bare = re.sub(r"://.*@", "://", url, flags=re.DOTALL)
    return re.split(r"[?#]", bare, maxsplit=1)[0]
