"""A window on the main thread, where there is a display for it."""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType

import cv2

from .frame import Image

_TITLE = "maskgate"
_ESCAPE = 27
_PROBE_TIMEOUT_SECONDS = 20.0
_PROBE = "import cv2; cv2.namedWindow('probe'); cv2.waitKey(1); cv2.destroyAllWindows()"

# The wheel's Qt has no fonts of its own and says so at every window; no text here is drawn by it.
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")


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
    """Shows pictures; a context manager. Only where `display_works`, only on the main thread."""

    def __init__(self) -> None:
        self._shown = False

    def show(self, image: Image) -> None:
        """Show a picture, uint8 [H, W, 3] BGR, in a window that can be resized."""
        if not self._shown:
            cv2.namedWindow(
                _TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            )
            height_px, width_px = image.shape[:2]
            scale = min(1.0, 1280 / width_px, 720 / height_px)
            cv2.resizeWindow(_TITLE, round(width_px * scale), round(height_px * scale))
            self._shown = True
        cv2.imshow(_TITLE, image)

    def wants_to_quit(self) -> bool:
        """Whether q or Esc was pressed or the window closed; also keeps the window responsive."""
        if not self._shown:
            return False
        if cv2.waitKey(1) & 0xFF in (ord("q"), _ESCAPE):
            return True
        return not is_open(_TITLE)

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cv2.destroyAllWindows()
