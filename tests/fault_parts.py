"""The parts of a run that are made to fail by plan: cameras, a detector, actuators, a disk."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from colours import CLASSES, COLOURS
from fault_plan import ActuatorFault, CameraFault, DetectorFault, Scene, Shot

from monitor.actuators.actuator import Actuator
from monitor.actuators.lease import Lease
from monitor.audit.ledger import Ledger
from monitor.audit.trail import Trail
from monitor.detections import Detections
from monitor.errors import ActuatorError, ModelError, NoEvidence, SourceError
from monitor.frame import Frame, Image

LATE_SECONDS = 0.2
DROPPED_SECONDS = 0.12
SLOW_SECONDS = 0.08
JUMP_SECONDS = 5.0
WIDTH_PX, HEIGHT_PX = 64, 48


@dataclass(frozen=True)
class Seen:
    """What a detector said of a picture.

    taken_at: when the camera says that it was taken, `time.monotonic()` seconds; of a picture that
        is shown more than once, this showing.
    answered_at: when the detector was done.
    scene: what is to be concluded from it; None where nothing is, as from a picture that the
        detector has seen before.
    """

    taken_at: float
    answered_at: float
    scene: Scene | None


@dataclass
class Camera:
    """A live source that plays its shots once, over as many connections as it takes.

    name: of the source.
    door: number of the door, which every picture carries.
    stop: ends every wait.

    `shown` holds each picture that was handed on, and when it was taken as the camera says. One
    that is shown again is another object: the pipeline may have dropped the first one, and then
    cannot know.
    """

    name: str
    door: int
    shots: Sequence[Shot]
    stop: threading.Event
    shown: list[tuple[Image, float]] = field(default_factory=list)
    live = True
    fps = None
    frame_count_hint = None
    timeline = None
    _next: int = 0
    _latest: Image | None = None

    def frames(self) -> Iterator[Frame]:
        while self._next < len(self.shots):
            index, shot = self._next, self.shots[self._next]
            self._next += 1
            if self.stop.wait(shot.wait_seconds):
                return
            if shot.fault is CameraFault.LOST:
                raise SourceError(f"{self.name}: lost at shot {index}")
            if shot.fault is CameraFault.DROPPED:
                self.stop.wait(DROPPED_SECONDS)
                continue
            image = self._image(index, shot)
            taken_at = time.monotonic()
            if shot.fault is CameraFault.LATE:
                self.stop.wait(LATE_SECONDS)
            taken_at += {CameraFault.PAST: -JUMP_SECONDS, CameraFault.FUTURE: JUMP_SECONDS}.get(
                shot.fault, 0.0
            )
            self.shown.append((image, taken_at))
            yield Frame(image, index, taken_at)

    def taken_at(self, image: Image) -> float:
        """When a picture was taken, as the camera says; it is told by which object it is."""
        return next(taken_at for shown, taken_at in self.shown if shown is image)

    def _image(self, index: int, shot: Shot) -> Image:
        if shot.fault is CameraFault.FROZEN and self._latest is not None:
            return self._latest.copy()
        rng = np.random.default_rng([self.door, index])
        noise = rng.integers(-30, 31, (HEIGHT_PX, WIDTH_PX, 3))
        colour = np.array(COLOURS[shot.scene])
        if shot.fault is CameraFault.CORRUPT:
            noise, colour = noise * 4, np.array([128, 128, 128])
        elif shot.fault is CameraFault.BLACK:
            noise, colour = noise // 15, np.array([2, 2, 2])
        image = np.clip(colour + noise, 0, 255).astype(np.uint8)
        # which picture it is, for the detector that has no other way to know
        image[0, :2] = [[self.door] * 3, [index % 256, index // 256, 0]]
        self._latest = image
        return image

    def close(self) -> None:
        """Nothing is open."""


class Detector:
    """Finds by colour who is in a picture, and fails by plan; remembers what it said.

    cameras: in the order of the doors.
    """

    classes = CLASSES

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self._cameras = cameras
        self._known: set[tuple[int, int]] = set()
        self.seen: list[list[Seen]] = [[] for _ in cameras]

    def __call__(self, image: Image) -> Detections:
        door, index = int(image[0, 0, 0]), int(image[0, 1, 0]) + 256 * int(image[0, 1, 1])
        camera = self._cameras[door]
        shot = camera.shots[index]
        scene: Scene | None = shot.scene
        if shot.detector is DetectorFault.SLOW:
            camera.stop.wait(SLOW_SECONDS)
        elif shot.detector is DetectorFault.RAISES:
            raise ModelError(f"the detector fails at shot {index}")
        elif shot.detector in (DetectorFault.EMPTY, DetectorFault.NAN):
            scene = None
        if shot.fault in (CameraFault.CORRUPT, CameraFault.BLACK):
            scene = None
        concluded = None if (door, index) in self._known else scene
        self._known.add((door, index))
        self.seen[door].append(Seen(camera.taken_at(image), time.monotonic(), concluded))
        if shot.detector is DetectorFault.NAN:
            raise NoEvidence(f"the network goes astray at shot {index}")
        return _faces(scene)


def _faces(scene: Scene | None) -> Detections:
    box = np.array([[4, 4, 56, 44]], np.float32)
    if scene in (None, Scene.NOBODY):
        return Detections.empty(CLASSES)
    scores = [[0.95, 0.02]] if scene is Scene.MASKED else [[0.1, 0.9]]
    return Detections(box, np.array(scores, np.float32), CLASSES)


@dataclass(frozen=True)
class Call:
    """One call of an actuator: when it came and ended, seconds, and the lease of an unlock."""

    began_at: float
    ended_at: float
    lease: Lease | None
    done: bool = True


class Bolt(Actuator):
    """An actuator that remembers its calls and fails by plan.

    faults: of the calls, one after another; after the last, none.
    release: ends every call that hangs.
    told: called with each lease, None to lock.
    """

    kind = "bolt"

    def __init__(
        self,
        name: str,
        faults: Sequence[ActuatorFault | None],
        release: threading.Event,
        told: Callable[[Lease | None], None] = lambda lease: None,
    ) -> None:
        super().__init__(name)
        self._faults = iter(faults)
        self._release = release
        self._told = told
        self.calls: list[Call] = []
        self.closed = False

    def lock(self) -> None:
        self._call(None)

    def unlock(self, lease: Lease) -> None:
        self._call(lease)

    def close(self) -> None:
        self.closed = True

    def _call(self, lease: Lease | None) -> None:
        self._told(lease)
        began_at, fault = time.monotonic(), next(self._faults, None)
        if fault is ActuatorFault.LATE:
            self._release.wait(LATE_SECONDS)
        elif fault is ActuatorFault.HANGS:
            self._release.wait()
        failed = fault in (ActuatorFault.FAILS, ActuatorFault.HANGS)
        self.calls.append(Call(began_at, time.monotonic(), lease, not failed))
        if failed:
            raise ActuatorError(f"{self.name}: {fault}")


class CrampedTrail(Trail):
    """An audit whose disk is full whenever `is_full` says so; SQLite itself finds that out."""

    is_full: Callable[[], bool]

    def _open(self) -> Ledger:
        ledger = super()._open()
        database: sqlite3.Connection = ledger._database
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        limit = pages if self.is_full() else 1 << 30
        database.execute(f"PRAGMA max_page_count = {limit}").fetchone()
        return ledger
