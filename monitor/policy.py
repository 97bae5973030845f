"""The policy: from the faces of each frame to a decision about the door, without a clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .decision import Decision, Door, Order, overruled
from .detections import Detections
from .errors import ConfigError
from .evidence import Evidence, FrameRule, Judgement, Verdict
from .track import Track, Tracker


@dataclass(frozen=True, slots=True)
class _Run:
    """CLEAR evidence without too long a gap.

    start, until: seconds, from its first frame to its latest end.
    locks_at: seconds, when it has kept the door unlocked for long enough; None as long as it has
        not unlocked it.
    """

    start: float
    until: float
    locks_at: float | None = None


class Policy:
    """Unlocks only after CLEAR has held, and locks whenever that is no longer known.

    A frame is CLEAR when its faces are by themselves and each of them has settled. The door is
    unlocked at a CLEAR frame at least `hold_seconds` after the first of its run. A run outlives
    UNKNOWN frames while no gap between two CLEAR frames exceeds `grace_seconds`. The door is locked
    at once by a VIOLATION, by the first update more than `grace_seconds` after the latest CLEAR,
    and, once a run has kept it unlocked for `max_unlock_seconds`, until no face that passes has
    been seen for `grace_seconds`. Make a new policy for each source.

    rule: what must be seen in a single frame.
    settle_seconds: for how long a face must have been seen passing, and never otherwise, before it
        counts; 0 takes each frame by itself.
    hold_seconds: how long CLEAR must hold before the door is unlocked.
    grace_seconds: longest gap between two CLEAR frames, and between two sightings of one face; must
        exceed the time between two frames of the source, or no run ever grows.
    max_unlock_seconds: longest time unlocked, above 0.

    Raises ConfigError, listing everything that is wrong.
    """

    def __init__(
        self,
        rule: FrameRule,
        *,
        settle_seconds: float = 0.0,
        hold_seconds: float = 1.0,
        grace_seconds: float = 0.5,
        max_unlock_seconds: float = math.inf,
    ) -> None:
        wrong = [
            f"{name}: found {value}, expected 0 or more"
            for name, value in (
                ("settle_seconds", settle_seconds),
                ("hold_seconds", hold_seconds),
                ("grace_seconds", grace_seconds),
            )
            if not 0.0 <= value < math.inf
        ]
        if not max_unlock_seconds > 0.0:
            wrong.append(f"max_unlock_seconds: found {max_unlock_seconds}, expected more than 0")
        if wrong:
            raise ConfigError("policy: " + "; ".join(wrong))
        self._rule = rule
        self._settle_seconds = settle_seconds
        self._hold_seconds = float(hold_seconds)
        self._grace_seconds = float(grace_seconds)
        self._max_unlock_seconds = float(max_unlock_seconds)
        self._tracker = Tracker(forget_seconds=grace_seconds)
        self._latest_time = -math.inf
        self._run: _Run | None = None
        self._passing_until = -math.inf
        # Outlives the run: one misread frame must not give the door to somebody who never left.
        self._spent = False

    def update(
        self,
        detections: Detections | None,
        time: float,
        *,
        lasts_seconds: float = 0.0,
        fault: str | None = None,
        order: Order | None = None,
    ) -> Decision:
        """Decide about the door, given one more frame.

        detections: the frame's faces; None when there is no fresh frame, which is UNKNOWN.
        time: seconds on the source's clock, never decreasing. A time before the latest one, or one
            that is not finite, is UNKNOWN, locks and ends the run; until the clock has caught up
            with the latest time again nothing else is decided, because a violation must not slip
            out of the hold window with the clock.
        lasts_seconds: a CLEAR frame is evidence until `time + lasts_seconds`; below 0 where it was
            taken before what was decided last.
        fault: why the frame is no evidence, in words; None for nothing. Only a VIOLATION in it
            counts all the same.
        order: what the door is to be whatever is seen. It ends the run, so that afterwards CLEAR
            must hold anew.

        Raises ValueError when `lasts_seconds` is not finite.
        """
        if not math.isfinite(lasts_seconds):
            raise ValueError(f"lasts_seconds: found {lasts_seconds}, expected a finite number")
        judgement, tracks = self._judged(detections, time, time + lasts_seconds, fault)
        if (
            order is not None
            or time != self._latest_time
            or judgement.evidence is Evidence.VIOLATION
            or self._gap_seconds(time) > self._grace_seconds
        ):
            self._run = None
        if judgement.evidence is Evidence.CLEAR and order is None:
            self._prolong(time, time + lasts_seconds)
        decision = self._decision(judgement, tracks, time)
        return decision if order is None else overruled(decision, order)

    def _wrong_time(self, time: float) -> str:
        """What is wrong with the time of a frame, in words; empty when it is right."""
        if not math.isfinite(time):
            return f"time is {time}"
        if time < self._latest_time:
            return f"time went back from {self._latest_time:.3f} to {time:.3f} s"
        return ""

    def _judged(
        self, detections: Detections | None, time: float, until: float, fault: str | None
    ) -> tuple[Judgement, tuple[Track, ...]]:
        """What the frame says, now that its faces are known from earlier ones, and their tracks."""
        wrong_time = self._wrong_time(time)
        if wrong_time:
            return self._rule.unknown(wrong_time), ()
        self._latest_time = time
        self._spent = self._is_spent(time)
        judgement = self._rule.judge(detections, fault)
        passing = [verdict is Verdict.ALLOWED for verdict in judgement.verdicts]
        if any(passing):
            self._passing_until = max(self._passing_until, until)
        tracks = self._tracker.follow(judgement.faces.boxes, passing, time, until)
        new = [
            passes and track.settled_seconds < self._settle_seconds
            for passes, track in zip(passing, tracks, strict=True)
        ]
        if judgement.evidence is Evidence.CLEAR and any(new):
            reason = f"{sum(new)} of {len(new)} faces new" if len(new) > 1 else "1 face, new"
            judgement = replace(judgement, evidence=Evidence.UNKNOWN, reason=reason)
        verdicts = tuple(
            Verdict.UNCERTAIN if is_new else verdict
            for is_new, verdict in zip(new, judgement.verdicts, strict=True)
        )
        return replace(judgement, verdicts=verdicts), tracks

    def _is_spent(self, time: float) -> bool:
        """Whether the longest time unlocked is over for whoever has been there since."""
        locks_at = self._run.locks_at if self._run else None
        spent = self._spent or (locks_at is not None and time >= locks_at)
        return spent and time - self._passing_until <= self._grace_seconds

    def _prolong(self, time: float, until: float) -> None:
        """Let the run, a new one if there is none, take in one more CLEAR frame."""
        run = self._run or _Run(time, until)
        self._run = run = replace(run, until=max(run.until, until))
        held = self._held_seconds(time) >= self._hold_seconds
        if held and run.locks_at is None and not self._spent:
            self._run = replace(run, locks_at=time + self._max_unlock_seconds)

    def _held_seconds(self, time: float) -> float:
        """For how long the run has been seen; 0 without one."""
        return max(min(time, self._run.until) - self._run.start, 0.0) if self._run else 0.0

    def _gap_seconds(self, time: float) -> float:
        """How long ago the run's evidence ended; 0 without a run or while it still lasts."""
        return max(time - self._run.until, 0.0) if self._run else 0.0

    def _decision(self, judgement: Judgement, tracks: tuple[Track, ...], time: float) -> Decision:
        run = self._run
        locks_at = -math.inf if run is None or run.locks_at is None else run.locks_at
        return Decision(
            time,
            judgement.evidence,
            Door.UNLOCKED if time < locks_at else Door.LOCKED,
            judgement.reason + self._progress(judgement.evidence, time),
            judgement.faces,
            self._held_seconds(time),
            self._hold_seconds,
            judgement.verdicts,
            tuple(track.number for track in tracks),
            locks_at,
            self._rule.allowed,
        )

    def _progress(self, evidence: Evidence, time: float) -> str:
        """What the history adds to the reason that the frame gives."""
        run, clear = self._run, evidence is Evidence.CLEAR
        if run is None:
            return ""
        if self._spent:
            return f", unlocked for {self._max_unlock_seconds:g} s, the longest allowed"
        if run.locks_at is None:
            held = f", held {_tenths(self._held_seconds(time))} of {self._hold_seconds} s"
            return held if clear else ""
        grace = f", {_tenths(self._gap_seconds(time))} of {self._grace_seconds} s grace"
        return "" if clear else grace


def _tenths(seconds: float) -> str:
    # Rounded down: 0.96 s must not read as the 1.0 s that would have changed the door.
    return f"{math.floor(seconds * 10) / 10:.1f}"
