"""A live source: a camera on this machine, or a stream from the network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from ..errors import SourceError
from ..frame import Frame
from .stream_clock import StreamClock

BACKLOG_SECONDS = 2.0
PROMPT_SECONDS = 0.1
UNDATED_SECONDS = 30.0


class Camera:
    """A camera, connected anew each time its frames are asked for.

    name: what messages and events call it.
    connect: opens it; called on the thread that reads it, which also releases it.
    stamped: whether each picture comes with a timestamp of the camera's; a backlog is then noticed.
    """

    live = True
    fps = None
    frame_count_hint = None
    timeline = None

    def __init__(
        self, name: str, connect: Callable[[], cv2.VideoCapture], *, stamped: bool = False
    ) -> None:
        self.name = name
        self._connect = connect
        self._stamped = stamped
        self._index = 0

    def frames(self) -> Iterator[Frame]:
        """Connect and yield frames.

        Raises SourceError when there is no camera or no picture, or pictures come too late, or
        nothing tells when they were taken.
        """
        capture = self._connect()
        clock = StreamClock()
        arrived_at = dated_at = time.monotonic()
        try:
            if not capture.isOpened():
                raise SourceError(f"{self.name}: cannot be opened, expected a camera that answers")
            while True:
                prompt = time.monotonic() - arrived_at < PROMPT_SECONDS
                read, image = capture.read()
                if not read:
                    raise SourceError(f"{self.name}: gives no more pictures")
                taken_at: float | None
                taken_at = arrived_at = time.monotonic()
                if self._stamped:
                    stamp_seconds = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
                    taken_at = clock.taken_at(stamp_seconds, arrived_at)
                if taken_at is None:
                    if arrived_at - dated_at > UNDATED_SECONDS:
                        raise SourceError(
                            f"{self.name}: timestamps found that tell no picture's age for "
                            f"{UNDATED_SECONDS:g} s, expected the pace of this machine's clock"
                        )
                    continue
                # A reader that takes its time, as a bench does, makes its own backlog. Else what
                # is queued on the way is not worth reading: a new connection is faster.
                if prompt and arrived_at - taken_at > BACKLOG_SECONDS:
                    raise SourceError(f"{self.name}: falls behind by {arrived_at - taken_at:.1f} s")
                yield Frame(np.asarray(image, np.uint8), self._index, taken_at)
                self._index += 1
                dated_at = time.monotonic()
        finally:
            capture.release()

    def close(self) -> None:
        """Nothing to do: `frames` releases the camera when it is left."""


def without_secrets(url: str) -> str:
    """The URL without user, password, query and fragment, whatever the password holds.

    Any other text is left as it is.
    """
    if "://" not in url:
        return url
    # Up to the last @, not by a URL parser: a password with an unescaped / or # would slip through.
    bare = re.sub(r"://.*@", "://", url, flags=re.DOTALL)
    return re.split(r"[?#]", bare, maxsplit=1)[0]


def guarded(text: str) -> str:
    """What may be shown of a text that names nothing: it may be a URL with a slash missing."""
    _, at, rest = without_secrets(text).rpartition("@")
    return f"...@{rest}" if at else rest
