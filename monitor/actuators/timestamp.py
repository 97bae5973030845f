"""The timestamps that go with what is sent to a lock, which rise as long as the process lives."""

from __future__ import annotations

import threading
import time


class Timestamps:
    """Milliseconds since 1970, each above the one before, also when the clock is set back.

    A receiver refuses what is not above the last: a lock must not look like a replay to it.
    """

    def __init__(self) -> None:
        self._latest_ms = 0
        self._counting = threading.Lock()

    def next_ms(self) -> int:
        """The next one; may be called by any thread."""
        with self._counting:
            self._latest_ms = max(time.time_ns() // 1_000_000, self._latest_ms + 1)
            return self._latest_ms


# One for all: an actuator that is made anew, for another configuration, goes on above the former.
TIMESTAMPS = Timestamps()
