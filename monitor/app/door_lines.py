"""What the doors of a run are made of: of each its line, what watches it, and its pane."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

from ..actuators.lease import Change
from ..actuators.worker import Worker
from ..decision import Order
from ..detector import Detector
from ..door_section import DoorSection
from ..doorkeeper import Doorkeeper
from ..line import Line
from ..parts import make_keeping, make_line, make_pane
from ..result import Result
from ..sources import Source
from ..view.pane import Pane


class Watcher(Protocol):
    """What is told of all that happens at a door; must return at once and never raise."""

    def __call__(self, result: Result) -> None:
        """Hear of a result."""
        ...

    def changed(self, change: Change) -> None:
        """Hear of what has become of an actuator."""
        ...


# Makes what watches a door, on a stack that is left when the door goes; gets its section, its
# source, and whether what nobody took in time is dropped.
Watch = Callable[[ExitStack, DoorSection, Source, bool], Watcher]


class DoorLines:
    """Makes the line of each door, with its watchers and its pane, and lets go of them.

    detector, actuate, watching, orders, made: as for `Doors`.

    `panes` are what the window shows of each door, by its name.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        actuate: bool,
        watching: Sequence[Watch],
        orders: Callable[[str], Sequence[Callable[[], Order | None]]],
        made: Callable[[Line], None],
    ) -> None:
        self._detector = detector
        self._actuate = actuate
        self._watching = watching
        self._orders = orders
        self._made = made
        self._watchers: dict[str, list[Watcher]] = {}
        self._stacks: dict[str, ExitStack] = {}
        self.panes: dict[str, Pane] = {}

    def make(self, door: DoorSection, source: Source, *, alone: bool) -> Line:
        """The line of a door that is watched from now on; raises ConfigError.

        alone: whether it is the only door.
        """
        # Only a clip that plays alone may let the others wait: there are none.
        overwrite = source.live or not alone
        with ExitStack() as stack:
            watchers = [watch(stack, door, source, overwrite) for watch in self._watching]
            line = make_line(
                door,
                source,
                self._detector,
                actuate=self._actuate,
                overwrite=overwrite,
                paced=True,
                orders=self._orders(door.name),
                watchers=watchers,
                lock_watchers=[watcher.changed for watcher in watchers],
            )
            self._made(line)
            self.panes[door.name] = make_pane(door, line)
            self._watchers[door.name] = watchers
            self._stacks[door.name] = stack.pop_all()
        return line

    def make_keeping(self, door: DoorSection, line: Line) -> tuple[Doorkeeper, Sequence[Worker]]:
        """Another keeper with its locks for a line, while all else of it stays."""
        self._made(line)
        watchers = self._watchers[door.name]
        keeper, locks = make_keeping(
            door,
            line.capture.source,
            self._detector,
            actuate=self._actuate,
            overwrite=line.overwrite,
            orders=self._orders(door.name),
            watchers=watchers,
            lock_watchers=[watcher.changed for watcher in watchers],
        )
        self.panes[door.name] = make_pane(door, line)
        return keeper, locks

    def leaving(self, line: Line) -> ExitStack:
        """What is to be left once a door has ended: its watchers, and then it is summed up."""
        del self.panes[line.name], self._watchers[line.name]
        stack = ExitStack()
        stack.callback(_sum_up, line)
        stack.push(self._stacks.pop(line.name))
        return stack

    def leave_all(self) -> None:
        """Leave the watchers of doors that never began."""
        for stack in self._stacks.values():
            stack.close()


def _sum_up(line: Line) -> None:
    # Whoever read this may have gone, and other doors must not go with it.
    with contextlib.suppress(OSError):
        print(f"{line.name}: {line.summary}")
