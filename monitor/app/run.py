"""`monitor run`: watch the doors and drive them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..audit.event import Kind
from ..audit.trail import Trail
from ..audit.watch import DoorWatch
from ..config import Config, OverrideSection
from ..decision import Door, Order
from ..door_section import DoorSection
from ..line import TICK_SECONDS, Line
from ..override import Override
from ..override_socket import OverrideSocket
from ..parts import make_detector
from ..service import Service
from ..sources import Source
from ..view.viewer import Viewer
from ..view.window import Window, display_works
from .door_lines import Watch
from .doors import Doors
from .page import open_page
from .record import config_sha256, make_pictures, make_trail

if TYPE_CHECKING:
    from ..web.live_page import LivePage, ShownDoor

# So that keys and mouse are answered at once while no camera sends anything.
WINDOW_TICK_SECONDS = 0.05


def run(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    newer: Callable[[], Config | None] = lambda: None,
    door: str | None = None,
    source: str | None = None,
    actuate: bool = False,
    window: bool = True,
    seconds: float | None = None,
) -> None:
    """Watch doors as their sources play, until all end, someone quits, or the time is over.

    check_interrupt: called often; may raise to end the run.
    newer: called often; gives a configuration to go on with, see `Doors.follow`.
    door: name of the only one to watch; None for all.
    source: what to watch in place of the configured source of the one door.
    actuate: let a recorded source drive every actuator.
    window: show a window where there is a display and the configuration wants one.
    seconds: how long to run; None for as long as a source lasts.
    """
    detector = make_detector(config.model)
    with ExitStack() as stack:
        trail = make_trail(config, detector)
        known: dict[str, Override] = {}
        overrides: dict[str, Override] = {}
        orders = overrides if config.override.page else None
        record = trail.path if trail else None
        page = open_page(
            stack,
            config.web,
            overrides=orders,
            record=record,
            snapshots=config.audit.snapshots,
        )
        watching: list[Watch] = []
        if trail:
            watching.append(partial(_noted, config, stack.enter_context(trail)))
        if page:
            watching.append(partial(_shown, page))
        if config.override.socket:
            stack.enter_context(OverrideSocket(Path(config.override.socket), overrides))
        doors = Doors(
            config,
            detector,
            door=door,
            source=source,
            actuate=actuate,
            watching=watching,
            orders=partial(_ordered, config.override, known, overrides, trail),
            made=partial(_made, page, overrides),
            follows=partial(_reloaded, trail),
        )
        shown = None
        if window and config.window == "auto":
            viewer = Viewer(lambda: doors.panes, snapshots=Path(config.snapshots))
            shown = _window(stack, viewer)
        stack.enter_context(doors)
        service = Service()
        service.ready()
        stack.callback(service.stopping)
        ends_at = time.monotonic() + seconds if seconds else float("inf")
        for found in doors.pipeline.results(WINDOW_TICK_SECONDS if shown else TICK_SECONDS):
            check_interrupt()
            service.alive(doors.pipeline.turned_at)
            if found is not None and shown:
                doors.show(*found)
            if time.monotonic() >= ends_at or (shown and not shown.update()):
                break
            if doors.follow(newer):
                for gone in overrides.keys() - {line.name for line in doors.pipeline.lines}:
                    # Nobody could take an unlock back before the door is there again.
                    overrides.pop(gone).leave()
                if page:
                    page.arrange(doors.names)


def _ordered(
    section: OverrideSection,
    known: dict[str, Override],
    overrides: dict[str, Override],
    trail: Trail | None,
    door_name: str,
) -> Sequence[Callable[[], Order | None]]:
    """What overrules a door; the same for a door that is made again, so that a lock outlasts it.

    known: by the name of the door, also of those that are gone.
    overrides: of the doors that there are, which alone take orders.
    """
    if not section.enabled:
        return ()
    noted = partial(_ordered_noted, trail, door_name)
    made = Override(door_name, max_seconds=section.max_seconds, noted=noted)
    override = overrides[door_name] = known.setdefault(door_name, made)
    return [override.order]


def _ordered_noted(trail: Trail | None, door_name: str, what: str, door: Door | None) -> None:
    if trail:
        trail.note(Kind.OVERRIDE, door_name, what, state=str(door) if door else None)


def _noted(
    config: Config,
    trail: Trail,
    stack: ExitStack,
    door: DoorSection,
    source: Source,
    overwrite: bool,
) -> DoorWatch:
    pictures = make_pictures(config, door, trail, overwrite=overwrite)
    if pictures:
        stack.enter_context(pictures)
    watch = DoorWatch(trail, door=door.name, source=source.name, pictures=pictures)
    return stack.enter_context(watch)


def _reloaded(trail: Trail | None, config: Config, what: str) -> None:
    if trail:
        trail.reload("", f"configuration read again: {what}", config_sha256(config))


def _shown(
    page: LivePage, stack: ExitStack, door: DoorSection, source: Source, overwrite: bool
) -> ShownDoor:
    stack.callback(page.remove, door.name)
    return page.add(door.name, live=source.live)


def _made(page: LivePage | None, overrides: Mapping[str, Override], line: Line) -> None:
    override = overrides.get(line.name)
    if override:
        override.ended = lambda: line.capture.ended
    if page:
        page.follow(line.name, line.summary)
        page.forget_actuators(line.name)


def _window(stack: ExitStack, viewer: Viewer) -> Window | None:
    if display_works():
        return stack.enter_context(Window(viewer))
    print("monitor: no display: running without a window", file=sys.stderr)
    return None
