"""A window on the main thread, where there is a display for it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from types import TracebackType

import cv2

from ..frame import Image
from .viewer import Viewer

_TITLE = "maskgate"
# As Qt and, for the keypad, X11 have them.
_NAMES = {8: "backspace", 10: "enter", 13: "enter", 0xFF8D: "enter", 27: "escape", 32: "space"}
# Between two pictures: drawing more of them than can be seen would only slow the decisions.
_SHORTEST_SECONDS = 1 / 30
_PROBE_TIMEOUT_SECONDS = 20.0
_PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"

# The wheel's Qt has no fonts of its own and says so at every window; no text here is drawn by it.
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")

# Nor does the wheel's libX11-xcb fit a newer libX11, which then takes events that are for Qt: a
# window whose first ones went that way stayed black. The machine's own, loaded before, replaces it.
with contextlib.suppress(OSError):
    ctypes.CDLL("libX11-xcb.so.1", ctypes.RTLD_GLOBAL)


def display_works() -> bool:
    """Whether a window can be opened.

    Tried in a child process: on a display that cannot be reached the GUI library aborts the whole
    process, and nothing in Python can catch that.
    """
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0


def is_open(title: str) -> bool:
    """Whether the window of that title is there, and not closed by the user."""
    try:
        return cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:
        # the wheel's Qt ends with its last window
        return False


class Window:
    """Shows what a viewer gives; a context manager.

    Only where `display_works`, only on the main thread.

    viewer: what is shown, and what is told of keys and mouse.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._size_px: tuple[int, int] | None = None
        self._fitted_px = (0, 0)
        self._full_screen = False
        self._due_at = 0.0

    def update(self) -> bool:
        """Show what is to be seen now, and do what the user asked for; False to end.

        To be called often: it also keeps the window responsive.
        """
        now = time.monotonic()
        if now >= self._due_at:
            self._due_at = now + _SHORTEST_SECONDS
            self._show(self._viewer.picture())
        if self._size_px is None:
            return True
        if self._full_screen != self._viewer.full_screen:
            self._full_screen = self._viewer.full_screen
            size = cv2.WINDOW_FULLSCREEN if self._full_screen else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(_TITLE, cv2.WND_PROP_FULLSCREEN, size)
        self._viewer.press(_named(cv2.waitKeyEx(1)))
        return is_open(_TITLE) and not self._viewer.wants_to_quit

    def _show(self, image: Image | None) -> None:
        if image is None:
            return
        if self._size_px is None:
            flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(_TITLE, flags)
            cv2.setMouseCallback(_TITLE, self._mouse)
        self._size_px = image.shape[1], image.shape[0]
        self._fit(*self._size_px)
        cv2.imshow(_TITLE, image)

    def _fit(self, width_px: int, height_px: int) -> None:
        """Give the window the size of the first picture, and of each larger or of another shape."""
        # what stands for a camera that is still being opened is small
        larger = width_px > self._fitted_px[0] or height_px > self._fitted_px[1]
        # Qt keeps the ratio of the picture that it had when the window took its size.
        if larger or abs(width_px * self._fitted_px[1] - height_px * self._fitted_px[0]) > width_px:
            self._fitted_px = width_px, height_px
            scale = min(1.0, 1280 / width_px, 720 / height_px)
            cv2.resizeWindow(_TITLE, round(width_px * scale), round(height_px * scale))

    def _mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        """What OpenCV calls, with a place in pixels of the picture."""
        assert self._size_px is not None
        width_px, height_px = self._size_px
        point = (x / max(width_px - 1, 1), y / max(height_px - 1, 1))
        if event == cv2.EVENT_MOUSEMOVE:
            self._viewer.move(point)
        elif event == cv2.EVENT_LBUTTONDOWN:
            self._viewer.click(point)
        elif event == cv2.EVENT_RBUTTONDOWN:
            self._viewer.click_right()

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cv2.destroyAllWindows()


def _named(code: int) -> str:
    """The name of a key for the viewer; empty for none and for those that have no name."""
    if code in _NAMES:
        return _NAMES[code]
    return chr(code).lower() if code in range(ord(" "), 127) else ""
