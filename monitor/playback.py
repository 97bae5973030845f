"""Playback: a recorded source, decided on frame by frame for whoever asks from Python."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path

from .detector import Detector
from .door_section import DoorSection
from .doorkeeper import Doorkeeper, Judge
from .errors import UsageError
from .parts import make_policy
from .result import Result
from .sources import Source, open_source
from .zones import Zones


def replay(
    source: str | Path,
    *,
    detector: Detector | None = None,
    policy: Judge | None = None,
    zones: Zones | None = None,
    fps_of_pictures: float = 1.0,
) -> Generator[Result, None, None]:
    """What becomes of each frame of a recorded source, as `monitor replay` decides.

    No thread is started and no actuator is told anything. A result holds its frame's picture: to
    keep those of a long clip, keep what is needed of them.

    source: a video file, a folder of pictures, a single picture, or "demo".
    detector: finds the faces; None for a new one, of the shipped model.
    policy: decides, and remembers what it has seen, so that each source needs a new one; None for
        one as the configuration has it by default, with the thresholds of the detector's model.
    zones: where faces count; None for everywhere.
    fps_of_pictures: pictures per second at which a folder plays, above 0.

    Raises UsageError for a live source, SourceError for one that cannot be opened, and while the
    frames are taken for one that is damaged.
    """
    opened = open_source(str(source), fps_of_pictures=fps_of_pictures)
    if opened.live:
        raise UsageError(f"replay: {opened.name} is live; expected a recorded source")
    detector = detector or Detector()
    section = DoorSection(name=opened.name)
    keeper = Doorkeeper(
        detector=detector,
        zones=zones or Zones(),
        judge=policy or make_policy(section, detector),
        locks=(),
        live=False,
        grace_seconds=section.policy.grace_seconds,
        max_age_seconds=math.inf,
        door_name=opened.name,
    )
    return _results(opened, keeper)


def _results(source: Source, keeper: Doorkeeper) -> Generator[Result, None, None]:
    try:
        for frame in source.frames():
            yield keeper.see(frame)
    finally:
        source.close()
