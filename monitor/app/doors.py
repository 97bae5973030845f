"""The doors of a run, and how they follow a configuration that is read again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Protocol

from ..actuators.lease import Change
from ..actuators.worker import Worker
from ..config import Config
from ..detector import Detector
from ..door_section import DoorSection
from ..doorkeeper import Doorkeeper, Result
from ..errors import ConfigError, MaskgateError
from ..line import Line
from ..parts import (
    make_doorkeeper,
    make_line,
    make_locks,
    make_pane,
    make_policy,
    make_source,
    make_zones,
)
from ..pipeline import Pipeline
from ..policy import Order
from ..sources import Source
from ..view.pane import Pane
from .choice import chosen
from .difference import Difference

_log = logging.getLogger("monitor.config")


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


class Doors:
    """One pipeline with a line for each door, as the configuration says; a context manager.

    config: all of it.
    detector: for every door.
    door: name of the only one to watch; None for all.
    source: what to watch in place of the configured source of the one door.
    actuate: let a recorded source drive every actuator.
    watching: what makes the watchers of each door.
    orders: gives what overrules a door, by its name, see `Doorkeeper`.
    made: told of each line that is made.
    follows: told of each newer configuration and of what it changes, just before it does.

    Raises UsageError for a door that is not there, SourceError for a source.
    """

    def __init__(
        self,
        config: Config,
        detector: Detector,
        *,
        door: str | None = None,
        source: str | None = None,
        actuate: bool = False,
        watching: Sequence[Watch] = (),
        orders: Callable[[str], Sequence[Callable[[], Order | None]]] = lambda name: (),
        made: Callable[[Line], None] = lambda line: None,
        follows: Callable[[Config, str], None] = lambda config, what: None,
    ) -> None:
        self._config = config
        self._detector = detector
        self._door, self._source = door, source
        self._actuate = actuate
        self._watching = watching
        self._orders = orders
        self._made = made
        self._follows = follows
        self._watchers: dict[str, list[Watcher]] = {}
        self._stacks: dict[str, ExitStack] = {}
        self._sections = self._chosen(config)
        self._panes: dict[str, Pane] = {}
        with ExitStack() as begun:
            begun.callback(self._leave_all)
            doors = self._sections.values()
            lines = [self._line(section, make_source(section)) for section in doors]
            begun.pop_all()
        self.pipeline = Pipeline(lines)

    @property
    def panes(self) -> Sequence[Pane]:
        """What the window shows of each door, in the order of the configuration."""
        return [self._panes[name] for name in self._sections]

    def show(self, line: Line, result: Result) -> None:
        """Let the door's pane show a newer result."""
        pane = self._panes.get(line.name)
        if pane is not None:
            pane.see(result, line.summary.recent_frames_per_second)

    def __enter__(self) -> Doors:
        self.pipeline.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stack = ExitStack()
        for line in self.pipeline.lines:
            stack.callback(_sum_up, line)
            stack.push(self._stacks[line.name])
        stack.push(self.pipeline)
        stack.__exit__(kind, error, trace)

    def follow(self, newer: Callable[[], Config | None]) -> None:
        """Change what a newer configuration changes; keep what there is when it cannot be used.

        Zones, policy and actuators of a door are exchanged between two of its frames, and it
        starts locked; any other change restarts that door alone. Doors come and go. What is not
        about doors needs a restart of the program: a change there is refused together with all
        others. One line in the log says what was changed, or why nothing was.

        newer: gives the configuration, None when there is none; may raise ConfigError.
        """
        try:
            config = newer()
            if config is None:
                return
            said = self._change(config)
        except MaskgateError as error:
            _log.error("configuration refused: %s", error)
        else:
            _log.info("configuration read again: %s", said or "nothing new")

    def _change(self, config: Config) -> str:
        fixed = [name for name in Config.model_fields if name != "doors"]
        other = [name for name in fixed if getattr(config, name) != getattr(self._config, name)]
        if other:
            raise ConfigError(f"{', '.join(other)}: a change found, expected one of doors alone")
        after = self._chosen(config)
        difference = Difference.between(self._sections, after)
        # Whatever can be wrong is found before the first door is touched, but for its actuators:
        # those may exist only once.
        for door in after.values():
            make_policy(door, self._detector)
            make_zones(door)
        sources = {name: make_source(after[name]) for name in difference.begun}
        said = str(difference)
        if said:
            self._follows(config, said)
        for name in difference.removed:
            self._remove(name)
        for name, door in after.items():
            if name in sources:
                self._restart(door, sources[name])
            elif name in difference.exchanged:
                self._exchange(door)
            self._sections[name] = door
        self._config = config
        return said

    def _chosen(self, config: Config) -> dict[str, DoorSection]:
        return {door.name: door for door in chosen(config, self._door, self._source)}

    def _line(self, door: DoorSection, source: Source) -> Line:
        # Only a clip that plays alone may let the others wait: there are none.
        overwrite = source.live or len(self._sections) > 1
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
            self._panes[door.name] = make_pane(door, line)
            self._watchers[door.name] = watchers
            self._stacks[door.name] = stack.pop_all()
        return line

    def _leave_all(self) -> None:
        for stack in self._stacks.values():
            stack.close()

    def _remove(self, name: str) -> None:
        _sum_up(self.pipeline.remove(name))
        self._stacks.pop(name).close()
        del self._sections[name], self._panes[name]

    def _restart(self, door: DoorSection, source: Source) -> None:
        before = self._sections.get(door.name)
        if before is not None:
            self._remove(door.name)
        try:
            self.pipeline.add(self._line(door, source))
        except MaskgateError:
            if before is not None:
                self.pipeline.add(self._line(before, make_source(before)))
                self._sections[door.name] = before
            raise

    def _exchange(self, door: DoorSection) -> None:
        try:
            self.pipeline.replace(door.name, partial(self._keeping, door))
        except MaskgateError:
            self.pipeline.replace(door.name, partial(self._keeping, self._sections[door.name]))
            raise

    def _keeping(self, door: DoorSection, line: Line) -> tuple[Doorkeeper, Sequence[Worker]]:
        source, watchers = line.capture.source, self._watchers[door.name]
        locks = make_locks(
            door,
            source,
            actuate=self._actuate,
            overwrite=line.overwrite,
            lock_watchers=[watcher.changed for watcher in watchers],
        )
        keeper = make_doorkeeper(
            door,
            source,
            self._detector,
            locks,
            orders=self._orders(door.name),
            watchers=watchers,
        )
        self._panes[door.name] = make_pane(door, line)
        return keeper, locks


def _sum_up(line: Line) -> None:
    print(f"{line.name}: {line.summary}")
