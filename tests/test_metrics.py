"""Average precision against numbers worked out by hand."""

from __future__ import annotations

import pytest
from truth import BIG, EMPTY_WALL, OTHER, SMALL, Box, labelled, seen

from export.datasets import DatasetError
from export.metrics import average_precision

SMALL_WALL: Box = (700, 0, 720, 20)


@pytest.mark.parametrize(
    ("truth", "found", "ap50"),
    [
        pytest.param([(BIG, "mask")], [(BIG, 0.9, 0)], 1, id="found"),
        pytest.param([(BIG, "mask")], [], 0, id="missed"),
        pytest.param([(BIG, "mask")], [(EMPTY_WALL, 0.9, 0)], 0, id="found elsewhere"),
        pytest.param([(BIG, "mask")], [(BIG, 0.9, 0), (EMPTY_WALL, 0.8, 0)], 1, id="later error"),
        pytest.param(
            [(BIG, "mask")], [(EMPTY_WALL, 0.9, 0), (BIG, 0.8, 0)], 1 / 2, id="earlier error"
        ),
        # Recall 0 to 0.50 (51 of 101 points) at precision 1, the rest never reached.
        pytest.param([(BIG, "mask"), (OTHER, "mask")], [(BIG, 0.9, 0)], 51 / 101, id="one of two"),
        # Hit, error, hit: 51 points at precision 1, 50 points at 2 of 3.
        pytest.param(
            [(BIG, "mask"), (OTHER, "mask")],
            [(BIG, 0.9, 0), (EMPTY_WALL, 0.8, 0), (OTHER, 0.7, 0)],
            (51 + 50 * 2 / 3) / 101,
            id="error between two hits",
        ),
        # A second box on one face is an error, here after all hits.
        pytest.param([(BIG, "mask")], [(BIG, 0.9, 0), (BIG, 0.8, 0)], 1, id="found twice"),
        pytest.param([(BIG, "mask")], [(BIG, 0.05, 0)], 1, id="lowest score that counts"),
        pytest.param([(BIG, "mask")], [(BIG, 0.049, 0)], 0, id="score too low to count"),
    ],
)
def test_ap50_of_one_class_equals_the_hand_computed(
    truth: list[tuple[Box, str]], found: list[tuple[Box, float, float]], ap50: float
) -> None:
    (every,) = average_precision([labelled(*truth)], [seen(*found)], sizes_px=[0])
    assert every.classes["mask"].ap50 == pytest.approx(ap50)
    assert every.classes["mask"].faces == len(truth)
    assert every.classes["noMask"].ap50 is None
    assert every.mean == every.classes["mask"]


def test_ap_is_the_mean_over_ten_overlaps() -> None:
    narrower: Box = (0, 0, 82, 100)  # Overlap 0.82: enough for 0.50 to 0.80, seven of the ten.
    (every,) = average_precision(
        [labelled((BIG, "mask"))], [seen((narrower, 0.9, 0))], sizes_px=[0]
    )
    assert every.mean.ap50 == pytest.approx(1)
    assert every.mean.ap == pytest.approx(0.7)


def test_every_class_of_a_face_counts_as_a_detection_of_its_own() -> None:
    truth = [labelled((BIG, "mask"), (OTHER, "noMask"))]
    found = [seen((BIG, 0.9, 0.6), (OTHER, 0.04, 0.5))]
    (every,) = average_precision(truth, found, sizes_px=[0])
    assert every.classes["mask"].ap50 == pytest.approx(1)
    assert every.classes["noMask"].ap50 == pytest.approx(1 / 2)  # The masked face came first.
    assert every.mean.ap50 == pytest.approx(3 / 4)


def test_faces_are_matched_within_their_own_picture() -> None:
    truth = [labelled((BIG, "mask")), labelled()]
    (every,) = average_precision(truth, [seen(), seen((BIG, 0.9, 0))], sizes_px=[0])
    assert every.mean.ap50 == 0


@pytest.mark.parametrize(
    ("found", "every_ap50", "large_ap50"),
    [
        pytest.param([(BIG, 0.9, 0), (SMALL, 0.8, 0)], 1, 1, id="all found"),
        pytest.param([(BIG, 0.9, 0)], 51 / 101, 1, id="the small face missed"),
        pytest.param([(SMALL, 0.9, 0)], 51 / 101, 0, id="the large face missed"),
        # Precision 1 of 2, then 2 of 3, which is also the best at any lower recall.
        pytest.param(
            [(SMALL_WALL, 0.9, 0), (BIG, 0.8, 0), (SMALL, 0.7, 0)], 2 / 3, 1, id="small error"
        ),
        pytest.param(
            [(EMPTY_WALL, 0.9, 0), (BIG, 0.8, 0), (SMALL, 0.7, 0)], 2 / 3, 1 / 2, id="large error"
        ),
    ],
)
def test_large_slice_ignores_small_faces_and_small_errors(
    found: list[tuple[Box, float, float]], every_ap50: float, large_ap50: float
) -> None:
    truth = [labelled((BIG, "mask"), (SMALL, "mask"))]
    every, large = average_precision(truth, [seen(*found)])
    assert (every.smallest_px, every.mean.faces) == (0, 2)
    assert (large.smallest_px, large.mean.faces) == (32, 1)
    assert every.mean.ap50 == pytest.approx(every_ap50)
    assert large.mean.ap50 == pytest.approx(large_ap50)


def test_face_of_exactly_the_slice_size_belongs_to_it() -> None:
    exact: Box = (0, 0, 16, 64)
    _, large = average_precision([labelled((exact, "mask"))], [seen((exact, 0.9, 0))])
    assert (large.mean.faces, large.mean.ap50) == (1, pytest.approx(1))


def test_without_any_face_there_is_no_figure() -> None:
    every, large = average_precision([labelled()], [seen()])
    assert every.mean.ap50 is every.mean.ap is large.mean.ap50 is None


def test_crowd_of_many_faces_is_counted_whole() -> None:
    boxes: list[Box] = [(40.0 * n, 0.0, 40.0 * n + 32, 32.0) for n in range(400)]
    truth = [labelled(*((box, "mask") for box in boxes))]
    every, _ = average_precision(truth, [seen(*((box, 0.9, 0) for box in boxes))])
    assert every.mean.ap50 == pytest.approx(1)


def test_label_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(DatasetError, match="found the labels incorrectMask"):
        average_precision([labelled((BIG, "incorrectMask"))], [seen()])


def test_measuring_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    average_precision([labelled((BIG, "mask"))], [seen((BIG, 0.9, 0))])
    assert capfd.readouterr() == ("", "")
