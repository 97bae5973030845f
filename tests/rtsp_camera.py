"""A camera on the network that can be killed, frozen and started again."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rtsp_server import BITS, BLOCK_PX, BLOCKS_IN_ROW

from monitor.frame import Frame

_PYTHON = Path("/usr/bin/python3")
_SERVER = Path(__file__).with_name("rtsp_server.py")


class RtspCamera:
    """A real RTSP server as a child process, at the same address each time it is started.

    user, password: what it asks for; empty for nothing.
    """

    def __init__(self, user: str = "", password: str = "") -> None:
        self._credentials = [user, password] if user else []
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is seen, without user and password."""
        return f"rtsp://127.0.0.1:{self.port}/door"

    def start(self) -> None:
        """Listen; skips the test where GStreamer's server is not installed."""
        if not _PYTHON.exists():
            pytest.skip(f"{_PYTHON}: not installed")
        command = [str(_PYTHON), str(_SERVER), str(self.port), *self._credentials]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            why = self._process.communicate()[1].strip().splitlines()[-1:]
            pytest.skip(f"GStreamer's RTSP server: {' '.join(why)}")
        self.port = int(line)

    def kill(self) -> None:
        """Break off, as when its power is cut."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Fall silent with every connection open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def rtsp_camera(user: str = "", password: str = "") -> Iterator[RtspCamera]:
    """A camera for as long as the context lasts."""
    camera = RtspCamera(user, password)
    try:
        camera.start()
        yield camera
    finally:
        camera.kill()


def age_seconds(frame: Frame) -> float:
    """How old the picture already was at `Frame.time`, by the clock that is burnt into it."""
    clock = 0
    for bit in range(BITS):
        row, column = divmod(bit, BLOCKS_IN_ROW)
        y, x = (place * BLOCK_PX + BLOCK_PX // 2 for place in (row, column))
        clock |= int(frame.image[y, x].mean() > 128) << bit
    return (round(frame.time * 1000) - clock) % (1 << BITS) / 1000
