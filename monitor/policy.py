"""The policy: from the faces of each frame to a decision about the door, without a clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .detections import Detections, FloatArray
from .errors import ConfigError


class Evidence(StrEnum):
    """What one frame says: everyone covered, someone not, or not known."""

    CLEAR = "clear"
    VIOLATION = "violation"
    UNKNOWN = "unknown"


class Door(StrEnum):
    """What the door is to be."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"


class Verdict(StrEnum):
    """What one face says: it may pass, it keeps the door shut, or neither is certain."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNCERTAIN = "uncertain"


class Judgement(NamedTuple):
    """What one frame says by itself.

    evidence: whether everyone is covered.
    reason: why, in words.
    faces: the faces judged: large enough and above the noise.
    verdicts: of each of them.
    """

    evidence: Evidence
    reason: str
    faces: Detections
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy makes of one frame and of the frames before it.

    time: seconds, of the frame.
    evidence: what this frame says by itself.
    door: what the door is to be from now on.
    reason: why, in words; the same for the same frames.
    faces: the faces judged: large enough and above the noise.
    held_seconds: how long CLEAR has held, 0 when it does not.
    hold_seconds: how long it must hold before the door is unlocked.
    verdicts: of each of the faces.
    """

    time: float
    evidence: Evidence
    door: Door
    reason: str
    faces: Detections
    held_seconds: float
    hold_seconds: float
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    """CLEAR evidence without too long a gap: from its first frame to its latest end, seconds."""

    start: float
    until: float


