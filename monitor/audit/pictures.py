"""The pictures around an event: a snapshot of its moment, and a clip of the seconds around it."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from ..channel import Channel, Closed
from ..errors import MaskgateError
from ..frame import Image
from ..replacing import replacing
from ..result import Result
from .clip_file import ClipFile
from .event import stamp
from .retention import CLIPS, PICTURES
from .veil import Boxes, Veil, veiled

_log = logging.getLogger("monitor.audit")

JPEG_QUALITY = 90
_CAPACITY = 4
_LONGEST_CLIP_SECONDS = 120.0
_SHUTDOWN_SECONDS = 5.0
_NOWHERE = np.zeros((0, 4), np.float32)


@dataclass(slots=True)
class _Span:
    """What a clip shows, in the source's seconds; an event while it lasts makes it longer.

    It takes more than one file where pictures change their size.
    """

    stem: str
    start: float
    until: float
    complete_files: int = 0

    def file_name(self, number: int) -> str:
        """What its files are called, counted from 1; events name the first."""
        return f"{self.stem}.mkv" if number == 1 else f"{self.stem}.{number}.mkv"


@dataclass(frozen=True, slots=True)
class _Shot:
    """A moment for the thread: a picture, unless there is no new one, and what wants it."""

    time: float
    image: Image | None
    places: Boxes | None
    snapshot: str | None
    span: _Span | None


class Pictures:
    """Keeps the pictures of one door on a thread of its own; a context manager.

    folder: of the audit.
    door: the door's name, which becomes part of the files' names.
    snapshots: whether each event leaves a picture.
    clip_seconds: how long a clip begins before an event and ends after it; 0 for no clips.
    veil: whether faces are made unrecognisable.
    overwrite: give up a picture that waits when a newer one comes (live), instead of waiting until
        there is room (recorded).
    buffer_mb: most megabytes of pictures that wait for an event.
    written: called on that thread after each clip.
    """

    def __init__(
        self,
        folder: Path,
        *,
        door: str,
        snapshots: bool,
        clip_seconds: float,
        veil: bool = True,
        overwrite: bool = True,
        buffer_mb: float = 64.0,
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._door = re.sub(r"\W+", "-", door)
        self._snapshots = snapshots
        self._clip_seconds = clip_seconds
        self._veil = Veil() if veil else None
        self._buffer_bytes = int(buffer_mb * 1e6)
        self._written = written
        self._shots: Channel[_Shot] = Channel(_CAPACITY, overwrite=overwrite)
        self._latest_span: _Span | None = None
        self._before: deque[tuple[float, bytes]] = deque()
        self._before_bytes = 0
        self._clip: tuple[_Span, ClipFile] | None = None
        self._size_px = (0, 0)
        self._said = False
        self._thread = threading.Thread(target=self._work, name=f"pictures {door}", daemon=True)

    @property
    def dropped(self) -> int:
        """How many pictures were given up because this machine is too slow for all."""
        return self._shots.dropped

    def see(self, result: Result, event_at: datetime | None) -> tuple[str | None, str | None]:
        """Take the door's next result; live, it returns at once.

        event_at: when it became an event; None where it did not.

        Returns the file names of the snapshot and the clip that an event gets, if it gets one.
        """
        places = self._veil.places(result) if self._veil else _NOWHERE
        snapshot = clip = None
        if event_at is not None:
            name = f"{re.sub(r'[-:.]', '', stamp(event_at))}-{self._door}"
            snapshot = f"{name}.jpg" if self._snapshots and result.fresh else None
            clip = self._mark(name, result.decision.time) if self._clip_seconds else None
        if snapshot or self._clip_seconds:
            image = result.frame.image if result.fresh else None
            shot = _Shot(result.decision.time, image, places, snapshot, self._latest_span)
            with contextlib.suppress(Closed):
                self._shots.put(shot)
        return snapshot, clip

    def _mark(self, name: str, time: float) -> str:
        """Let a clip go on until long enough after an event; the name of its file."""
        span = self._latest_span
        if span and time <= span.until and time - span.start < _LONGEST_CLIP_SECONDS:
            span.until = time + self._clip_seconds
        else:
            span = _Span(name, time - self._clip_seconds, time + self._clip_seconds)
            self._latest_span = span
        return span.file_name(1)

    def __enter__(self) -> Pictures:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._shots.close()
        self._thread.join(_SHUTDOWN_SECONDS)
        if self._thread.is_alive():
            _log.error("audit: pictures still busy after %g s; some are lost", _SHUTDOWN_SECONDS)

    def _work(self) -> None:
        with contextlib.suppress(Closed):
            while True:
                self._attempt(self._keep, self._shots.get())
        self._end_clip()
        if self.dropped:
            _log.warning("audit: %d pictures dropped: too slow for all", self.dropped)

    def _attempt(self, step: Callable[..., None], *arguments: object) -> None:
        """Do a step; a failure is said once, and costs pictures but nothing else."""
        try:
            step(*arguments)
        except (MaskgateError, OSError, cv2.error) as error:
            self._clip = None
            if not self._said:
                _log.error("audit: %s; pictures are missing from now on", error)
            self._said = True

    def _keep(self, shot: _Shot) -> None:
        jpeg = self._encoded(shot) if shot.image is not None else None
        if self._clip and (shot.time > self._clip[0].until or shot.span is not self._clip[0]):
            self._end_clip()
        if jpeg and shot.snapshot:
            _write(self._folder / PICTURES / shot.snapshot, jpeg)
        if self._clip_seconds:
            self._roll(shot, jpeg)

    def _encoded(self, shot: _Shot) -> bytes:
        assert shot.image is not None
        size_px = (shot.image.shape[1], shot.image.shape[0])
        if size_px != self._size_px:
            self._end_clip()
            self._before.clear()
            self._before_bytes = 0
            self._size_px = size_px
        image = veiled(shot.image, shot.places)
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return encoded.tobytes()

    def _roll(self, shot: _Shot, jpeg: bytes | None) -> None:
        """Put a picture after those before it, and all that a clip wants into its file."""
        if jpeg:
            self._before.append((shot.time, jpeg))
            self._before_bytes += len(jpeg)
        while self._before and (
            self._before[0][0] < shot.time - self._clip_seconds
            or self._before_bytes > self._buffer_bytes
        ):
            self._before_bytes -= len(self._before.popleft()[1])
        if self._clip:
            if jpeg:
                self._clip[1].add(shot.time, jpeg)
        elif self._before and shot.span and shot.time <= shot.span.until:
            name = shot.span.file_name(shot.span.complete_files + 1)
            file = ClipFile(self._folder / CLIPS / name, *self._size_px)
            self._clip = (shot.span, file)
            for time, picture in self._before:
                file.add(time, picture)

    def _end_clip(self) -> None:
        if self._clip:
            clip, self._clip = self._clip, None
            # What becomes of it is no matter of the picture that comes after it.
            self._attempt(self._complete, *clip)

    def _complete(self, span: _Span, file: ClipFile) -> None:
        file.close()
        span.complete_files += 1
        self._written()


def _write(path: Path, jpeg: bytes) -> None:
    """Write a picture whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_bytes(jpeg)
