"""Viewers of the live page, in a process of their own: they share nothing with what they watch."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from urllib.parse import quote, urlsplit

from ..errors import MaskgateError

_WAIT_SECONDS = 30.0
_CHUNK_BYTES = 65_536
# Comes after each picture, and once before the first one.
_BOUNDARY = b"--frame\r\n"
_WATCHING = "watching"


class Viewers:
    """Look at the video of one door while the context lasts; each has seen a picture on entering.

    address: of the live page, which asks for no token.
    door: the door's name.
    count: viewers.

    `pictures_per_second` is what each has got meanwhile, on average, once the context is left.

    Entering and leaving raise MaskgateError where the video cannot be watched.
    """

    def __init__(self, address: str, door: str, count: int) -> None:
        self._video = f"{address}video?door={quote(door, safe='')}"
        self._count = count
        self.pictures_per_second = 0.0

    def __enter__(self) -> Viewers:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "monitor.bench.viewers", self._video, str(self._count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # An interrupt is for the bench, which then ends them.
            start_new_session=True,
        )
        assert self._process.stdout
        if self._process.stdout.readline().strip() != _WATCHING:
            self._process.communicate()
            raise MaskgateError(f"{self._video}: the video cannot be watched")
        self._started_at = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.monotonic() - self._started_at
        said, _ = self._process.communicate()
        if kind is None:
            if self._process.returncode:
                raise MaskgateError(f"{self._video}: a viewer has lost the video")
            self.pictures_per_second = int(said) / self._count / seconds


class _Viewer:
    """One viewer, on a thread of its own; `pictures` counts what has been seen."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._path = parts.netloc, f"{parts.path}?{parts.query}"
        self.pictures = 0
        # Also set when it has failed, so that nobody waits for a picture that never comes.
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        try:
            connection = http.client.HTTPConnection(self._host, timeout=_WAIT_SECONDS)
            connection.request("GET", self._path)
            answer = connection.getresponse()
            if answer.status == http.client.OK:
                self._count(answer)
        except (OSError, http.client.HTTPException):
            return
        finally:
            self.begun.set()

    def _count(self, answer: http.client.HTTPResponse) -> None:
        boundaries, rest = 0, b""
        while chunk := answer.read1(_CHUNK_BYTES):
            text = rest + chunk
            boundaries += text.count(_BOUNDARY)
            rest = text[-len(_BOUNDARY) + 1 :]
            self.pictures = max(boundaries - 1, 0)
            if self.pictures:
                self.begun.set()


def _main(arguments: Sequence[str]) -> int:
    """Watch until standard input ends, then print how many pictures were seen; 1 if not all were.

    arguments: the address of a video, and how many viewers.
    """
    viewers = [_Viewer(arguments[0]) for _ in range(int(arguments[1]))]
    for viewer in viewers:
        viewer.thread.start()
    for viewer in viewers:
        viewer.begun.wait(_WAIT_SECONDS)
    if not all(viewer.pictures for viewer in viewers):
        return 1
    before = sum(viewer.pictures for viewer in viewers)
    print(_WATCHING, flush=True)
    sys.stdin.read()
    print(sum(viewer.pictures for viewer in viewers) - before)
    return 0 if all(viewer.thread.is_alive() for viewer in viewers) else 1


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
