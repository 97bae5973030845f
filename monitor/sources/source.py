"""What every source offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..frame import Frame
from ..timeline import Span

# Where nothing says how fast a recording is, such as a bare H.264 stream; FFmpeg assumes the same.
FPS_OF_LAST_RESORT = 25.0


def printable(name: str) -> str:
    """A file's name as it can be written anywhere: what of it is not UTF-8, in escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


class Source(Protocol):
    """A camera, clip, folder or drawn scene that yields frames in order."""

    @property
    def name(self) -> str:
        """What messages, events and expected timelines call it.

        A file's stem, a folder's name, "demo", "camera 0", or a URL without user, password and
        query.
        """
        ...

    @property
    def live(self) -> bool:
        """Whether the pictures are of now: the newest counts, and time is the monotonic clock."""
        ...

    @property
    def fps(self) -> float | None:
        """Frames per second, where the source knows."""
        ...

    @property
    def frame_count_hint(self) -> int | None:
        """Roughly how many frames will come, for a progress bar: containers lie about it."""
        ...

    @property
    def timeline(self) -> tuple[Span, ...] | None:
        """What a door must do while this source plays, where the source itself knows."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; ends where the source ends.

        A recorded source is read once. A live one may be asked again after it failed, and connects
        anew. Raises SourceError when a picture cannot be had.
        """
        ...

    def close(self) -> None:
        """Release what is open; only from the thread that takes the frames, may be called again."""
        ...
