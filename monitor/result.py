"""The result: what became of a frame."""

from __future__ import annotations

from dataclasses import dataclass

from .decision import Decision
from .detections import Detections
from .frame import Frame


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a frame.

    frame: the frame; of a camera that fell silent, the last one that came.
    decision: what the policy made of it.
    fresh: whether this is the frame's first result.
    age_seconds: from the frame's capture to the decision about it; None where the frame is
        recorded, or was decided on before.
    candidates: what the detector found where faces count, before any threshold of the policy; None
        when it did not look.
    seen: what it found anywhere in the picture, also where faces do not count.
    """

    frame: Frame
    decision: Decision
    fresh: bool = True
    candidates: Detections | None = None
    age_seconds: float | None = None
    seen: Detections | None = None
