"""The doorkeeper: from one frame to a decision, and from the decision to the door's actuators."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from .actuators.lease import Lease
from .decision import Decision, Door, Order, denies
from .detections import Detections
from .errors import NoEvidence
from .evidence import Evidence
from .frame import Frame, Image
from .freshness import Freshness
from .result import Result
from .zones import Zones

# A frame of a recording may take far longer to decide on than it lasted.
RECORDED_LEASE_SECONDS = 10.0

# How much longer than the grace an order to unlock outlives the decision that renewed it: a camera
# that is lost has four in that time, and a door that opens by its pictures has one in the grace.
ORDERED_SECONDS = 1.0

# Stands for the picture of a camera that never gave one.
_BLACK_WIDTH_PX, _BLACK_HEIGHT_PX = 640, 360


class Judge(Protocol):
    """What decides about the door: a `Policy`, or anything that answers like one."""

    def update(
        self,
        detections: Detections | None,
        time: float,
        *,
        lasts_seconds: float = 0.0,
        fault: str | None = None,
        order: Order | None = None,
    ) -> Decision:
        """See `Policy.update`."""
        ...


class Lock(Protocol):
    """What takes leases: an actuator's `Worker`, which has its name."""

    name: str

    def start(self) -> None:
        """Begin, with the door locked."""
        ...

    def apply(self, lease: Lease) -> None:
        """Take a newer lease."""
        ...

    def end(self) -> None:
        """Begin to lock for good, without waiting for it."""
        ...

    def close(self, timeout_seconds: float) -> bool:
        """Lock for good and end; True when the door is certainly locked.

        Otherwise it may be called once more, to see what comes of giving up.
        """
        ...


