"""Metrics for Prometheus, in a registry of their own. Needs the extra `web`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    StateSetMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from .actuators.lease import Change
from .decision import Door
from .evidence import Evidence
from .result import Result
from .summary import Summary

_BUCKETS_SECONDS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
_STATES = ("locked", "unlocked", "unknown")


class Metrics:
    """Counts what happens at the doors of this process, and how much memory it takes.

    clock: seconds; what `Frame.time` of a live source is measured by.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._watched = _Watched()
        registry.register(self._watched)

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"maskgate_{name}", what, ["door", *labels], registry=registry)

        def histogram(name: str, what: str, *labels: str) -> Histogram:
            return Histogram(
                f"maskgate_{name}_seconds",
                what,
                ["door", *labels],
                buckets=_BUCKETS_SECONDS,
                registry=registry,
            )

        self.frames = counter("frames", "Frames decided on")
        self.dropped = counter("frames_dropped", "Frames that gave way to a newer one")
        self.evidence = counter("evidence", "Decisions by what their frame says", "evidence")
        self.unlocks = counter("unlocks", "Times that the door was unlocked")
        self.latency = histogram("decision_latency", "From a live picture to its decision")
        self.interval = histogram("decision_interval", "From one decision to the next")
        self.moved = histogram("actuator_latency", "From a picture to the actuator", "actuator")
        self.failures = counter("actuator_failures", "Calls that failed", "actuator")

    def of_door(
        self, door: str, *, live: bool, frame_age_seconds: Callable[[], float]
    ) -> DoorCount:
        """What counts at one door.

        door: its name.
        live: whether its frames are of now, so that they have an age.
        frame_age_seconds: how long ago the detector last looked at a new frame.
        """
        count = DoorCount(self, door, live=live, frame_age_seconds=frame_age_seconds)
        self._watched.doors[door] = count
        return count

    def follow(self, door: str, summary: Summary) -> None:
        """Take from here how often a door's camera had to be reached again."""
        self._watched.doors[door].summary = summary

    def forget_actuators(self, door: str) -> None:
        """Serve the states of a door's actuators no more, until they tell of themselves."""
        self._watched.doors[door].actuators = {}

    def forget(self, door: str) -> None:
        """Serve no more what can only be said of a door that is watched."""
        self._watched.doors.pop(door, None)

    def text(self) -> tuple[bytes, str]:
        """All of it as Prometheus reads it, and the media type of that."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4


class DoorCount:
    """Counts what happens at one door; on the threads that decide and act.

    metrics: where it counts.
    door: the door's name.
    live: whether its frames are of now, so that they have an age.
    frame_age_seconds: how long ago the detector last looked at a new frame.

    The other attributes say how the door is now: whether it is `unlocked`, how many `faces` were
    judged in its newest frame, the states of its `actuators` by their names, and in its `summary`
    how often its camera had to be reached again.
    """

    def __init__(
        self,
        metrics: Metrics,
        door: str,
        *,
        live: bool,
        frame_age_seconds: Callable[[], float],
    ) -> None:
        self.frame_age_seconds = frame_age_seconds
        self.unlocked = False
        self.faces = 0
        self.actuators: dict[str, str] = {}
        self.summary: Summary | None = None
        self._metrics = metrics
        self._door = door
        self._live = live
        self._newest_index: int | None = None
        self._decided_at: float | None = None
        # All are there from the start, so that the first increase of each can be seen.
        for counter in (metrics.frames, metrics.dropped, metrics.unlocks):
            counter.labels(door)
        for histogram in (metrics.latency, metrics.interval):
            histogram.labels(door)
        for kind in Evidence:
            metrics.evidence.labels(door, str(kind))

    def see(self, result: Result) -> None:
        """Count the door's next result; returns at once."""
        counts, door, now = self._metrics, self._door, self._metrics.clock()
        decision, newest = result.decision, self._newest_index
        counts.evidence.labels(door, str(decision.evidence)).inc()
        self.faces = len(decision.faces)
        was_unlocked, self.unlocked = self.unlocked, decision.door is Door.UNLOCKED
        counts.unlocks.labels(door).inc(self.unlocked and not was_unlocked)
        if self._decided_at is not None:
            counts.interval.labels(door).observe(now - self._decided_at)
        if result.fresh:
            counts.frames.labels(door).inc()
            # Of fresh frames alone: a black picture that stands in for one has index 0.
            missed = 0 if newest is None else result.frame.index - newest - 1
            counts.dropped.labels(door).inc(max(missed, 0))
            self._newest_index = result.frame.index
            if self._live:
                counts.latency.labels(door).observe(now - result.frame.time)
        self._decided_at = now

    def see_change(self, change: Change) -> None:
        """Count what became of one of the door's actuators; returns at once."""
        counts, labels = self._metrics, (self._door, change.actuator)
        self.actuators[change.actuator] = change.state
        counts.failures.labels(*labels).inc(change.state == "unknown")
        if change.latency_seconds is not None:
            counts.moved.labels(*labels).observe(change.latency_seconds)


class _Watched(Collector):
    """Reads, whenever it is asked, how each door is that is watched now."""

    def __init__(self) -> None:
        self.doors: dict[str, DoorCount] = {}

    def collect(self) -> Iterator[Metric]:
        unlocked = GaugeMetricFamily(
            "maskgate_door_unlocked", "1 while the door is to be unlocked, else 0", labels=["door"]
        )
        faces = GaugeMetricFamily(
            "maskgate_faces", "Faces judged in the newest frame", labels=["door"]
        )
        age = GaugeMetricFamily(
            "maskgate_frame_age_seconds",
            "Time since a new frame was last looked at",
            labels=["door"],
        )
        reconnects = CounterMetricFamily(
            "maskgate_reconnects", "Attempts to reach a camera again", labels=["door"]
        )
        actuators = StateSetMetricFamily(
            "maskgate_actuator_state",
            "What the actuator was last known to be",
            labels=["door", "actuator"],
        )
        for door, count in dict(self.doors).items():
            unlocked.add_metric([door], count.unlocked)
            faces.add_metric([door], count.faces)
            age.add_metric([door], count.frame_age_seconds())
            if count.summary:
                reconnects.add_metric([door], count.summary.reconnects)
            for actuator, state in dict(count.actuators).items():
                states = {known: known == state for known in _STATES}
                actuators.add_metric([door, actuator], states)
        return iter([unlocked, faces, age, reconnects, actuators])
