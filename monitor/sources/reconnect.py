"""Reconnecting: a live source that is asked again after it broke off."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Iterator

from ..errors import SourceError
from ..frame import Frame
from .source import Source

_log = logging.getLogger("monitor.source")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0


def backoff() -> Iterator[float]:
    """Seconds to wait before each attempt, without end: from half a second, doubled, to 30 s.

    Each is shortened by up to a half, at random: cameras that one switch cut off together should
    not all come back in the same moment.
    """
    wait_seconds = FIRST_WAIT_SECONDS
    while True:
        yield wait_seconds * random.uniform(0.5, 1.0)
        wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)


class Reconnecting:
    """The frames of a live source over as many connections as it takes.

    source: live; connects anew each time it is asked for its frames.
    wait: waits for some seconds; True ends the frames instead.
    attempted: told of each attempt to connect after a loss.
    lost: told of each loss before it is waited for.
    insists: asked whether to try again what never gave a picture.
    waits: seconds before each attempt; where they end, the error is final. A picture that arrives
        starts them anew.
    """

    live = True
    timeline = None

    def __init__(
        self,
        source: Source,
        *,
        wait: Callable[[float], bool],
        attempted: Callable[[], None],
        lost: Callable[[SourceError], None] = lambda error: None,
        insists: Callable[[], bool] = lambda: False,
        waits: Callable[[], Iterable[float]] = backoff,
    ) -> None:
        self.name = source.name
        self.fps = source.fps
        self.frame_count_hint = source.frame_count_hint
        self._source = source
        self._wait = wait
        self._attempted = attempted
        self._lost = lost
        self._insists = insists
        self._waits = waits

    def frames(self) -> Iterator[Frame]:
        """Yield frames until `wait` ends them.

        Raises SourceError when the first connection gives no picture, unless it `insists`: that is
        a wrong setting, not a lost camera.
        """
        waits: Iterator[float] | None = None
        attempts = 0
        while True:
            try:
                for frame in self._source.frames():
                    if attempts:
                        _log.info("%s: back after %d attempts", self.name, attempts)
                    waits, attempts = iter(self._waits()), 0
                    yield frame
                return
            except SourceError as error:
                if waits is None and self._insists():
                    waits = iter(self._waits())
                wait_seconds = next(waits, None) if waits else None
                if wait_seconds is None:
                    raise
                _log.warning("%s; connecting again in %.1f s", error, wait_seconds)
                self._lost(error)
            if self._wait(wait_seconds):
                return
            attempts += 1
            self._attempted()

    def close(self) -> None:
        """Release what the source holds."""
        self._source.close()
