"""Metrics for Prometheus, in a registry of their own. Needs the extra `web`."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from .doorkeeper import Result
from .evidence import Evidence
from .policy import Door

_AGES_SECONDS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
_BETWEEN_SECONDS = (0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """Counts what happens at the doors of this process, and how much memory it takes.

    clock: seconds; what `Frame.time` of a live source is measured by.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._frames = Counter("maskgate_frames", "Frames decided on", ["door"], registry=registry)
        self._evidence = Counter(
            "maskgate_evidence",
            "Decisions by what they rest on",
            ["door", "evidence"],
            registry=registry,
        )
        self._unlocks = Counter(
            "maskgate_unlocks", "Times that the door was unlocked", ["door"], registry=registry
        )
        self._unlocked = Gauge(
            "maskgate_door_unlocked",
            "1 while the door is to be unlocked, else 0",
            ["door"],
            registry=registry,
        )
        self._faces = Gauge(
            "maskgate_faces", "Faces judged in the newest frame", ["door"], registry=registry
        )
        self._ages = Histogram(
            "maskgate_decision_age_seconds",
            "Time from the taking of a live picture to the decision about it",
            ["door"],
            buckets=_AGES_SECONDS,
            registry=registry,
        )
        self._between = Histogram(
            "maskgate_decision_interval_seconds",
            "Time from one decision to the next",
            ["door"],
            buckets=_BETWEEN_SECONDS,
            registry=registry,
        )

    def of_door(self, door: str, *, live: bool) -> Callable[[Result], None]:
        """A watcher that counts the results of one door.

        door: its name.
        live: whether its frames are of now, so that they have an age.
        """
        frames, unlocks = self._frames.labels(door), self._unlocks.labels(door)
        unlocked, faces = self._unlocked.labels(door), self._faces.labels(door)
        ages, between = self._ages.labels(door), self._between.labels(door)
        evidence = {kind: self._evidence.labels(door, str(kind)) for kind in Evidence}
        latest: tuple[Door, float | None] = (Door.LOCKED, None)

        def count(result: Result) -> None:
            nonlocal latest
            decision, now = result.decision, self._clock()
            was, before = latest
            latest = (decision.door, now)
            evidence[decision.evidence].inc()
            faces.set(len(decision.faces))
            unlocked.set(decision.door is Door.UNLOCKED)
            if decision.door is Door.UNLOCKED and was is Door.LOCKED:
                unlocks.inc()
            if result.fresh:
                frames.inc()
                if live:
                    ages.observe(now - result.frame.time)
            if before is not None:
                between.observe(now - before)

        return count

    def text(self) -> tuple[bytes, str]:
        """All of it as Prometheus reads it, and the media type of that."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4
