"""Captions: what is written at a face and below the picture."""

from __future__ import annotations

from collections.abc import Sequence

from ..decision import Decision
from ..detections import FloatArray
from ..evidence import Evidence, Verdict

_THIRDS = ("left", "middle", "right")


def face_caption(
    scores: FloatArray, classes: tuple[str, ...], verdict: Verdict, allowed: Sequence[str]
) -> str:
    """The class that the verdict is about, and its score.

    scores: float32 [C], of one face. classes: the names of their columns.
    allowed: the classes with which a face may pass.
    """
    asked = {
        Verdict.ALLOWED: [name for name in classes if name in allowed],
        Verdict.DENIED: [name for name in classes if name not in allowed],
        Verdict.UNCERTAIN: classes,
    }[verdict]
    found = dict(zip(classes, (float(score) for score in scores), strict=True))
    # A face may be denied for its second best class, whose score is then what matters.
    name = max(asked, key=lambda name: found[name])
    return f"{name} {found[name]:.2f}"


def why(decision: Decision, width_px: int) -> str:
    """The reason, with where in a picture of that width the faces are that keep the door shut."""
    if decision.evidence is not Evidence.VIOLATION:
        return decision.reason
    judged = zip(decision.faces.boxes, decision.verdicts, strict=True)
    centres = [(box[0] + box[2]) / 2 for box, verdict in judged if verdict is Verdict.DENIED]
    found = {min(max(int(3 * centre // width_px), 0), 2) for centre in centres}
    return f"{decision.reason}: {', '.join(_THIRDS[third] for third in sorted(found))}"


def pace(frames_per_second: float | None, age_seconds: float | None) -> str:
    """How fast decisions are made and how old the picture is; None leaves either out."""
    rate = "" if frames_per_second is None else f"{frames_per_second:.0f} fps"
    age = "" if age_seconds is None else f"{age_seconds:.1f} s old"
    return ", ".join(part for part in (rate, age) if part)
