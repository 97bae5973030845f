"""`monitor check`: try what the configuration names, without opening a door."""

from __future__ import annotations

import time

from ..config import Config
from ..errors import SourceError
from ..orientation import Orientation
from ..parts import make_detector, make_policy, make_source


def check(config: Config) -> None:
    """Load the model, take one picture from the source, and print what was found."""
    door = config.doors[0]
    detector = make_detector(config.model)
    _row("model", f"{detector.path}, sha256 {detector.sha256[:12]}")
    _row("classes", ", ".join(detector.contract.classes))
    _row("provider", detector.provider)
    _row("door", door.name)
    make_policy(door, detector)
    _row("actuators", ", ".join(f"{part.name} ({part.kind})" for part in door.actuators))
    source = make_source(door)
    try:
        frame = next(source.frames(), None)
    finally:
        source.close()
    if frame is None:
        raise SourceError(f"{source.name}: no picture found, expected at least one")
    image = Orientation(door.rotate_degrees, door.mirror).apply(frame.image)
    height_px, width_px = image.shape[:2]
    kind = "live" if source.live else "recorded"
    _row("source", f"{source.name}, {kind}, {width_px} x {height_px} px")
    started = time.monotonic()
    faces = detector(image)
    milliseconds = (time.monotonic() - started) * 1000
    _row("first picture", f"{len(faces)} candidates in {milliseconds:.0f} ms")


def _row(name: str, value: str) -> None:
    print(f"{name:<14} {value}")
