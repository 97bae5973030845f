"""Evidence: what one frame says by itself about the faces in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from .contract import SCORE_FLOOR
from .detections import Detections, FloatArray
from .errors import ConfigError


class Evidence(StrEnum):
    """What one frame says: everyone covered, someone not, or not known."""

    CLEAR = "clear"
    VIOLATION = "violation"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What one face says: it may pass, it keeps the door shut, or neither is certain."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one frame says.

    evidence: whether everyone is covered.
    reason: why, in words.
    faces: the faces judged: large enough and above the noise.
    verdicts: of each of them.
    """

    evidence: Evidence
    reason: str
    faces: Detections
    verdicts: tuple[Verdict, ...]


class FrameRule:
    """What must be seen in a single frame for it to count as CLEAR.

    classes: the model's class names in the order of the score columns.
    allowed: the classes with which a face may pass.
    grant: score, 0 to 1, from which a face counts as allowed.
    deny: score, SCORE_FLOOR to `grant`, from which any other class keeps the door shut, and under
        whose value a detection is noise.
    min_faces: allowed faces needed, at least 1: an empty frame never opens the door.
    smallest_face_px: detections with a smaller side (square root of the area) are ignored.

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
    ) -> None:
        checks = [
            (
                bool(allowed) and set(allowed) <= set(classes),
                f"allowed: found {', '.join(allowed) or 'nothing'}, expected one or more of the "
                f"model's classes: {', '.join(classes)}",
            ),
            (
                SCORE_FLOOR <= deny <= grant <= 1.0,
                f"deny {deny} and grant {grant} found, "
                f"expected {SCORE_FLOOR:g} <= deny <= grant <= 1",
            ),
            (min_faces >= 1, f"min_faces: found {min_faces}, expected at least 1"),
            (
                0.0 <= smallest_face_px < math.inf,
                f"smallest_face_px: found {smallest_face_px}, expected 0 or more",
            ),
        ]
        wrong = [message for right, message in checks if not right]
        if wrong:
            raise ConfigError("policy: " + "; ".join(wrong))
        self.allowed = tuple(allowed)
        self._classes = classes
        self._allowed = np.array([name in allowed for name in classes])
        self._grant = grant
        self._deny = deny
        self._min_faces = min_faces
        self._smallest_face_px = smallest_face_px
        masks = tuple(allowed) == ("mask",)
        self._good = "masked" if masks else " or ".join(allowed)
        self._bad = "mask below the nose or no mask" if masks else f"not {self._good}"

    def judge(self, detections: Detections | None, fault: str | None = None) -> Judgement:
        """What a frame's detections say.

        detections: None when there is no fresh frame, which is UNKNOWN.
        fault: why the frame is no evidence, in words; None for nothing. Then only a VIOLATION
            counts: seen late or by a wrong clock, a bare face is still a bare one.

        Raises ValueError when they are of other classes than the rule's.
        """
        if detections is None:
            return self.unknown(fault or "no picture")
        if detections.cut_off >= self._deny:
            fault = fault or "more faces than can be judged"
        if detections.classes != self._classes:
            raise ValueError(
                f"detections of classes {detections.classes} found, expected {self._classes}"
            )
        seen = detections.where(detections.best_scores >= self._deny)
        faces = seen.where(seen.sides_px >= self._smallest_face_px)
        granted = _best(faces, self._allowed) >= self._grant
        denied = _best(faces, ~self._allowed) >= self._deny
        good, bad, total = int(granted.sum()), int(denied.sum()), len(faces)
        reason = self._words(good, bad, total)
        if bad:
            evidence = Evidence.VIOLATION
            reason += f", {fault}" if fault else ""
        elif fault:
            return self.unknown(fault)
        elif not total:
            evidence = Evidence.UNKNOWN
            reason += f" of {self._smallest_face_px:g} px or more" if len(seen) else ""
        elif good < total:
            evidence = Evidence.UNKNOWN
        elif good < self._min_faces:
            evidence = Evidence.UNKNOWN
            reason += f", {self._min_faces} needed"
        else:
            evidence = Evidence.CLEAR
        return Judgement(evidence, reason, faces, tuple(map(_verdict, granted, denied)))

    def _words(self, good: int, bad: int, total: int) -> str:
        """The reason, of so many faces."""
        if bad:
            return self._bad if total == 1 else f"{self._bad} ({bad} of {total} faces)"
        if total == 0:
            return "no face"
        if total == 1:
            return f"1 face {self._good}" if good else "1 face uncertain"
        if good < total:
            return f"{good} of {total} faces {self._good}, {total - good} uncertain"
        return f"all {total} faces {self._good}"

    def unknown(self, reason: str) -> Judgement:
        """The judgement where there is nothing to look at."""
        return Judgement(Evidence.UNKNOWN, reason, Detections.empty(self._classes), ())


def _verdict(granted: bool, denied: bool) -> Verdict:
    if denied:
        return Verdict.DENIED
    return Verdict.ALLOWED if granted else Verdict.UNCERTAIN


def _best(faces: Detections, columns: npt.NDArray[np.bool_]) -> FloatArray:
    """float32 [N]: each face's best score among some of the columns, bool [C]; 0 without any."""
    best: FloatArray = faces.scores[:, columns].max(axis=1, initial=0.0)
    return best
