"""Near duplicates: pictures that show the same photograph, however it was saved.

Every picture is compared with the few that look most like it from afar, as they stand, mirrored and
slightly cropped. Those that agree in detail too (see `agreement`) are in one group, and so are
their own near duplicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from monitor.detections import FloatArray

from .fingerprint import SIDE_PX, Agreement, Fingerprint, agreement, read_fingerprint

IntArray = npt.NDArray[np.int64]
# Agreement from which two pictures are the same photograph. Among 544 pictures of faces every pair
# above was; copies reached 0.61 and 0.34, mirrored and re-encoded, and others 0.52 and 0.30.
SAME = Agreement(whole=0.57, weakest=0.3)
# correlation from afar, -1 to 1, below which two pictures are not compared in detail
ALIKE = 0.6
MOST_COMPARED = 8
COARSE_SIDE_PX = 16
ROWS_AT_ONCE = 512
# x, y and side of the parts of a picture that a slight crop may leave, as shares of its side
WINDOWS = ((0, 0, 1), (0.07, 0.07, 0.86), *((x, y, 0.86) for x in (0, 0.14) for y in (0, 0.14)))


def groups(paths: Sequence[Path]) -> list[list[int]]:
    """Sort pictures into groups of near duplicates.

    paths: the pictures' files. One that cannot be read, or shows nothing but one tone, is joined
        only to files of the same bytes.

    Returns the indices of each group in rising order, groups in order of their first picture; a
    picture without a near duplicate is a group of one.
    """
    exact = exact_groups(paths)
    with ThreadPoolExecutor() as threads:
        read = list(threads.map(read_fingerprint, [paths[group[0]] for group in exact]))
        seen = [index for index, picture in enumerate(read) if picture is not None]
        joined = _joined([picture for picture in read if picture is not None], threads)
    group_of = np.arange(len(exact))
    group_of[seen] = np.asarray(seen, np.int64)[joined]
    found: dict[int, list[int]] = {}
    for group, members in zip(group_of.tolist(), exact, strict=True):
        found.setdefault(group, []).extend(members)
    return sorted(sorted(members) for members in found.values())


def exact_groups(paths: Sequence[Path]) -> list[list[int]]:
    """Sort files into groups of the same bytes, like `groups`; an unreadable file is alone."""
    with ThreadPoolExecutor() as threads:
        digests = list(threads.map(_digest, paths))
    found: dict[object, list[int]] = {}
    for index, digest in enumerate(digests):
        found.setdefault(digest or index, []).append(index)
    return list(found.values())


def _digest(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None


def _joined(pictures: Sequence[Fingerprint], threads: ThreadPoolExecutor) -> IntArray:
    """int64 [N]: for each picture the row of one that stands for its group."""
    group_of = np.arange(len(pictures))

    def compare(pair: tuple[int, int, int]) -> Agreement:
        row, other, view = pair
        x, y, side = WINDOWS[view % len(WINDOWS)]
        if view < len(WINDOWS):
            return agreement(pictures[row], pictures[other], (x, y, side))
        mirrored = np.ascontiguousarray(pictures[other][:, ::-1])
        return agreement(pictures[row], mirrored, (1 - x - side, y, side))

    for pairs in _alike(pictures):
        apart = [pair for pair in pairs if group_of[pair[0]] != group_of[pair[1]]]
        for (row, other, _), value in zip(apart, threads.map(compare, apart), strict=True):
            if value.whole >= SAME.whole and value.weakest >= SAME.weakest:
                group_of[group_of == group_of[other]] = group_of[row]
    return group_of


def _alike(pictures: Sequence[Fingerprint]) -> Iterator[list[tuple[int, int, int]]]:
    """Pairs that look alike from afar: first each picture with its likest, then with the next.

    A pair is the rows of two pictures and the view of the second: the number of a window, counted
    on for the windows of the mirrored picture.
    """
    if len(pictures) < 2:
        return
    wholes = _coarse(pictures, WINDOWS[0])
    views = [_coarse(pictures, window) for window in WINDOWS]
    views += [_mirrored(view) for view in views]
    compared = min(MOST_COMPARED, len(pictures) - 1)
    parts = [
        _likest(wholes[start : start + ROWS_AT_ONCE], start, views, compared)
        for start in range(0, len(pictures), ROWS_AT_ONCE)
    ]
    others, of_view, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    for rank in range(compared):
        rows = np.flatnonzero(values[:, rank] >= ALIKE)
        columns = rows, others[rows, rank], of_view[rows, rank]
        yield list(zip(*(column.tolist() for column in columns), strict=True))


def _likest(
    wholes: FloatArray, start: int, views: Sequence[FloatArray], count: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """The likest other pictures of some: their rows, views and correlations, [len(wholes), count].

    wholes: float32 [M, 256], coarse pictures from row `start` on.
    views: float32 [N, 256] each, coarse views of every picture.
    """
    best = np.full((len(wholes), len(views[0])), -np.inf, np.float32)
    best_view = np.zeros(best.shape, np.int64)
    for number, view in enumerate(views):
        values = wholes @ view.T
        best_view[values > best] = number
        np.maximum(best, values, out=best)
    own = np.arange(len(wholes))
    best[own, own + start] = -np.inf
    others = np.argsort(-best, axis=1, kind="stable")[:, :count]
    return (
        others,
        np.take_along_axis(best_view, others, axis=1),
        np.take_along_axis(best, others, axis=1),
    )


def _coarse(pictures: Sequence[Fingerprint], window: tuple[float, float, float]) -> FloatArray:
    """float32 [N, 256]: a part of each picture at 16 px, of mean 0 and length 1."""
    x, y, side = (round(share * SIDE_PX) for share in window)
    size = (COARSE_SIDE_PX, COARSE_SIDE_PX)
    parts = [picture[y : y + side, x : x + side].astype(np.float32) for picture in pictures]
    small = [cv2.resize(part, size, interpolation=cv2.INTER_AREA).ravel() for part in parts]
    rows = np.stack(small)
    rows -= rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


def _mirrored(coarse: FloatArray) -> FloatArray:
    squares = coarse.reshape(-1, COARSE_SIDE_PX, COARSE_SIDE_PX)
    return np.ascontiguousarray(squares[:, :, ::-1]).reshape(coarse.shape)
