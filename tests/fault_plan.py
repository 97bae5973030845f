"""Plans of faults: what a camera shows, and what goes wrong with it and everything behind it.

A plan follows from its seed alone, so that a broken promise can be looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

SHOTS = (25, 60)
SOUND_SHARE = 0.8


class Scene(StrEnum):
    """Who stands before the door."""

    NOBODY = "nobody"
    MASKED = "masked"
    BARE = "bare"


class CameraFault(StrEnum):
    """What a camera does instead of showing a fresh picture."""

    LATE = "late"  # the picture is old when it arrives
    DROPPED = "dropped"  # nothing comes for a while
    FROZEN = "frozen"  # the same picture once more
    CORRUPT = "corrupt"  # noise
    BLACK = "black"  # the lens is covered
    PAST = "past"  # the clock has jumped back
    FUTURE = "future"  # the clock has jumped ahead
    LOST = "lost"  # the connection breaks off


class DetectorFault(StrEnum):
    """What a detector does instead of finding the faces."""

    SLOW = "slow"
    EMPTY = "empty"
    NAN = "nan"
    RAISES = "raises"


class ActuatorFault(StrEnum):
    """What an actuator does instead of moving at once."""

    LATE = "late"  # done, but slowly
    FAILS = "fails"  # says that it was not done
    HANGS = "hangs"  # until the end of the run


@dataclass(frozen=True)
class Shot:
    """One picture of a camera.

    scene: who is in it.
    wait_seconds: after the shot before.
    fault: of the camera; None for none.
    detector: fault of the detector with this picture; None for none.
    """

    scene: Scene
    wait_seconds: float
    fault: CameraFault | None
    detector: DetectorFault | None


@dataclass(frozen=True)
class Plan:
    """A run of one or two doors with everything that goes wrong.

    seed: what it follows from.
    doors: the shots of each camera.
    actuator: faults of the second actuator of each door, call by call; the first has none.
    full_disk: shots of the first door, from and to, during which nothing can be recorded.
    stops_early: whether somebody ends the run before the cameras do.
    """

    seed: int
    doors: tuple[tuple[Shot, ...], ...]
    actuator: tuple[ActuatorFault | None, ...]
    full_disk: tuple[int, int]
    stops_early: bool

    @classmethod
    def of(cls, seed: int) -> Plan:
        """The plan of a seed, 0 or more."""
        rng = np.random.default_rng(seed)
        doors = tuple(_shots(rng) for _ in range(int(rng.integers(1, 3))))
        faults = [*[None] * 6, *ActuatorFault]
        actuator = tuple(faults[i] for i in rng.integers(0, len(faults), 12))
        start = int(rng.integers(0, len(doors[0])))
        full_disk = (start, start + int(rng.integers(0, 15)))
        return cls(seed, doors, actuator, full_disk, stops_early=bool(rng.random() < 0.3))


def _shots(rng: np.random.Generator) -> tuple[Shot, ...]:
    shots: list[Shot] = []
    # one in three cameras shows nothing but faults, the others some
    sound = SOUND_SHARE + 0.2 * rng.random() if rng.random() < 0.7 else 0.4
    count = int(rng.integers(*SHOTS))
    while len(shots) < count:
        scene = Scene(rng.choice(list(Scene), p=(0.15, 0.6, 0.25)))
        for _ in range(int(rng.integers(1, 25))):
            shots.append(_shot(rng, scene, sound))
    return tuple(shots[:count])


def _shot(rng: np.random.Generator, scene: Scene, sound: float) -> Shot:
    camera: CameraFault | None = None
    detector: DetectorFault | None = None
    if rng.random() > sound:
        camera = CameraFault(rng.choice(list(CameraFault)))
    elif rng.random() > sound:
        detector = DetectorFault(rng.choice(list(DetectorFault), p=(0.5, 0.3, 0.17, 0.03)))
    return Shot(scene, float(rng.uniform(0.004, 0.016)), camera, detector)
