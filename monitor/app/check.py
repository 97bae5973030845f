"""`monitor check`: try what the configuration names, without opening a door."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

from ..actuators import make
from ..actuators.sections import ActuatorSection
from ..config import Config
from ..detector import Detector
from ..door_section import DoorSection
from ..errors import MaskgateError, SourceError
from ..face_size import smallest_face_px
from ..orientation import Orientation
from ..parts import make_detector, make_policy, make_source, make_zones


def check(config: Config, *, check_interrupt: Callable[[], None] = lambda: None) -> int:
    """Load the model, take a picture of each door's source, lock each door, and print a table.

    What fails is a row of the table and keeps nothing else from being tried; only a model that
    cannot be loaded ends the check at once, with ModelError. No actuator is told to unlock.

    check_interrupt: called before anything is tried; may raise to end the check.

    Returns the highest exit code of all failures, 0 when there was none.
    """
    detector = make_detector(config.model)
    table = _Table(check_interrupt)
    table.row("model", f"{detector.path}, sha256 {detector.sha256[:12]}")
    table.row("classes", ", ".join(detector.classes))
    table.row("provider", detector.provider)
    for door in config.doors:
        table.row("door", door.name)
        table.attempt("policy", partial(_policy, door, detector))
        table.attempt("source", partial(_source, door, detector))
        for part in door.actuators:
            table.attempt(f"{part.name} ({part.kind})", partial(_locked, door, part))
    return table.exit_code


class _Table:
    """Prints row by row, and remembers the worst; see `check`."""

    def __init__(self, check_interrupt: Callable[[], None]) -> None:
        self._check_interrupt = check_interrupt
        self.exit_code = 0

    def row(self, name: str, found: str) -> None:
        print(f"{name:<16} {found}", flush=True)

    def attempt(self, name: str, find: Callable[[], str]) -> None:
        self._check_interrupt()
        try:
            self.row(name, find())
        except MaskgateError as error:
            self.row(name, f"FAILED: {error}")
            self.exit_code = max(self.exit_code, error.exit_code)


def _policy(door: DoorSection, detector: Detector) -> str:
    make_policy(door, detector)
    make_zones(door)
    return f"{', '.join(door.policy.allowed)} may pass"


def _source(door: DoorSection, detector: Detector) -> str:
    source = make_source(door)
    try:
        frame = next(source.frames(), None)
    finally:
        source.close()
    if frame is None:
        raise SourceError(f"{source.name}: no picture found, expected at least one")
    image = Orientation(door.rotate_degrees, door.mirror).apply(frame.image)
    height_px, width_px = image.shape[:2]
    started = time.monotonic()
    faces = detector(image)
    milliseconds = (time.monotonic() - started) * 1000
    smallest_px = smallest_face_px(
        detector.contract,
        width_px=width_px,
        height_px=height_px,
        ignored_below_px=door.policy.smallest_face_px,
    )
    return (
        f"{source.name}, {'live' if source.live else 'recorded'}, {width_px} x {height_px} px: "
        f"a face of {math.ceil(smallest_px)} px or more is judged, "
        f"{smallest_px / height_px:.1%} of the height; "
        f"{len(faces)} candidates in {milliseconds:.0f} ms"
    )


def _locked(door: DoorSection, part: ActuatorSection) -> str:
    actuator = make(part, door_name=door.name, reports=False)
    try:
        started = time.monotonic()
        actuator.lock()
        milliseconds = (time.monotonic() - started) * 1000
    finally:
        actuator.close()
    return f"locked in {milliseconds:.0f} ms"