class Policy:
    """Unlocks only after CLEAR has held, and locks whenever that is no longer known.

    The door is unlocked at a CLEAR frame at least `hold_seconds` after the first of its run. A run
    outlives UNKNOWN frames while no gap between two CLEAR frames exceeds `grace_seconds`. The door
    is locked at once by a VIOLATION, and by the first update more than `grace_seconds` after the
    latest CLEAR. Make a new policy for each source.

    classes: the model's class names in the order of the score columns.
    allowed: the classes with which a face may pass.
    grant: score, 0 to 1, from which a face counts as allowed.
    deny: score, 0 to 1, from which any other class keeps the door shut, and under whose value a
        detection is noise; at most `grant`.
    min_faces: allowed faces needed, at least 1: an empty frame never opens the door.
    smallest_face_px: detections with a smaller side (square root of the area) are ignored.
    hold_seconds: how long CLEAR must hold before the door is unlocked.
    grace_seconds: longest gap between two CLEAR frames; must exceed the time between two frames of
        the source, or no run ever grows.

    Raises ConfigError, listing everything that is wrong.
    """

    def __init__(
        self,
        *,
        classes: tuple[str, ...],
        allowed: Sequence[str] = ("mask",),
        grant: float = 0.5,
        deny: float = 0.3,
        min_faces: int = 1,
        smallest_face_px: float = 20.0,
        hold_seconds: float = 1.0,
        grace_seconds: float = 0.5,
    ) -> None:
        checks = [
            (
                bool(allowed) and set(allowed) <= set(classes),
                f"allowed: found {', '.join(allowed) or 'nothing'}, expected one or more of the "
                f"model's classes: {', '.join(classes)}",
            ),
            (
                0.0 < deny <= grant <= 1.0,
                f"deny {deny} and grant {grant} found, expected 0 < deny <= grant <= 1",
            ),
            (min_faces >= 1, f"min_faces: found {min_faces}, expected at least 1"),
            *(
                (0.0 <= value < math.inf, f"{name}: found {value}, expected 0 or more")
                for name, value in (
                    ("smallest_face_px", smallest_face_px),
                    ("hold_seconds", hold_seconds),
                    ("grace_seconds", grace_seconds),
                )
            ),
        ]
        wrong = [message for right, message in checks if not right]
        if wrong:
            raise ConfigError("policy: " + "; ".join(wrong))
        self._classes = classes
        self._allowed = np.array([name in allowed for name in classes])
        self._grant = grant
        self._deny = deny
        self._min_faces = min_faces
        self._smallest_face_px = smallest_face_px
        self._hold_seconds = float(hold_seconds)
        self._grace_seconds = float(grace_seconds)
        masks = tuple(allowed) == ("mask",)
        self._good = "masked" if masks else " or ".join(allowed)
        self._bad = "mask below the nose or no mask" if masks else f"not {self._good}"
        self._latest_time = -math.inf
        self._run: _Run | None = None
        self._door = Door.LOCKED

    def judge(self, detections: Detections) -> Judgement:
        """What one frame says by itself.

        Raises ValueError when the detections are of other classes than the policy's.
        """
        if detections.classes != self._classes:
            raise ValueError(
                f"detections of classes {detections.classes} found, expected {self._classes}"
            )
        seen = detections.where(detections.best_scores >= self._deny)
        faces = seen.where(seen.sides_px >= self._smallest_face_px)
        granted = _best(faces, self._allowed) >= self._grant
        denied = _best(faces, ~self._allowed) >= self._deny
        verdicts = tuple(map(_verdict, granted, denied))
        good, bad, total = int(granted.sum()), int(denied.sum()), len(faces)
        reason = self._words(good, bad, total)
        if bad:
            return Judgement(Evidence.VIOLATION, reason, faces, verdicts)
        if not total:
            small = f" of {self._smallest_face_px:g} px or more" if len(seen) else ""
            return Judgement(Evidence.UNKNOWN, f"no face{small}", faces, verdicts)
        if good < total:
            return Judgement(Evidence.UNKNOWN, reason, faces, verdicts)
        if good < self._min_faces:
            reason += f", {self._min_faces} needed"
            return Judgement(Evidence.UNKNOWN, reason, faces, verdicts)
        return Judgement(Evidence.CLEAR, reason, faces, verdicts)

    def _words(self, good: int, bad: int, total: int) -> str:
        """The reason, of so many faces."""
        if bad:
            return self._bad if total == 1 else f"{self._bad} ({bad} of {total} faces)"
        if good < total:
            unsure = f"{total - good} uncertain"
            return (
                f"{good} of {total} faces {self._good}, {unsure}"
                if total > 1
                else "1 face uncertain"
            )
        return f"{'1 face' if total == 1 else f'all {total} faces'} {self._good}"

    def update(
        self,
        detections: Detections | None,
        time: float,
        *,
        lasts_seconds: float = 0.0,
        fault: str = "no picture",
    ) -> Decision:
        """Decide about the door, given one more frame.

        detections: the frame's faces; None when there is no fresh frame, which is UNKNOWN.
        time: seconds on the source's clock, never decreasing. A time before the latest one, or one
            that is not finite, is UNKNOWN, locks and ends the run; until the clock has caught up
            with the latest time again nothing else is decided, because a violation must not slip
            out of the hold window with the clock.
        lasts_seconds: a CLEAR frame is evidence until `time + lasts_seconds`.
        fault: the reason given when `detections` is None.

        Raises ValueError when `lasts_seconds` is negative or not finite.
        """
        if not 0.0 <= lasts_seconds < math.inf:
            raise ValueError(f"lasts_seconds: found {lasts_seconds}, expected 0 or more")
        nobody = Judgement(Evidence.UNKNOWN, fault, Detections.empty(self._classes), ())
        if not math.isfinite(time):
            self._lock()
            return self._decision(time, nobody._replace(reason=f"time is {time}"))
        if time < self._latest_time:
            self._lock()
            reason = f"time went back from {self._latest_time:.3f} to {time:.3f} s"
            return self._decision(time, nobody._replace(reason=reason))
        self._latest_time = time

        judged = nobody if detections is None else self.judge(detections)
        evidence, reason = judged.evidence, judged.reason
        if evidence is Evidence.VIOLATION or self._gap_seconds(time) > self._grace_seconds:
            self._lock()
        if evidence is Evidence.CLEAR:
            run = self._run or _Run(time, time)
            self._run = _Run(run.start, max(run.until, time + lasts_seconds))
            if time - run.start >= self._hold_seconds:
                self._door = Door.UNLOCKED
            else:
                reason += f", held {_tenths(time - run.start)} of {self._hold_seconds} s"
        elif self._door is Door.UNLOCKED:
            reason += f", {_tenths(self._gap_seconds(time))} of {self._grace_seconds} s grace"
        return self._decision(time, judged._replace(reason=reason))

    def _gap_seconds(self, time: float) -> float:
        """How long ago the run's evidence ended; 0 without a run or while it still lasts."""
        return max(time - self._run.until, 0.0) if self._run else 0.0

    def _lock(self) -> None:
        self._run = None
        self._door = Door.LOCKED

    def _decision(self, time: float, judged: Judgement) -> Decision:
        held_seconds = min(time, self._run.until) - self._run.start if self._run else 0.0
        return Decision(
            time,
            judged.evidence,
            self._door,
            judged.reason,
            judged.faces,
            held_seconds,
            self._hold_seconds,
            judged.verdicts,
        )


def _verdict(granted: bool, denied: bool) -> Verdict:
    if denied:
        return Verdict.DENIED
    return Verdict.ALLOWED if granted else Verdict.UNCERTAIN


def _best(faces: Detections, columns: npt.NDArray[np.bool_]) -> FloatArray:
    """float32 [N]: each face's best score among some of the columns, bool [C]; 0 without any."""
    best: FloatArray = faces.scores[:, columns].max(axis=1, initial=0.0)
    return best


def _tenths(seconds: float) -> str:
    # Rounded down: 0.96 s must not read as the 1.0 s that would have changed the door.
    return f"{math.floor(seconds * 10) / 10:.1f}"
