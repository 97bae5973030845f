"""What a run or replay amounted to."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from .decision import Door
from .result import Result

_RECENT_FRAMES = 30
_AGED_FRAMES = 10_000


class Summary:
    """Counts frames, unlocks, the time unlocked in the source's own time, and reconnects.

    clock: seconds, for the frames per second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._recent = deque([self._started], maxlen=_RECENT_FRAMES)
        self._ages_seconds: deque[float] = deque(maxlen=_AGED_FRAMES)
        self._latest: Result | None = None
        self.frames = 0
        self.unlocks = 0
        self.unlocked_seconds = 0.0
        self.reconnects = 0

    def add(self, result: Result) -> None:
        """Count one more result of the same source."""
        before, now = self._latest, result.decision
        was_unlocked = before is not None and before.decision.door is Door.UNLOCKED
        if before is not None and was_unlocked:
            self.unlocked_seconds += now.time - before.decision.time
        if now.door is Door.UNLOCKED and not was_unlocked:
            self.unlocks += 1
        self.frames += result.fresh
        self._latest = result
        if result.fresh:
            self._recent.append(self._clock())
        if result.age_seconds is not None:
            self._ages_seconds.append(result.age_seconds)

    def reconnect(self) -> None:
        """Count one more attempt to reach a live source again; from the thread that attempts it."""
        self.reconnects += 1

    @property
    def frames_per_second(self) -> float:
        """Frames per second of wall time, from the beginning to the latest frame."""
        return self.frames / max(self._recent[-1] - self._started, 1e-9)

    @property
    def recent_frames_per_second(self) -> float:
        """Frames per second of wall time over the latest frames."""
        return (len(self._recent) - 1) / max(self._recent[-1] - self._recent[0], 1e-9)

    @property
    def ages_ms(self) -> tuple[float, float] | None:
        """From capture to decision, milliseconds: the middle, and what 99 % stay below.

        Of the latest 10 000 frames; None without any of a live source.
        """
        if not self._ages_seconds:
            return None
        middle, high = np.percentile(np.array(self._ages_seconds) * 1000, [50, 99]).tolist()
        return middle, high

    def __str__(self) -> str:
        text = (
            f"{_counted(self.frames, 'frame')}, {self.frames_per_second:.1f} frames per second, "
            f"{_counted(self.unlocks, 'unlock')}, {self.unlocked_seconds:.1f} s unlocked"
        )
        if self.ages_ms is not None:
            middle, high = self.ages_ms
            text += f", decided on after {middle:.0f} ms (p50) and {high:.0f} ms (p99)"
        return f"{text}, {_counted(self.reconnects, 'reconnect')}" if self.reconnects else text


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
