"""A virtual display, with a user who presses keys and closes windows there."""

from __future__ import annotations

import ctypes
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO

import pytest

DEADLINE_SECONDS = 60.0
_CLIENT_MESSAGE = 33


class Display:
    """A display of Xvfb.

    environment: of the programs that are to open their windows on it.
    """

    def __init__(self, name: str) -> None:
        self.environment = {**os.environ, "DISPLAY": name}
        self.environment.pop("WAYLAND_DISPLAY", None)
        self._name = name

    def window(self, title: str) -> int:
        """The window of that title, as soon as it can be seen."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                found = self._xdotool("search", "--sync", "--onlyvisible", "--name", title)
                return int(found.split()[-1])
            except subprocess.CalledProcessError:
                # another window went away while it was looked at
                if time.monotonic() > deadline:
                    raise

    def size_px(self, window: int) -> tuple[int, int]:
        """Width and height of a window, pixels."""
        lines = self._xdotool("getwindowgeometry", "--shell", str(window)).splitlines()
        values = dict(line.split("=") for line in lines)
        return int(values["WIDTH"]), int(values["HEIGHT"])

    def wait_for_size(self, window: int, size_px: tuple[int, int]) -> None:
        """Wait until a window has a width and height, pixels."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.size_px(window) != size_px:
            assert time.monotonic() < deadline, f"{self.size_px(window)} px found"

    def press(self, window: int, key: str) -> None:
        """Press a key while the window has the focus."""
        self._xdotool("windowfocus", "--sync", str(window), "key", key)

    def point(self, window: int, x: int, y: int) -> None:
        """Move the mouse to a place in a window, pixels."""
        self._xdotool("mousemove", "--sync", "--window", str(window), str(x), str(y))

    def click(self, window: int, x: int, y: int, button: int = 1) -> None:
        """Press and release a button of the mouse there: 1 is left, 3 is right."""
        self.point(window, x, y)
        self._xdotool("click", str(button))

    def close(self, window: int) -> None:
        """Ask a window to close, as the button in its frame does; xdotool would destroy it."""
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(self._name.encode()))
        message = _ClientMessage(type=_CLIENT_MESSAGE, window=window, format=32)
        message.kind = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
        message.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
        x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
        x11.XCloseDisplay(display)

    def _xdotool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=DEADLINE_SECONDS,
        )
        return done.stdout


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent, with room for the largest XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("kind", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("room", ctypes.c_long * 24),
    )


class Script:
    """A Python script on a display, whose lines can be waited for; a context manager."""

    def __init__(self, display: Display, text: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", text],
            env=display.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def line(self) -> str:
        """The next line that it prints."""
        return self._lines.get(timeout=DEADLINE_SECONDS)

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it wrote to stderr, when it has ended."""
        assert self._process.stderr is not None
        code = self._process.wait(timeout=DEADLINE_SECONDS)
        return code, self._process.stderr.read()

    def __enter__(self) -> Script:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _read(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._lines.put(line.rstrip("\n"))


@contextmanager
def virtual_display() -> Iterator[Display]:
    """A display for as long as the context lasts; skips the test where there can be none."""
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)}: not installed")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        try:
            # written when it is ready
            yield Display(f":{int(server.stdout.readline())}")
        finally:
            server.terminate()
