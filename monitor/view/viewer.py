"""Viewer: what is seen in the window, and what its keys and its mouse do; needs no display."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from ..errors import MaskgateError
from ..frame import Image
from ..snapshot import save_snapshot
from ..zones import Point
from .overlay import draw_drawing, draw_help, draw_notes
from .pane import Pane
from .tiles import Tiles
from .zone_drawing import Stage, ZoneDrawing

_log = logging.getLogger("monitor.view.window")

KEYS = (
    ("q, Esc", "quit"),
    ("space", "stop the picture; the door goes on"),
    ("s", "save the picture"),
    ("f", "full screen"),
    ("z", "draw a zone to be ignored"),
    ("h, ?", "this help"),
)
_KEYS_OF_DOORS = (("1 to 9", "one door alone"), ("0", "all doors"))
_NOTE_SECONDS = 5.0
_PAUSED = "PAUSED: the picture only; the door goes on being decided"


class Viewer:
    """Answers the keys of `KEYS`, "space", "escape", "enter" and "backspace" by these names.

    panes: gives those of the doors, which may come and go.
    snapshots: folder for saved pictures.
    clock: seconds, for how long a note stands.
    """

    def __init__(
        self,
        panes: Callable[[], Sequence[Pane]],
        *,
        snapshots: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wants_to_quit = False
        self.full_screen = False
        self._panes = panes
        self._chosen: str | None = None
        self._snapshots = snapshots
        self._clock = clock
        self._paused = False
        self._helps = False
        self._drawing: ZoneDrawing | None = None
        self._drawn_on: Pane | None = None
        self._shape: tuple[int, ...] | None = None
        self._note = "h: what the keys do"
        self._note_until = clock() + _NOTE_SECONDS
        self._keys: dict[str, Callable[[], None]] = {
            "q": self._quit,
            "escape": self._back,
            "space": self._pause,
            "s": self._save,
            "f": self._fill_screen,
            "z": self._draw,
            "h": self._help,
            "?": self._help,
        }

    @property
    def _alone(self) -> Pane | None:
        """The one door that is shown; None for all of several."""
        panes = self._panes()
        shown = panes if len(panes) == 1 else [pane for pane in panes if pane.name == self._chosen]
        return shown[0] if shown else None

    def picture(self) -> Image | None:
        """What is to be seen now, uint8 [H, W, 3]; None while there is nothing yet.

        Black while there is nothing any more: what was seen of a door may be over.
        """
        panes, alone = self._panes(), self._alone
        for pane in panes:
            pane.freeze(self._paused)
        image = _tiled(panes) if alone is None else alone.picture()
        if image is None:
            if self._shape is None:
                return None
            image = np.zeros(self._shape, np.uint8)
        self._shape = image.shape
        if self._drawing and alone is not self._drawn_on:
            self._drawing.cancel()
            self._conclude(self._drawing)
        if self._drawing:
            draw_drawing(image, self._drawing)
        draw_notes(image, self._notes())
        if self._helps:
            draw_help(image, KEYS if len(panes) == 1 else (*KEYS, *_KEYS_OF_DOORS))
        return image

    def press(self, key: str) -> None:
        """Do what a key asks for; one that means nothing does nothing."""
        drawing = self._drawing
        if drawing and key in ("enter", "backspace", "escape"):
            step = {"enter": drawing.close, "backspace": drawing.remove_last}
            step.get(key, drawing.cancel)()
            self._conclude(drawing)
        elif key.isdecimal() and not drawing:
            self._choose(int(key))
        elif key in self._keys:
            self._keys[key]()

    def move(self, point: Point) -> None:
        """The mouse is at a point, as fractions of the picture."""
        if self._drawing:
            self._drawing.move(point)

    def click(self, point: Point) -> None:
        """The left button was pressed there."""
        if self._drawing:
            self._drawing.add(point)

    def click_right(self) -> None:
        """The right button was pressed."""
        if self._drawing:
            self.press("enter")

    def _choose(self, number: int) -> None:
        """Show the door of a number from 1 on alone, or all of them for 0."""
        names = [None, *(pane.name for pane in self._panes())]
        if number < len(names):
            self._chosen = names[number]

    def _notes(self) -> list[str]:
        notes = [_PAUSED] if self._paused else []
        if self._drawing:
            notes.append(str(self._drawing))
        if self._note and self._clock() < self._note_until:
            notes.append(self._note)
        return notes

    def _say(self, note: str) -> None:
        self._note, self._note_until = note, self._clock() + _NOTE_SECONDS
        _log.info("%s", note)

    def _quit(self) -> None:
        self.wants_to_quit = True

    def _back(self) -> None:
        """Leave the help, else the full screen, else the program."""
        if self._helps:
            self._helps = False
        elif self.full_screen:
            self.full_screen = False
        else:
            self._quit()

    def _pause(self) -> None:
        self._paused = not self._paused

    def _fill_screen(self) -> None:
        self.full_screen = not self.full_screen

    def _help(self) -> None:
        self._helps = not self._helps

    def _save(self) -> None:
        image = self.picture()
        if image is None:
            return
        alone = self._alone
        name = alone.name if alone else "doors"
        try:
            path = save_snapshot(image, self._snapshots, name, datetime.now())
        except MaskgateError as error:
            self._say(str(error))
        else:
            self._say(f"picture saved: {path}")

    def _draw(self) -> None:
        alone = self._alone
        if alone is None:
            self._say("which door? press its number first, then z")
        elif alone.keep_zone is None:
            self._say("no zones_file in the configuration of this door: nowhere to keep a zone")
        elif self._drawing is None:
            self._helps = False
            self._drawing, self._drawn_on = ZoneDrawing(), alone

    def _conclude(self, drawing: ZoneDrawing) -> None:
        """Keep the polygon once it is closed; a closed or cancelled drawing is over."""
        if drawing.stage is Stage.OPEN:
            return
        pane, self._drawing, self._drawn_on = self._drawn_on, None, None
        if pane is not self._alone:
            # Another door's camera, or this one's by another configuration, sees something else.
            self._say("no zone saved: the door that it was drawn on has changed")
            return
        keep_zone = pane.keep_zone if pane else None
        if drawing.stage is Stage.CANCELLED or keep_zone is None:
            return
        try:
            keep_zone(drawing.points)
        except MaskgateError as error:
            self._say(str(error))
        else:
            self._say("zone saved: faces in it are ignored from now on")


def _tiled(panes: Sequence[Pane]) -> Image | None:
    if not panes:
        return None
    tiles = Tiles([pane.name for pane in panes])
    whole = None
    for pane in panes:
        image = pane.picture()
        if image is not None:
            whole = tiles.put(pane.name, image)
    return whole
