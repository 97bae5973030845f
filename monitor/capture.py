"""Capture: a source's frames, taken on a thread of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from .channel import Channel, Closed
from .frame import Frame
from .orientation import Orientation
from .sources import FPS_OF_LAST_RESORT
from .sources.reconnect import Reconnecting, backoff
from .sources.source import Source


class Capture:
    """Takes frames until the source ends, and hands each on, turned as it should be.

    A live source that is lost is connected again, see `Reconnecting`. Beside other doors that also
    goes for one that never gave a picture, and what keeps it from giving any is handed on in words;
    a sole door fails with its source.

    source: where the frames come from.
    orientation: how to turn each picture before anything looks at it.
    paced: whether a recorded source plays at the speed of its own timestamps.
    waits: seconds before each attempt to reach a live source again.

    `ended` says whether the source has ended by itself, well or by an error, so that no frame will
    come any more; it does so before anybody can hear of the end.
    """

    def __init__(
        self,
        source: Source,
        *,
        orientation: Orientation | None = None,
        paced: bool = False,
        waits: Callable[[], Iterable[float]] = backoff,
    ) -> None:
        self.source = source
        self.sole = True
        self.ended = False
        self.error: Exception | None = None
        self._orientation = orientation or Orientation()
        self._paced = paced and not source.live
        self._waits = waits
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, frames: Channel[Frame | str], attempted: Callable[[], None]) -> None:
        """Start the thread.

        frames: gets the frames, and a text where there is none; closed at the source's end.
        attempted: told of each attempt to reach a lost source again.
        """
        source = self.source
        if source.live:
            source = Reconnecting(
                source,
                wait=self._stop.wait,
                attempted=attempted,
                lost=lambda error: self._say(frames, str(error)),
                insists=lambda: not self.sole,
                waits=self._waits,
            )
        self._thread = threading.Thread(
            target=self._work, args=(source, frames), name=f"capture {source.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Take no more frames; may be called again."""
        self._stop.set()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the thread to end, which needs `stop` and a closed channel; no longer."""
        if self._thread:
            self._thread.join(timeout_seconds)

    def _work(self, source: Source, frames: Channel[Frame | str]) -> None:
        end = f"{source.name}: has ended"
        try:
            self._hand_on(source, frames)
            if self._paced and not self.sole:
                # The last picture lasts as long as others: what is said next takes its place.
                self._stop.wait(1.0 / (source.fps or FPS_OF_LAST_RESORT))
        except Closed:
            pass
        except Exception as error:
            self.error = error
            end = str(error)
        finally:
            # A door that begins anew stops its capture, and what was ordered at it lasts.
            self.ended = not self._stop.is_set()
            self._say(frames, end)
            frames.close()
            source.close()

    def _hand_on(self, source: Source, frames: Channel[Frame | str]) -> None:
        started_at: float | None = None
        for frame in source.frames():
            image = self._orientation.apply(frame.image)
            if self._paced:
                now = time.monotonic()
                started_at = now - frame.time if started_at is None else started_at
                self._stop.wait(max(started_at + frame.time - now, 0.0))
            frames.put(replace(frame, image=image))

    def _say(self, frames: Channel[Frame | str], fault: str) -> None:
        # A sole door ends together with its source: nobody is left to hear of it.
        if not self.sole:
            with contextlib.suppress(Closed):
                frames.put(fault)
