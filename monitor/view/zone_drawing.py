"""Zone drawing: how a user clicks a polygon together; knows neither window nor file."""

from __future__ import annotations

from enum import StrEnum

from ..zones import Point

FEWEST_POINTS = 3


class Stage(StrEnum):
    """How far a drawing has come."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ZoneDrawing:
    """A polygon in the making; once it is closed or cancelled, nothing changes it any more.

    All points are fractions (x, y), 0 to 1, of the frame as it is judged.
    """

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.cursor: Point | None = None
        self.stage = Stage.OPEN

    @property
    def can_close(self) -> bool:
        """Whether the points enclose something."""
        return len(set(self.points)) >= FEWEST_POINTS

    def move(self, point: Point) -> None:
        """The mouse is here; what lies outside the frame is taken for the nearest place in it."""
        self.cursor = _inside(point)

    def add(self, point: Point) -> None:
        """Add a point, unless it is the latest one again, as in a double click."""
        self.move(point)
        if self.stage is Stage.OPEN and self.cursor and self.points[-1:] != [self.cursor]:
            self.points.append(self.cursor)

    def remove_last(self) -> None:
        """Take back the latest point, if there is one."""
        if self.stage is Stage.OPEN:
            del self.points[-1:]

    def close(self) -> None:
        """Finish the polygon, if it can be closed."""
        if self.stage is Stage.OPEN and self.can_close:
            self.stage = Stage.CLOSED

    def cancel(self) -> None:
        """Give it up."""
        if self.stage is Stage.OPEN:
            self.stage = Stage.CANCELLED

    def __str__(self) -> str:
        count = len(self.points)
        if self.can_close:
            return f"ignore zone, {count} points: Enter or right click closes it, Esc cancels"
        if count:
            return f"ignore zone, {count} of {FEWEST_POINTS} points: Backspace removes the last"
        return "ignore zone: click its corners, Esc cancels"


def _inside(point: Point) -> Point:
    x, y = point
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
