"""The tracker: which face is which from frame to frame, and for how long each has passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .detections import FloatArray

_MIN_IOU = 0.2


@dataclass(frozen=True, slots=True)
class Track:
    """A face as it was last seen.

    number: counted from 1; never given again.
    box: float32 [4], xyxy pixels.
    seen_until: seconds, end of the latest frame that shows it.
    doubted_at: seconds, when it was last seen not passing, or else first seen.
    """

    number: int
    box: FloatArray
    seen_until: float
    doubted_at: float

    @property
    def settled_seconds(self) -> float:
        """For how long every sighting of it has voted for passing."""
        return self.seen_until - self.doubted_at


class Tracker:
    """Follows faces by the overlap of their boxes; the same for the same frames.

    The vote about a face is by time, not by frames, and must be unanimous: a single sighting in
    which it does not pass begins it anew. That leaves nothing to be outvoted.

    forget_seconds: how long a face may be out of sight and still be the same one; must exceed the
        time between two frames.
    """

    def __init__(self, *, forget_seconds: float) -> None:
        self._forget_seconds = forget_seconds
        self._tracks: list[Track] = []
        self._count = 0

    def follow(
        self, boxes: FloatArray, passing: Sequence[bool], time: float, until: float
    ) -> tuple[Track, ...]:
        """The tracks of a frame's faces, in their order.

        boxes: float32 [N, 4], xyxy pixels.
        passing: which of the faces may pass.
        time, until: seconds, from when to when the frame stands for the scene; `time` never
            decreases from call to call, and `until` comes before it when the frame is late.
        """
        known = [track for track in self._tracks if time - track.seen_until <= self._forget_seconds]
        before = _pairs(np.array([track.box for track in known], np.float32), boxes)
        tracks = tuple(
            self._seen(known[before[face]] if face in before else None, box, passes, time, until)
            for face, (box, passes) in enumerate(zip(boxes, passing, strict=True))
        )
        matched = set(before.values())
        unseen = [track for index, track in enumerate(known) if index not in matched]
        self._tracks = [*tracks, *unseen]
        return tracks

    def _seen(
        self, track: Track | None, box: FloatArray, passes: bool, time: float, until: float
    ) -> Track:
        if track is None:
            self._count += 1
            track = Track(self._count, box, until, min(time, until))
        doubted_at = track.doubted_at if passes else until
        return Track(track.number, box, max(until, track.seen_until), doubted_at)


def _pairs(known: FloatArray, boxes: FloatArray) -> dict[int, int]:
    """Which known box each of the new ones continues, best overlap first; ties in their order."""
    if not (len(known) and len(boxes)):
        return {}
    overlap = _iou(boxes, known)
    pairs: dict[int, int] = {}
    for flat in np.argsort(-overlap, axis=None, kind="stable"):
        face, track = divmod(int(flat), len(known))
        if overlap[face, track] < _MIN_IOU:
            break
        if face not in pairs and track not in pairs.values():
            pairs[face] = track
    return pairs


def _iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """float32 [N, M]: intersection over union of boxes [N, 4] and [M, 4]; 0 for empty ones."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    sides = np.maximum(np.minimum(first[:, None, 2:], second[None, :, 2:]) - corner, 0.0)
    shared = sides.prod(axis=2)
    union = _areas(first)[:, None] + _areas(second)[None, :] - shared
    iou: FloatArray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return iou


def _areas(boxes: FloatArray) -> FloatArray:
    areas: FloatArray = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0).prod(axis=1)
    return areas
