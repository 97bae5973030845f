"""The doors of a run, and how they follow a configuration that is read again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType

from ..channel import Closed
from ..config import Config
from ..decision import Order
from ..detector import Detector
from ..door_section import DoorSection
from ..errors import ConfigError, MaskgateError
from ..line import Line
from ..parts import make_policy, make_source, make_zones
from ..pipeline import Pipeline
from ..result import Result
from ..sources import Source
from ..view.pane import Pane
from .choice import chosen
from .difference import Difference
from .door_lines import DoorLines, Watch

_log = logging.getLogger("monitor.config")


class Doors:
    """One pipeline with a line for each door, as the configuration says; a context manager.

    config: all of it.
    detector: for every door.
    door: name of the only one to watch; None for all.
    source: what to watch in place of the configured source of the one door.
    actuate: let a recorded source drive every actuator.
    watching: what makes the watchers of each door.
    orders: gives what overrules a door, by its name, see `Doorkeeper`.
    made: told of each line that is made, or that gets other locks, before these start.
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
        self._follows = follows
        self._sections = self._chosen(config)
        self._lines = DoorLines(
            detector, actuate=actuate, watching=watching, orders=orders, made=made
        )
        with ExitStack() as begun:
            begun.callback(self._lines.leave_all)
            doors = self._sections.values()
            alone = len(doors) == 1
            lines = [self._lines.make(door, make_source(door), alone=alone) for door in doors]
            begun.pop_all()
        self.pipeline = Pipeline(lines)

    @property
    def names(self) -> Sequence[str]:
        """Of the doors, in the order of the configuration."""
        return list(self._sections)

    @property
    def panes(self) -> Sequence[Pane]:
        """What the window shows of each door, in the order of the configuration."""
        return [self._lines.panes[name] for name in self.names]

    def show(self, line: Line, result: Result) -> None:
        """Let the door's pane show a newer result."""
        pane = self._lines.panes.get(line.name)
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
            stack.push(self._lines.leaving(line))
        stack.push(self.pipeline)
        stack.__exit__(kind, error, trace)

    def follow(self, newer: Callable[[], Config | None]) -> bool:
        """Change what a newer configuration changes; keep what there is when it cannot be used.

        Zones, policy and actuators of a door are exchanged between two of its frames, and it
        starts locked; any other change restarts that door alone. Doors come and go. What is not
        about doors needs a restart of the program: a change there is refused together with all
        others. A door that cannot be changed after all, such as for an actuator that is not to be
        had, goes on as before; where that fails, too, it is locked and ends, until a configuration
        that is read later begins it again. One line in the log says what became of each door.

        newer: gives the configuration, None when there is none; may raise ConfigError.

        Returns whether other doors than before may be watched now.
        """
        try:
            config = newer()
            if config is None:
                return False
            self._change(config)
        except MaskgateError as error:
            _log.error("configuration refused: %s", error)
        except Closed:
            # The run is over; the pipeline knows why.
            return False
        return True

    def _change(self, config: Config) -> None:
        after = self._chosen(config)
        waiting = [line.name for line in self.pipeline.lines if not line.overwrite]
        redrawn = self._redrawn(after)
        difference = Difference.between(self._sections, after, waiting=waiting, redrawn=redrawn)
        sources = self._checked(config, after, difference)
        said = difference.said
        if said:
            self._follows(config, _listed(said))
        failed = self._settle(after, difference, sources) if said else {}
        self._config = self._in_force(config, failed)
        if failed:
            said |= failed
            self._follows(self._config, _listed(said))
            _log.error("configuration read again, with failures: %s", _listed(said))
        else:
            _log.info("configuration read again: %s", _listed(said) or "nothing new")

    def _checked(
        self, config: Config, after: Mapping[str, DoorSection], difference: Difference
    ) -> dict[str, Source]:
        """The sources of the doors that begin; raises what can be known to be wrong by now."""
        if "doors" in self._config.model_fields_set - config.model_fields_set:
            # Of a file that is half written, the default would be put in the place of real doors.
            raise ConfigError("doors: nothing found, expected a list of them as before")
        fixed = [name for name in Config.model_fields if name != "doors"]
        other = [name for name in fixed if getattr(config, name) != getattr(self._config, name)]
        if other:
            raise ConfigError(f"{', '.join(other)}: a change found, expected one of doors alone")
        for door in after.values():
            make_policy(door, self._detector)
        return {name: make_source(after[name]) for name in difference.begun}

    def _redrawn(self, after: Mapping[str, DoorSection]) -> list[str]:
        """Names of the doors whose zones are no longer those in force; raises ConfigError."""
        zones = {name: make_zones(door) for name, door in after.items()}
        in_force = {line.name: line.doorkeeper.zones for line in self.pipeline.lines}
        return [
            name for name in zones if name in in_force and not zones[name].same_as(in_force[name])
        ]

    def _settle(
        self,
        after: Mapping[str, DoorSection],
        difference: Difference,
        sources: dict[str, Source],
    ) -> dict[str, str]:
        """Have each door as it is to be; by name, in words, what became of those that failed."""
        before = dict(self._sections)

        def begin(door: DoorSection) -> None:
            source = sources.pop(door.name, None) or make_source(door)
            self.pipeline.add(self._lines.make(door, source, alone=len(after) == 1))

        def exchange(door: DoorSection) -> None:
            self.pipeline.replace(door.name, partial(self._lines.make_keeping, door))

        ways = {
            **dict.fromkeys(difference.begun, begin),
            **dict.fromkeys(difference.exchanged, exchange),
        }
        failed = {}
        with self.pipeline.changing(difference.ended, exchanged=difference.exchanged) as ended:
            for line in ended:
                self._end(line)
            for name, door in after.items():
                way = ways.get(name)
                problem = self._go_on(way, door, before.get(name)) if way else None
                if problem is not None:
                    failed[name] = problem
            for line in self.pipeline.lines:
                if line.name not in self._sections:
                    self._end(self.pipeline.remove(line.name))
        self._sections = {name: self._sections[name] for name in after if name in self._sections}
        left_open = {name for name, _ in self.pipeline.left_open}
        for name in left_open.intersection(difference.removed):
            failed[name] = "removed, but could not be locked"
        return failed

    def _go_on(
        self, way: Callable[[DoorSection], None], door: DoorSection, before: DoorSection | None
    ) -> str | None:
        """Let a door go on as it is to be, or else as before; in words, what failed."""
        self._sections.pop(door.name, None)
        problems: list[str] = []
        for section in filter(None, (door, before)):
            try:
                way(section)
            except MaskgateError as error:
                problems.append(str(error))
            else:
                self._sections[door.name] = section
                return f"as before: {problems[0]}" if problems else None
        return f"told to lock, and out of action: {'; and as before: '.join(problems)}"

    def _end(self, line: Line) -> None:
        self._lines.leaving(line).close()
        self._sections.pop(line.name, None)

    def _in_force(self, config: Config, failed: Collection[str]) -> Config:
        """A configuration as far as it could be followed."""
        if not failed:
            return config
        before = {door.name: door for door in self._config.doors}
        doors = [
            before[door.name] if door.name in failed else door
            for door in config.doors
            if door.name not in failed or door.name in self._sections
        ]
        return config.model_copy(update={"doors": tuple(doors)})

    def _chosen(self, config: Config) -> dict[str, DoorSection]:
        return {door.name: door for door in chosen(config, self._door, self._source)}


def _listed(said: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {what}" for name, what in said.items())
