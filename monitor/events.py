"""One JSON object for each frame, and the file that they are written to."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import MaskgateError, UsageError
from .result import Result


def event(source: str, result: Result) -> dict[str, Any]:
    """What a frame's result says, in plain values; the same for the same frames.

    source: the source's name.

    Keys: source, index, time (seconds), faces (each with the number of its track, box xyxy in
    pixels, label, score of the label, and scores by class), evidence, door, reason.
    """
    frame, decision = result.frame, result.decision
    classes = decision.faces.classes
    faces = []
    for index, (box, scores) in enumerate(decision.faces):
        rounded = [round(float(score), 4) for score in scores]
        best = int(scores.argmax())
        faces.append(
            {
                "track": decision.tracks[index] if decision.tracks else None,
                "box": [round(float(side), 1) for side in box],
                "label": classes[best],
                "score": rounded[best],
                "scores": dict(zip(classes, rounded, strict=True)),
            }
        )
    return {
        "source": source,
        "index": frame.index,
        "time": round(decision.time, 6),
        "faces": faces,
        "evidence": str(decision.evidence),
        "door": str(decision.door),
        "reason": decision.reason,
    }


class EventFile:
    """A file of events, one JSON object a line; a context manager.

    Each line is handed to the system as soon as it is complete, so that a run which breaks off
    keeps what it has decided.

    path: where to write; what is there is replaced. Raises UsageError when that is not possible.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; expected a file to write to") from None

    def write(self, source: str, result: Result) -> None:
        """Add the event of one result; raises MaskgateError when it cannot be written."""
        try:
            self._file.write(json.dumps(event(source, result), ensure_ascii=False) + "\n")
        except OSError as error:
            raise self._not_written(error) from None

    def __enter__(self) -> EventFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as failure:
            # What could not be written is tried once more here, and was reported then.
            if error is None:
                raise self._not_written(failure) from None

    def _not_written(self, error: OSError) -> MaskgateError:
        return MaskgateError(f"{self._path}: {error.strerror}; events not written")
