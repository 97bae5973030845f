"""When the picture of a stream was taken, by the timestamps that its camera gave it."""

from __future__ import annotations

# Cheap cameras count pictures for a clock and are wrong by up to a hundredth. A backlog that grows
# more slowly than this goes unnoticed.
_DRIFT = 0.02
_STANDSTILLS = 10


class StreamClock:
    """Tells how long pictures waited on their way, in the network or before a slow decoder.

    A camera's clock has another zero than this machine's, but the same pace. The picture that came
    soonest after its timestamp is taken not to have waited; any other waited for as much as it came
    later. Used for one connection.
    """

    def __init__(self) -> None:
        self._latest: tuple[float, float] | None = None
        self._shortest_seconds = float("inf")
        self._standstills = 0

    def taken_at(self, stamp_seconds: float, arrived_at: float) -> float | None:
        """When a picture was taken, at most `arrived_at`; None where that cannot be told.

        It cannot while a backlog is worked off that was there before the first picture came, such
        as what a library gathers while it opens a stream.

        stamp_seconds: the picture's timestamp, by the camera's clock.
        arrived_at: when it came, by the clock of this machine that is also the result's.
        """
        latest, self._latest = self._latest, (stamp_seconds, arrived_at)
        way_seconds = arrived_at - stamp_seconds
        if latest is None:
            self._shortest_seconds = way_seconds
            return None
        passed_there, passed_here = stamp_seconds - latest[0], arrived_at - latest[1]
        if passed_there <= 0:
            self._shortest_seconds = way_seconds
            self._standstills += 1
            # Set back, or repeated; but from a camera without a clock all must be taken for new.
            return arrived_at if self._standstills > _STANDSTILLS else None
        self._standstills = 0
        shortest_before = self._shortest_seconds + _DRIFT * passed_here
        self._shortest_seconds = min(shortest_before, way_seconds)
        if way_seconds < shortest_before and passed_here < passed_there / 2:
            return None
        return stamp_seconds + self._shortest_seconds
