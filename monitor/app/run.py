"""`monitor run`: watch the doors and drive them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..audit.watch import DoorWatch
from ..config import Config
from ..door_section import DoorSection
from ..errors import UsageError
from ..line import Line
from ..parts import drawn, make_detector, make_line, make_pictures, make_source, make_trail
from ..pipeline import Pipeline
from ..service import Service
from ..tiles import Tiles
from ..window import Window, display_works
from .page import open_page

if TYPE_CHECKING:
    from ..web.live_page import ShownDoor


def run(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    door: str | None = None,
    source: str | None = None,
    actuate: bool = False,
    window: bool = True,
    seconds: float | None = None,
) -> None:
    """Watch doors as their sources play, until all end, someone quits, or the time is over.

    check_interrupt: called often; may raise to end the run.
    door: name of the only one to watch; None for all.
    source: what to watch in place of the configured source of the one door.
    actuate: let a recorded source drive every actuator.
    window: show a window where there is a display and the configuration wants one.
    seconds: how long to run; None for as long as a source lasts.
    """
    doors = {section.name: section for section in chosen(config, door, source)}
    detector = make_detector(config.model)
    lines = []
    with ExitStack() as stack:
        trail = make_trail(config, detector)
        if trail:
            stack.enter_context(trail)
        page = open_page(stack, config.web)
        for section in doors.values():
            watched = make_source(section)
            # Only a clip that plays alone may keep others waiting: there are none.
            overwrite = watched.live or len(doors) > 1
            watches: list[DoorWatch | ShownDoor] = []
            if trail:
                pictures = make_pictures(config, section, trail, overwrite=overwrite)
                if pictures:
                    stack.enter_context(pictures)
                watch = DoorWatch(trail, door=section.name, source=watched.name, pictures=pictures)
                watches.append(stack.enter_context(watch))
            if page:
                allowed = section.policy.allowed
                watches.append(page.add(section.name, allowed=allowed, live=watched.live))
            line = make_line(
                section,
                watched,
                detector,
                actuate=actuate,
                overwrite=overwrite,
                paced=True,
                watchers=watches,
                lock_watchers=[watch.changed for watch in watches],
            )
            if page:
                page.follow(section.name, line.summary)
            lines.append(line)
        shown = _window(stack) if window and config.window == "auto" else None
        tiles = Tiles(list(doors))
        pipeline = Pipeline(lines)
        stack.callback(_sum_up, lines)
        stack.enter_context(pipeline)
        service = Service()
        service.ready()
        stack.callback(service.stopping)
        ends_at = time.monotonic() + seconds if seconds else float("inf")
        for found in pipeline.results():
            check_interrupt()
            service.alive(pipeline.turned_at)
            if found is not None and shown:
                line, result = found
                speed = line.summary.recent_frames_per_second
                picture = drawn(doors[line.name], result.frame, result.decision, speed)
                shown.show(tiles.put(line.name, picture))
            if time.monotonic() >= ends_at or (shown and shown.wants_to_quit()):
                break


def chosen(config: Config, door: str | None, source: str | None = None) -> Sequence[DoorSection]:
    """The doors that a command is about, the one source put in place of the configured one.

    door: name of the only one; None for all.
    source: for one door alone.

    Raises UsageError when there is no door of that name, or several are left for one source.
    """
    names = ", ".join(section.name for section in config.doors)
    doors = [section for section in config.doors if door in (None, section.name)]
    if not doors:
        raise UsageError(f"--door: {door!r} found, expected one of {names}")
    if source is None:
        return doors
    if len(doors) > 1:
        raise UsageError(f"--source: {len(doors)} doors found, expected --door with one of {names}")
    return [doors[0].model_copy(update={"source": source})]


def _sum_up(lines: Sequence[Line]) -> None:
    for line in lines:
        print(f"{line.name}: {line.summary}")


def _window(stack: ExitStack) -> Window | None:
    if display_works():
        return stack.enter_context(Window())
    print("monitor: no display: running without a window", file=sys.stderr)
    return None
