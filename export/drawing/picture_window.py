"""Picture window: leafing through pictures on the screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType

import cv2

from monitor.errors import UsageError
from monitor.frame import Image
from monitor.view.window import display_works, is_open

TITLE = "maskgate"
PREVIOUS, NEXT, QUIT = -1, 1, 0
_POLL_MS = 50
_LARGEST_PX = (1280, 720)

# keras-retinanet's keys: n and m, or the arrows of X11 and of Windows
STEPS = {
    **dict.fromkeys((ord("n"), 0xFF51, 0x250000), PREVIOUS),
    **dict.fromkeys((ord("m"), ord(" "), 0xFF53, 0x270000), NEXT),
    **dict.fromkeys((ord("q"), 27), QUIT),
}
KEYS = "next picture: m, space or right arrow; previous: n or left arrow; end: q or Esc"


def open_window() -> PictureWindow:
    """A window; raises UsageError where there is no display for it."""
    if not display_works():
        raise UsageError("no display found to open a window on; expected one, or --no-gui")
    return PictureWindow()


class PictureWindow:
    """A window with one picture at a time; a context manager.

    Only where `monitor.view.window.display_works`, only on the main thread.
    """

    def show(self, image: Image) -> None:
        """Show a picture, uint8 [H, W, 3] BGR, shrunk to the screen; the user may resize it."""
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        height_px, width_px = image.shape[:2]
        scale = min(1.0, _LARGEST_PX[0] / width_px, _LARGEST_PX[1] / height_px)
        cv2.resizeWindow(TITLE, max(round(width_px * scale), 1), max(round(height_px * scale), 1))
        cv2.imshow(TITLE, image)

    def step(self) -> int:
        """Wait until the user wants the PREVIOUS picture, the NEXT one, or to QUIT."""
        while True:
            key = cv2.waitKeyEx(_POLL_MS)
            if key in STEPS:
                return STEPS[key]
            if not is_open(TITLE):
                return QUIT

    def leaf_through(self, count: int, draw: Callable[[int], Image]) -> None:
        """Show pictures, one at a time and in a circle, until the user has seen enough.

        count: of pictures, at least one.
        draw: gives the picture of a number, 0 to count - 1.
        """
        print(KEYS, file=sys.stderr)
        number = 0
        while True:
            self.show(draw(number))
            step = self.step()
            if step == QUIT:
                return
            number = (number + step) % count

    def __enter__(self) -> PictureWindow:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cv2.destroyAllWindows()
