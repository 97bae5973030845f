"""When the picture of a stream was taken, by the timestamps that its camera gave it."""

from __future__ import annotations

from collections import deque

# Cheap cameras count pictures for a clock and are wrong by up to a hundredth. A backlog that grows
# more slowly than this goes unnoticed, and one that stays is forgotten at this pace.
_DRIFT = 0.02
_STANDSTILLS = 10
# Where pictures come up to 15 ms early or late, the shortest way falls by 0.03 s in all. A backlog
# from before the first picture that shrinks more slowly than this goes unnoticed.
_WATCHED_SECONDS = 1.0
_MOST_FALL_SECONDS = 0.05
# A large picture takes longer than a small one, but not by as much as this.
_HELD_UP_SECONDS = 0.25


class StreamClock:
    """Tells how long pictures waited on their way, in the network or before a slow decoder.

    A camera's clock has another zero than this machine's, but the same pace. The picture that came
    soonest after its timestamp is taken not to have waited; any other waited for as much as it came
    later. Used for one connection.
    """

    def __init__(self) -> None:
        self._latest = -float("inf"), -float("inf")
        self._shortest_seconds = float("inf")
        self._latest_way_seconds = float("inf")
        self._watched: deque[tuple[float, float]] = deque()
        self._shortest_watched_seconds = float("inf")
        self._settled = False
        self._standstills = 0
        self._set_back_seconds = 0.0

    def taken_at(self, stamp_seconds: float, arrived_at: float) -> float | None:
        """When a picture was taken, at most `arrived_at`; None where that cannot be told.

        It cannot in the first second, nor while pictures come sooner and sooner after their
        timestamps, and for a second more: then a backlog is worked off that was there before the
        first picture came, such as what a library gathers while it opens a stream. Where a picture
        is held up meanwhile, the second begins anew. It cannot from a timestamp that is repeated or
        set back; the next picture waited as long as those before.

        stamp_seconds: the picture's timestamp, by the camera's clock.
        arrived_at: when it came, by the clock of this machine that is also the result's.
        """
        passed_there, passed_here = stamp_seconds - self._latest[0], arrived_at - self._latest[1]
        self._latest = stamp_seconds, arrived_at
        self._standstills = self._standstills + 1 if passed_there <= 0 else 0
        # From a camera without a clock all must be taken for new.
        clockless = self._standstills > _STANDSTILLS
        if passed_there < 0 or clockless:
            self._set_back_seconds += passed_here - passed_there
        if self._standstills:
            return arrived_at if clockless else None
        told_seconds = stamp_seconds + self._set_back_seconds
        way_seconds, drift_seconds = arrived_at - told_seconds, _DRIFT * passed_here
        self._shortest_seconds = min(self._shortest_seconds + drift_seconds, way_seconds)
        self._settled = self._has_settled(arrived_at, way_seconds, drift_seconds)
        return told_seconds + self._shortest_seconds if self._settled else None

    def _has_settled(self, arrived_at: float, way_seconds: float, drift_seconds: float) -> bool:
        """Whether the shortest way is known for long enough to be believed."""
        held_up = way_seconds - self._latest_way_seconds > _HELD_UP_SECONDS
        self._latest_way_seconds = way_seconds
        if held_up and not self._settled:
            # A backlog that has grown does not fall below what it was until that is worked off.
            self._watched.clear()
            self._shortest_watched_seconds = way_seconds
        shortest_before = self._shortest_watched_seconds + drift_seconds
        self._shortest_watched_seconds = min(shortest_before, way_seconds)
        self._watched.append((arrived_at, self._shortest_watched_seconds))
        while len(self._watched) > 1 and self._watched[1][0] <= arrived_at - _WATCHED_SECONDS:
            self._watched.popleft()
        since, shortest_then = self._watched[0]
        fell_seconds = shortest_then - self._shortest_watched_seconds
        return arrived_at - since >= _WATCHED_SECONDS and fell_seconds <= _MOST_FALL_SECONDS