class Doorkeeper:
    """Looks at frames one by one and drives the door; used by one thread.

    detector: finds the faces in a picture, uint8 [H, W, 3]. Where it raises NoEvidence, the frame
        is one that nothing is known of; what else it raises is passed on.
    zones: which of them count.
    judge: decides; made anew for each source.
    locks: the door's actuators.
    orders: what may overrule the judge at a frame, first before last; None from one that does not.
    watchers: told of every result, after the locks; each must return at once and never raise.
    live: whether frames are of now. Only then can they be stale, repeated or missing.
    grace_seconds: how long a live lease outlives the CLEAR frame that renewed it.
    max_age_seconds: oldest a live frame may be when it is decided on; in an older one, nothing but
        a VIOLATION counts.
    door_name: which door the leases are for.
    clock: seconds; what `Frame.time` of a live source is measured by.
    """

    def __init__(
        self,
        *,
        detector: Callable[[Image], Detections],
        zones: Zones,
        judge: Judge,
        locks: Sequence[Lock],
        orders: Sequence[Callable[[], Order | None]] = (),
        watchers: Sequence[Callable[[Result], None]] = (),
        live: bool,
        grace_seconds: float,
        max_age_seconds: float,
        door_name: str = "door",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._detector = detector
        self.zones = zones
        self._judge = judge
        self._locks = locks
        self._orders = orders
        self._watchers = watchers
        self._live = live
        self._grace_seconds = grace_seconds
        self._max_age_seconds = max_age_seconds
        self._door_name = door_name
        self._sequence = itertools.count(1)
        self._clock = clock
        self._freshness = Freshness()
        black = np.zeros((_BLACK_HEIGHT_PX, _BLACK_WIDTH_PX, 3), np.uint8)
        self._latest = Frame(black, 0, clock() if live else 0.0)
        self._fault: str | None = None
        self._judged_until = float("-inf")

    def see(self, frame: Frame) -> Result:
        """Decide on a frame and drive the door."""
        self._latest, self._fault = frame, None
        fault = self._freshness.fault(frame.image, frame.time) if self._live else None
        if fault:
            return self._doubt(frame, fault)
        height_px, width_px = frame.image.shape[:2]
        try:
            seen = self._detector(frame.image)
        except NoEvidence as error:
            # Not the end: the next frame may be judged well, and other doors have theirs.
            return self._doubt(frame, str(error))
        faces = self.zones.select(seen, width_px, height_px)
        # After the detector: what must not be old is the decision, not only the picture.
        age_seconds = self._age_seconds(frame)
        # A picture that seems to come from the future tells of a clock that jumped.
        if age_seconds is not None and not 0.0 <= age_seconds <= self._max_age_seconds:
            return self._doubt(frame, f"picture {age_seconds:.1f} s old", faces=faces)
        # It may have been taken before what was judged last, such as a `miss`. It is judged after
        # that, yet is evidence of no later moment than its own.
        self._judged_until = time_seconds = max(frame.time, self._judged_until)
        lasts_seconds = frame.lasts_seconds - (time_seconds - frame.time)
        order = self._order()
        decision = self._judge.update(faces, time_seconds, lasts_seconds=lasts_seconds, order=order)
        result = Result(frame, decision, candidates=faces, age_seconds=age_seconds, seen=seen)
        return self._done(result, order)

    def miss(self) -> Result:
        """Decide that no frame has come for a while."""
        silent_seconds = self._clock() - self._latest.time
        fault = self._fault or f"camera silent for {silent_seconds:.1f} s"
        return self._doubt(self._latest, fault, fresh=False)

    def fail(self, fault: str) -> Result:
        """Decide that no frame comes until there is one again.

        fault: what keeps it from coming, in words; the reason for the door being locked.
        """
        self._fault = fault
        return self._doubt(self._latest, fault, fresh=False)

    def _doubt(
        self, frame: Frame, fault: str, *, faces: Detections | None = None, fresh: bool = True
    ) -> Result:
        if self._live:
            # Even where the clock has gone back: that must reach the policy, which then locks.
            self._judged_until = now = self._clock()
        elif fresh:
            now = frame.time
        else:
            # A recording has no time of its own after its end: late enough for the door to lock.
            now = frame.time + frame.lasts_seconds + 2 * self._grace_seconds
        order = self._order()
        decision = self._judge.update(faces, now, fault=fault, order=order)
        age_seconds = self._age_seconds(frame) if fresh else None
        return self._done(Result(frame, decision, fresh, age_seconds=age_seconds), order)

    def _order(self) -> Order | None:
        return next((order for ask in self._orders if (order := ask()) is not None), None)

    def _done(self, result: Result, order: Order | None) -> Result:
        self._drive(result, order)
        for watch in self._watchers:
            watch(result)
        return result

    def _age_seconds(self, frame: Frame) -> float | None:
        return self._clock() - frame.time if self._live else None

    def _drive(self, result: Result, order: Order | None) -> None:
        decision = result.decision
        unlocked = decision.door is Door.UNLOCKED
        if unlocked and decision.evidence is not Evidence.CLEAR and order is None:
            return  # the lease of the latest CLEAR frame runs on; only CLEAR renews it
        if order is not None:
            # Renewed by every decision, so that an order ends with whoever decides.
            captured_at = self._clock()
            live_seconds = self._grace_seconds + ORDERED_SECONDS
            lasts_seconds = live_seconds if self._live else RECORDED_LEASE_SECONDS
            expires_at = min(captured_at + lasts_seconds, order.until)
        elif self._live:
            captured_at = result.frame.time if result.fresh else self._clock()
            expires_at = min(captured_at + self._grace_seconds, decision.locks_at)
        else:
            # In a recording's own time the policy locks; this only guards against a replay that
            # hangs.
            captured_at = self._clock()
            expires_at = captured_at + RECORDED_LEASE_SECONDS
        lease = Lease(
            unlocked=unlocked,
            reason=decision.reason,
            door_name=self._door_name,
            sequence=next(self._sequence),
            captured_at=captured_at,
            expires_at=expires_at,
            denies=denies(decision.evidence, decision.door),
            order=order,
        )
        for lock in self._locks:
            lock.apply(lease)
