"""The threads of a door: capture -> frames -> infer -> results -> whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType

from .channel import Channel, Closed
from .doorkeeper import Doorkeeper, Lock, Result
from .errors import ActuatorError
from .frame import Frame
from .orientation import Orientation
from .sources.reconnect import Reconnecting, backoff
from .sources.source import Source
from .summary import Summary

TICK_SECONDS = 0.25
SHUTDOWN_SECONDS = 5.0


class Pipeline:
    """Runs one source through one doorkeeper; a context manager.

    Live, each channel holds the newest item and overwrites it; recorded, each waits for room, so
    that every frame is decided on and nothing depends on scheduling. Leaving the context locks the
    door, ends the threads, and raises the first error that one of them met.

    source: where the frames come from.
    doorkeeper: decides on them.
    locks: the door's actuators, started and closed here.
    orientation: how to turn each picture before anything looks at it.
    paced: whether a recorded source plays at the speed of its own timestamps.
    waits: seconds before each attempt to reach a live source again, see `Reconnecting`.
    """

    def __init__(
        self,
        source: Source,
        doorkeeper: Doorkeeper,
        *,
        locks: Sequence[Lock] = (),
        orientation: Orientation | None = None,
        paced: bool = False,
        waits: Callable[[], Iterable[float]] = backoff,
    ) -> None:
        self._doorkeeper = doorkeeper
        self._locks = locks
        self._orientation = orientation or Orientation()
        self._paced = paced and not source.live
        self._patience_seconds = TICK_SECONDS if source.live else None
        self._frames: Channel[Frame] = Channel(1, overwrite=source.live)
        self._results: Channel[Result] = Channel(1, overwrite=source.live)
        self._stop = threading.Event()
        self.summary = Summary()
        self._source = source
        if source.live:
            self._source = Reconnecting(
                source, wait=self._stop.wait, attempted=self.summary.reconnect, waits=waits
            )
        self._errors: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._work, args=(loop,), name=name, daemon=True)
            for name, loop in (("capture", self._capture), ("infer", self._infer))
        ]

    def __enter__(self) -> Pipeline:
        for lock in self._locks:
            lock.start()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        self._stop.set()
        self._frames.close()
        self._results.close()
        # Before the threads are joined: a camera or detector that hangs must not keep a door open.
        # All are told before any is waited for: nor must an actuator that hangs keep another open.
        for lock in self._locks:
            lock.end()
        locked = [lock.close(max(deadline - time.monotonic(), 0.0)) for lock in self._locks]
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        if error is None and self._errors:
            raise self._errors[0]
        if error is None and not all(locked):
            raise ActuatorError("an actuator could not be locked at the end; see the log")

    def results(self, tick_seconds: float = TICK_SECONDS) -> Iterator[Result | None]:
        """Yield results until the source ends or fails; None whenever none came within a tick."""
        while True:
            try:
                yield self._results.get(tick_seconds)
            except TimeoutError:
                yield None
            except Closed:
                return

    def _work(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Closed:
            pass
        except Exception as error:
            self._errors.append(error)
        finally:
            # Whichever ends first, its neighbour must not wait for it on a channel.
            self._frames.close()

    def _capture(self) -> None:
        started_at: float | None = None
        try:
            for frame in self._source.frames():
                image = self._orientation.apply(frame.image)
                if self._paced:
                    now = time.monotonic()
                    started_at = now - frame.time if started_at is None else started_at
                    self._stop.wait(max(started_at + frame.time - now, 0.0))
                self._frames.put(replace(frame, image=image))
        finally:
            self._source.close()

    def _infer(self) -> None:
        try:
            while not self._stop.is_set():
                result: Result | None
                try:
                    result = self._doorkeeper.see(self._frames.get(self._patience_seconds))
                except TimeoutError:
                    result = self._doorkeeper.miss()
                if result is not None:
                    self.summary.add(result)
                    self._results.put(result)
        finally:
            self._results.close()
