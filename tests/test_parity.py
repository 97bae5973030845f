"""Parity: what a comparison of a file with its network counts, and what it does not let pass."""

from __future__ import annotations

import numpy as np
import pytest
from truth import BIG, CLASSES, EMPTY_WALL, OTHER, Box, seen

from export.graph.parity import TOLERANCES, ExportError, Parity, compare
from monitor.detections import Detections

PICTURE = np.zeros((480, 640, 3), np.uint8)
FACES = ((BIG, 0.9, 0.1), (OTHER, 0.2, 0.7), (EMPTY_WALL, 0.1, 0.0))
Face = tuple[Box, float, float]


def moved(box: Box, by_px: float) -> Box:
    x1, y1, x2, y2 = box
    return (x1 + by_px, y1, x2 + by_px, y2)


def parity(found: Detections, precision: str = "fp32", rows: int = 100) -> Parity:
    """`found` instead of FACES."""
    counted_from = TOLERANCES[precision].counted_from
    return compare([seen(*FACES)], lambda image: found, [PICTURE], counted_from, rows)


def test_a_file_that_finds_the_same_agrees() -> None:
    same = parity(seen(*FACES))
    assert (same.detections, same.matched, same.unmatched_px) == (6, 1.0, ())
    assert (same.score_mean, same.score_worst, same.box_worst) == (0, 0, 0)
    same.check(TOLERANCES["fp32"])


def test_differences_are_the_largest_and_the_mean_of_the_pairs() -> None:
    big, other, wall = FACES
    found = parity(seen((moved(big[0], 6.4), 0.9, 0.1), (other[0], 0.2, 0.64), wall))
    assert found.score_worst == pytest.approx(0.06)
    assert found.score_mean == pytest.approx(0.02)
    assert found.box_worst == pytest.approx(0.01)


def test_pairs_do_not_depend_on_the_order_of_nearly_equal_scores() -> None:
    assert parity(seen(*reversed(FACES))).matched == 1


def test_a_box_outside_its_picture_is_still_the_same_box() -> None:
    line = seen(((640, 100, 640, 200), 0.9, 0.1))
    assert compare([line], lambda image: line, [PICTURE], 0.1, 100).matched == 1


@pytest.mark.parametrize(
    ("found", "precision", "fault"),
    [
        # a face is missing; two of the three are found twice
        (FACES[:2], "fp32", "matched 0.800 < 0.99 (pictures of 640 x 480)"),
        # it scores too little to count for int8
        (FACES[:2], "int8", None),
        # a face too many
        ((*FACES, (moved(BIG, 300), 0.4, 0)), "fp32", "matched 0.857 < 0.99"),
        # another class
        ((FACES[0], (OTHER, 0.7, 0.2), FACES[2]), "int8", "matched 0.500 < 0.9"),
        # one face found twice
        ((*FACES, FACES[0]), "fp32", "matched 0.857 < 0.99"),
        # a score that is off
        (((BIG, 0.89, 0.1), *FACES[1:]), "fp32", "score_worst 0.0100 > 0.002"),
        # as much is within what float16 does
        (((BIG, 0.89, 0.1), *FACES[1:]), "fp16", None),
        # too many of them are not
        (((BIG, 0.88, 0.1), (OTHER, 0.2, 0.68)), "fp16", "score_mean 0.0200 > 0.01"),
        # a column other than the best
        (((BIG, 0.9, 0.3), *FACES[1:]), "fp16", "score_worst 0.2000 > 0.05"),
        # a box that is off by 2 px of 640
        (((moved(BIG, 2), 0.9, 0.1), *FACES[1:]), "fp32", "box_worst 0.0031 > 0.001"),
        # two edges changed places
        ((((100, 0, 0, 100), 0.9, 0.1), *FACES[1:]), "fp32", "matched"),
        # nothing at all
        ((), "int8", "matched 0.000 < 0.9"),
    ],
)
def test_a_file_is_held_to_the_tolerance_of_its_precision(
    found: tuple[Face, ...], precision: str, fault: str | None
) -> None:
    compared = parity(seen(*found), precision)
    if fault is None:
        compared.check(TOLERANCES[precision])
        return
    with pytest.raises(ExportError) as raised:
        compared.check(TOLERANCES[precision])
    assert fault in str(raised.value)


def test_the_last_row_of_a_full_output_may_be_another() -> None:
    big, other, wall = FACES
    elsewhere = (moved(wall[0], 150), 0.101, 0.0)
    assert parity(seen(big, other, elsewhere), rows=4).matched < 1
    assert parity(seen(big, other, elsewhere), rows=3).matched == 1


def test_the_text_says_it_all() -> None:
    text = str(parity(Detections.empty(CLASSES)))
    assert text.startswith("0.0% of 3 detections in 1 pictures matched, scores within")
