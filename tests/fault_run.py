"""Runs a plan of faults through the real pipeline, and says which promises were broken."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from colours import CLASSES
from fault_account import (
    GRACE_SECONDS,
    HOLD_SECONDS,
    MAX_AGE_SECONDS,
    false_unlocks,
    late_locks,
)
from fault_parts import Bolt, Camera, CrampedTrail, Detector, Seen
from fault_plan import Plan

from monitor.actuators.latch import Latch
from monitor.actuators.lease import Change, Lease
from monitor.actuators.worker import Worker
from monitor.audit.event import Kind
from monitor.audit.ledger import read_events
from monitor.audit.trail import Trail
from monitor.audit.watch import DoorWatch
from monitor.capture import Capture
from monitor.doorkeeper import Doorkeeper
from monitor.errors import ActuatorError, ModelError, SourceError
from monitor.evidence import FrameRule
from monitor.line import Line
from monitor.pipeline import Pipeline
from monitor.policy import Policy
from monitor.zones import Zones

RECONNECT_SECONDS = (0.005, 0.01, 0.02)
THREAD_SECONDS = 10.0


@dataclass
class Door:
    """One door of a run, with all that its parts remember."""

    camera: Camera
    sound: Bolt
    faulty: Bolt
    changes: list[Change]


class Run:
    """One plan, carried out.

    folder: for the record; empty.
    tick: called several times a second while it runs; may raise to end it.
    told: called with each lease that an actuator without faults is told of, None to lock.

    `broken` says in words which promises were broken; empty for none. `unlocks` counts the calls
    that unlocked, over all doors.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        *,
        tick: Callable[[Trail], None] = lambda trail: None,
        told: Callable[[Lease | None], None] = lambda lease: None,
    ) -> None:
        self.plan = plan
        self.broken: list[str] = []
        self._tick = tick
        self._stop, self._release = threading.Event(), threading.Event()
        names = [f"door{number}" for number in range(len(plan.doors))]
        self.doors = [
            Door(
                Camera(name, number, shots, self._stop),
                Bolt(f"{name} sound", (), self._release, told),
                Bolt(f"{name} faulty", plan.actuator, self._release),
                [],
            )
            for number, (name, shots) in enumerate(zip(names, plan.doors, strict=True))
        ]
        self.detector = Detector([door.camera for door in self.doors])
        self.trail = CrampedTrail(folder, first_retry_seconds=0.01)
        self.trail.is_full = self._disk_is_full
        before = set(threading.enumerate())
        self._play()
        self._check_threads(before)
        for door, seen in zip(self.doors, self.detector.seen, strict=True):
            self._check_door(door, seen)
        self._check_record()

    @property
    def unlocks(self) -> int:
        return sum(call.lease is not None for door in self.doors for call in door.sound.calls)

    def _disk_is_full(self) -> bool:
        start, end = self.plan.full_disk
        return start <= self.doors[0].camera._next < end

    def _play(self) -> None:
        with self.trail, contextlib.ExitStack() as stack:
            lines = [self._line(door, stack) for door in self.doors]
            expected = (ActuatorError, ModelError, SourceError)
            try:
                with Pipeline(lines) as pipeline:
                    ends_at = time.monotonic() + (0.3 if self.plan.stops_early else math.inf)
                    for _ in pipeline.results(0.01):
                        self._tick(self.trail)
                        if time.monotonic() > ends_at:
                            break
            except expected:
                pass
            finally:
                self._stop.set()
                self._release.set()

    def _line(self, door: Door, stack: contextlib.ExitStack) -> Line:
        watch = stack.enter_context(
            DoorWatch(self.trail, door=door.camera.name, source=door.camera.name)
        )
        workers = [
            Worker(
                Latch(
                    bolt,
                    max_age_seconds=MAX_AGE_SECONDS,
                    first_retry_seconds=0.01,
                    watchers=[watch.changed, door.changes.append],
                ),
                final_waits_seconds=(0.01, 0.02),
            )
            for bolt in (door.sound, door.faulty)
        ]
        keeper = Doorkeeper(
            detector=self.detector,
            zones=Zones(),
            judge=Policy(
                FrameRule(classes=CLASSES),
                hold_seconds=HOLD_SECONDS,
                grace_seconds=GRACE_SECONDS,
            ),
            locks=workers,
            watchers=[watch],
            live=True,
            grace_seconds=GRACE_SECONDS,
            max_age_seconds=MAX_AGE_SECONDS,
            door_name=door.camera.name,
        )
        capture = Capture(door.camera, waits=lambda: RECONNECT_SECONDS)
        return Line(door.camera.name, capture, keeper, locks=workers, overwrite=True)

    def _check_threads(self, before: set[threading.Thread]) -> None:
        for thread in set(threading.enumerate()) - before:
            thread.join(THREAD_SECONDS)
            if thread.is_alive():
                self.broken.append(f"thread {thread.name} is left")

    def _check_door(self, door: Door, seen: Sequence[Seen]) -> None:
        calls = door.sound.calls
        for bolt in (door.sound, door.faulty):
            if not bolt.calls or bolt.calls[0].lease is not None:
                self.broken.append(f"{bolt.name}: not locked at the start")
            elif bolt.calls[-1].lease is not None:
                self.broken.append(f"{bolt.name}: not locked at the end")
            if not bolt.closed:
                self.broken.append(f"{bolt.name}: not closed")
        self.broken += [f"{door.sound.name}: {text}" for text in false_unlocks(calls, seen)]
        self.broken += [f"{door.sound.name}: {text}" for text in late_locks(calls, seen)]
        for call, change in zip(door.faulty.calls, self._changes(door.faulty), strict=False):
            if not call.done and change.state != "unknown":
                self.broken.append(f"{door.faulty.name}: {change.state} after a failure")
        faulty = [call for call in door.faulty.calls if call.lease is not None]
        self.broken += [f"{door.faulty.name}: {text}" for text in false_unlocks(faulty, seen)]

    def _changes(self, bolt: Bolt) -> list[Change]:
        return [c for door in self.doors for c in door.changes if c.actuator == bolt.name]

    def _check_record(self) -> None:
        events = list(read_events(self.trail.path))
        if len(events) != self.trail.recorded:
            self.broken.append(f"record: {len(events)} rows, {self.trail.recorded} committed")
        for door in self.doors:
            states = [
                (event.state == "unlocked")
                for event in events
                if event.kind is Kind.DOOR and event.door == door.camera.name
            ]
            repeated = any(a == b for a, b in itertools.pairwise(states))
            if repeated and not self.trail.lost:
                self.broken.append(f"record: {door.camera.name} changes to what it was")
