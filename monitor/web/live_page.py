"""The live page of a process: what watches its doors, and the server that shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from ..actuators.lease import Change
from ..metrics import DoorCount, Metrics
from ..override import Override
from ..result import Result
from ..summary import Summary
from . import changes
from .live_door import LiveDoor
from .login import Login
from .orders import Orders
from .page import Page
from .picture import encoded
from .server import Server


class LivePage:
    """Shows the doors that are added, for as long as its context lasts.

    Entering it raises MaskgateError where the address cannot be had.

    host, port: where to listen; port 0 for any that is free.
    token: what has to be shown; None where everyone at this machine may look.
    overrides: of the doors, by name, for orders that are given on the page; None where none can be.
    earlier: changes from before, for the beginning of the list.
    encode: makes the JPEG of a result.
    picture_seconds: see `Page`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 8080,
        token: str | None = None,
        overrides: Mapping[str, Override] | None = None,
        earlier: Sequence[changes.Change] = (),
        encode: Callable[[Result], bytes] = encoded,
        picture_seconds: float = 0.1,
    ) -> None:
        self._login = Login(token) if token else None
        self._orders = None if overrides is None else Orders(overrides)
        self._encode = encode
        self._picture_seconds = picture_seconds
        self._changes = changes.RecentChanges(earlier)
        self._metrics = Metrics()
        # Replaced as a whole: the page's thread reads it while doors come and go.
        self._doors: dict[str, LiveDoor] = {}
        self._server = Server(self._page, upkeep=self._changes.take_in, host=host, port=port)

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        return self._server.address

    def add(self, name: str, *, live: bool) -> ShownDoor:
        """Show one more door, or one anew.

        live: whether its frames are of now.
        """
        door = LiveDoor(name, encode=self._encode, note=self._changes.note)
        self._doors = {**self._doors, name: door}
        count = self._metrics.of_door(
            name, live=live, frame_age_seconds=lambda: door.frame_age_seconds
        )
        return ShownDoor(door, count)

    def arrange(self, names: Sequence[str]) -> None:
        """Show the doors in this order, and any others after them."""
        ordered = {name: self._doors[name] for name in names if name in self._doors}
        self._doors = ordered | self._doors

    def follow(self, name: str, summary: Summary) -> None:
        """Take from here how often a door's camera had to be reached again."""
        self._metrics.follow(name, summary)

    def forget_actuators(self, name: str) -> None:
        """Know of none of a door's actuators, until they tell of themselves."""
        self._doors[name].forget_actuators()
        self._metrics.forget_actuators(name)

    def remove(self, name: str) -> None:
        """Show a door no more."""
        self._metrics.forget(name)
        self._doors = {door: live for door, live in self._doors.items() if door != name}

    def __enter__(self) -> LivePage:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def _page(self) -> Page:
        return Page(
            lambda: self._doors,
            self._changes,
            metrics=self._metrics.text,
            login=self._login,
            orders=self._orders,
            picture_seconds=self._picture_seconds,
        )


class ShownDoor:
    """What watches one door, for the page and for its metrics."""

    def __init__(self, live: LiveDoor, count: DoorCount) -> None:
        self._live = live
        self._count = count

    def __call__(self, result: Result) -> None:
        """Take note of the door's next result; returns at once."""
        self._live.see(result)
        self._count.see(result)

    def changed(self, change: Change) -> None:
        """Take note of what became of one of its actuators; returns at once."""
        self._live.see_change(change)
        self._count.see_change(change)
