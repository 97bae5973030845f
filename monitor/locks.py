"""The locks of a door: a worker for each of its actuators that may be driven."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from .actuators import make
from .actuators.deny import Denier
from .actuators.latch import Latch
from .actuators.lease import Change
from .actuators.sections import ActuatorSection
from .actuators.worker import Worker
from .door_section import DoorSection
from .sources import Source

_log = logging.getLogger("monitor.app")


def make_locks(
    held: ExitStack,
    door: DoorSection,
    source: Source,
    *,
    actuate: bool,
    overwrite: bool,
    lock_watchers: Sequence[Callable[[Change], None]] = (),
) -> list[Worker]:
    """The workers of the door's actuators, not yet started; the others as for `make_line`.

    held: lets go of each of them, once it is made, when the stack is left.

    Raises ConfigError when one of them cannot be had.
    """
    # Playing a clip must not open a real door.
    driven = [part for part in door.actuators if source.live or actuate or part.kind == "log"]
    for part in door.actuators:
        if part not in driven:
            _log.info("%s: left alone while %s plays, but for --actuate", part.name, source.name)
    locks = []
    for part in driven:
        lock = make_worker(
            door, part, live=source.live, overwrite=overwrite, lock_watchers=lock_watchers
        )
        held.callback(lock.close, 0.0)
        locks.append(lock)
    return locks


def make_worker(
    door: DoorSection,
    section: ActuatorSection,
    *,
    live: bool,
    overwrite: bool,
    lock_watchers: Sequence[Callable[[Change], None]] = (),
) -> Worker:
    """What drives one of the door's actuators.

    live: whether pictures are of now, and can be too old.
    overwrite, lock_watchers: as for `make_line`.
    """
    actuator = make(section, door_name=door.name)
    latch = Latch(
        actuator,
        pulse_seconds=section.pulse_seconds,
        max_age_seconds=door.policy.max_age_seconds if live else math.inf,
        watchers=lock_watchers,
    )
    return Worker(latch, denier=Denier(actuator), overwrite=overwrite)
