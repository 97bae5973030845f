"""Zones: the parts of the frame in which faces count."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .detections import Detections, FloatArray

Point = tuple[float, float]
Polygon = Sequence[Point]


class Zones:
    """Keeps the faces whose box centre lies in a watched polygon and in no ignored one.

    A polygon is a list of points (x, y) as fractions, 0 to 1, of the frame as it is judged, after
    rotation and mirroring; where its edges cross, the even-odd rule says what is inside. A centre
    on an edge is watched, and is not ignored: in doubt a face counts.

    watch: polygons in which faces count; without any, the whole frame is watched.
    ignore: polygons in which faces do not count, such as a poster.

    Both can be read again, each polygon float32 [N, 2].
    """

    def __init__(self, *, watch: Sequence[Polygon] = (), ignore: Sequence[Polygon] = ()) -> None:
        self.watch = tuple(np.array(polygon, np.float32) for polygon in watch)
        self.ignore = tuple(np.array(polygon, np.float32) for polygon in ignore)

    def add_ignored(self, polygon: Polygon) -> None:
        """Ignore one more polygon from the next frame on; may be called by any thread."""
        self.ignore = (*self.ignore, np.array(polygon, np.float32))

    def same_as(self, other: Zones) -> bool:
        """Whether both have the same polygons, in the same order."""
        return self._points() == other._points()

    def _points(self) -> list[list[object]]:
        return [[polygon.tolist() for polygon in kind] for kind in (self.watch, self.ignore)]

    def select(self, detections: Detections, width_px: int, height_px: int) -> Detections:
        """The faces that count in a frame of the given size, in their order."""
        centres = (detections.boxes[:, :2] + detections.boxes[:, 2:]) / 2
        # A box may reach beyond the frame; its face still belongs to the zone at that edge.
        fractions = np.clip(centres / np.array([width_px, height_px], np.float32), 0.0, 1.0)
        keep = [self._counts(fraction) for fraction in fractions]
        return detections.where(np.array(keep, np.bool_))

    def _counts(self, fraction: FloatArray) -> bool:
        point = (float(fraction[0]), float(fraction[1]))
        watched = not self.watch or any(
            cv2.pointPolygonTest(polygon, point, False) >= 0 for polygon in self.watch
        )
        return watched and not any(
            cv2.pointPolygonTest(polygon, point, False) > 0 for polygon in self.ignore
        )
