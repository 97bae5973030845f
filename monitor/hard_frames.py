"""Hard frames: the pictures of a replay about which the detector is least sure, to be labelled.

Labelled and trained on, they teach most. They are written as labelImg wants them, a folder of
pictures, with nothing of the detector's own guesses: those must not become labels unseen.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from .detections import Detections
from .errors import MaskgateError, UsageError
from .replacing import replacing
from .result import Result

PICTURES = "JPEGImages"
TABLE = "hard.csv"
COLUMNS = ("picture", "source", "seconds", "margin", "reason")
JPEG_QUALITY = 95
LARGEST_MARGIN = 0.25


@dataclass(frozen=True, slots=True, order=True)
class _Kept:
    """A picture that is kept; of two, the one of the larger margin is the lesser."""

    easiness: float
    name: str
    row: tuple[str, ...]
    encoded: bytes


class HardFrames:
    """A folder of the hardest frames; a context manager, which writes them as it is left.

    folder: gets `JPEGImages/` and `hard.csv`, which says of each picture where it comes from, by
        how much it missed a threshold, and what was decided. What is there of earlier replays
        stays: those pictures may have been labelled. Raises UsageError when it cannot be made, or
        holds another table.
    allowed: the classes with which a face may pass.
    grant, deny, smallest_face_px: what the frames were judged by.
    most: how many pictures to keep.
    apart_seconds: of a stretch of this length of one source, only the hardest frame is kept:
        neighbours teach the same.
    """

    def __init__(
        self,
        folder: Path,
        *,
        allowed: Sequence[str],
        grant: float,
        deny: float,
        smallest_face_px: float,
        most: int = 200,
        apart_seconds: float = 1.0,
    ) -> None:
        self._folder = folder
        self._allowed = allowed
        self._grant = grant
        self._deny = deny
        self._smallest_face_px = smallest_face_px
        self._most = most
        self._apart_seconds = apart_seconds
        self._kept: list[_Kept] = []
        self._stretch: tuple[str, int] | None = None
        self._hardest: tuple[float, str, Result] | None = None
        try:
            (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder}: the folder cannot be made: {error.strerror}") from None
        self._earlier = _rows_of(folder / TABLE)

    def add(self, source: str, result: Result) -> None:
        """Look at one more result of a replay, in the order of the replay."""
        if result.candidates is None:
            return
        judged = result.candidates.where(result.candidates.sides_px >= self._smallest_face_px)
        margin = margin_of(judged, self._allowed, self._grant, self._deny)
        stretch = (source, int(result.frame.time // self._apart_seconds))
        if stretch != self._stretch:
            self._keep()
            self._stretch = stretch
        if margin < LARGEST_MARGIN and (self._hardest is None or margin < self._hardest[0]):
            self._hardest = (margin, source, result)

    def _keep(self) -> None:
        """Keep the hardest frame of the stretch that has ended, if it is among the hardest."""
        if self._hardest is None:
            return
        margin, source, result = self._hardest
        self._hardest = None
        if len(self._kept) == self._most and -margin <= self._kept[0].easiness:
            return
        _, pixels = cv2.imencode(
            ".jpg", result.frame.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        )
        encoded = pixels.tobytes()
        name = self._free_name(f"{source}_{result.frame.index:06d}", encoded)
        decision = result.decision
        row = (name, source, f"{result.frame.time:.3f}", f"{margin:.3f}", decision.reason)
        kept = _Kept(-margin, name, row, encoded)
        keep = heapq.heappush if len(self._kept) < self._most else heapq.heapreplace
        keep(self._kept, kept)

    def _free_name(self, stem: str, encoded: bytes) -> str:
        """A file name that no other picture has: clips in two folders may be called the same."""
        taken = {kept.name for kept in self._kept}
        names = (f"{stem}-{number}.jpg" if number > 1 else f"{stem}.jpg" for number in count(1))
        free = (name for name in names if name not in taken)
        return next(name for name in free if self._there(name) in (None, encoded))

    def _there(self, name: str) -> bytes | None:
        """The picture of an earlier replay with this name; None without one that can be read."""
        try:
            return (self._folder / PICTURES / name).read_bytes()
        except OSError:
            return None

    def __enter__(self) -> HardFrames:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keep()
        kept = sorted(self._kept, key=lambda kept: (-kept.easiness, kept.name))
        again = {picture.name for picture in kept}
        rows = [row for row in self._earlier if row[0] not in again]
        rows += [picture.row for picture in kept]
        try:
            for picture in kept:
                if self._there(picture.name) is None:
                    with replacing(self._folder / PICTURES / picture.name) as partial:
                        partial.write_bytes(picture.encoded)
            with (
                replacing(self._folder / TABLE) as partial,
                partial.open("w", encoding="utf-8", newline="") as file,
            ):
                csv.writer(file).writerows([COLUMNS, *rows])
        except OSError as failure:
            if error is None:
                message = f"{self._folder}: cannot write the pictures: {failure.strerror}"
                raise MaskgateError(message) from None


def _rows_of(path: Path) -> list[tuple[str, ...]]:
    """The rows of an earlier table, without its head; none where there is no table yet."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected the table to be continued") from None
    except (UnicodeDecodeError, csv.Error):
        rows = []
    if rows[:1] != [COLUMNS] or any(len(row) != len(COLUMNS) for row in rows):
        columns = ", ".join(COLUMNS)
        raise UsageError(f"{path}: something else found, expected a table of {columns}")
    return rows[1:]


def margin_of(candidates: Detections, allowed: Sequence[str], grant: float, deny: float) -> float:
    """How far the nearest face of a frame is from being judged otherwise, 0 to 1; 1 without a face.

    candidates: before any threshold. A face is judged otherwise where its best allowed score
    crosses `grant`, or its best other score `deny`.
    """
    if not len(candidates):
        return 1.0
    passes = np.array([name in allowed for name in candidates.classes])
    scores = candidates.scores
    to_grant = np.abs(scores[:, passes].max(axis=1, initial=0.0) - grant)
    to_deny = np.abs(scores[:, ~passes].max(axis=1, initial=0.0) - deny)
    return float(np.minimum(to_grant, to_deny).min())
