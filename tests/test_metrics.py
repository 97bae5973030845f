"""Average precision against numbers worked out by hand."""

from __future__ import annotations

import pytest
from truth import BIG, EMPTY_WALL, OTHER, SMALL, Box, labelled, seen

from export.datasets import DatasetError
from export.figures.matches import SizeRange
from export.figures.metrics import ALL_SIZES, SIZES, average_precision, precision_recall
from export.figures.thresholds import Thresholds
from monitor.detections import Detections

SMALL_WALL: Box = (700, 0, 720, 20)
LARGE = SizeRange(32)


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
    (every,) = average_precision([labelled(*truth)], [seen(*found)], sizes=[ALL_SIZES])
    assert every.classes["mask"].ap50 == pytest.approx(ap50)
    assert every.classes["mask"].boxes == len(truth)
    assert every.classes["noMask"].ap50 is None
    assert every.mean == every.classes["mask"]


def test_ap_is_the_mean_over_ten_overlaps() -> None:
    narrower: Box = (0, 0, 82, 100)  # Overlap 0.82: enough for 0.50 to 0.80, seven of the ten.
    (every,) = average_precision(
        [labelled((BIG, "mask"))], [seen((narrower, 0.9, 0))], sizes=[ALL_SIZES]
    )
    assert every.mean.ap50 == pytest.approx(1)
    assert every.mean.ap == pytest.approx(0.7)


def test_every_class_of_a_face_counts_as_a_detection_of_its_own() -> None:
    truth = [labelled((BIG, "mask"), (OTHER, "noMask"))]
    found = [seen((BIG, 0.9, 0.6), (OTHER, 0.04, 0.5))]
    (every,) = average_precision(truth, found, sizes=[ALL_SIZES])
    assert every.classes["mask"].ap50 == pytest.approx(1)
    assert every.classes["noMask"].ap50 == pytest.approx(1 / 2)  # The masked face came first.
    assert every.mean.ap50 == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("found", "ap50"),
    [
        pytest.param([seen((BIG, 0.9, 0)), seen()], 0, id="found where it is not"),
        pytest.param([seen(), seen((BIG, 0.9, 0))], 1, id="found where it is"),
    ],
)
def test_faces_are_matched_within_their_own_picture(found: list[Detections], ap50: float) -> None:
    truth = [labelled(), labelled((BIG, "mask"))]
    (every,) = average_precision(truth, found, sizes=[ALL_SIZES])
    assert every.mean.ap50 == pytest.approx(ap50)


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
    every, large = average_precision(truth, [seen(*found)], sizes=[ALL_SIZES, LARGE])
    assert (every.size, every.mean.boxes) == (ALL_SIZES, 2)
    assert (large.size, large.mean.boxes) == (LARGE, 1)
    assert every.mean.ap50 == pytest.approx(every_ap50)
    assert large.mean.ap50 == pytest.approx(large_ap50)


def test_slices_are_all_boxes_those_from_32_px_up_and_cocos_three() -> None:
    # 20, 32, 95 and 100 px
    sides = [20.0, 32.0, 95.0, 100.0]
    boxes: list[Box] = [(0, 200 * n, side, 200 * n + side) for n, side in enumerate(sides)]
    truth = [labelled(*((box, "mask") for box in boxes))]
    slices = average_precision(truth, [seen(*((box, 0.9, 0) for box in boxes[1:]))])
    assert tuple(part.size for part in slices) == SIZES
    assert [str(size) for size in SIZES] == ["all", ">= 32 px", "< 32 px", "32-96 px", ">= 96 px"]
    assert [part.mean.boxes for part in slices] == [4, 3, 1, 2, 1]
    # three of four found: recall 0 to 0.75
    assert [part.mean.ap50 for part in slices] == pytest.approx([76 / 101, 1, 0, 1, 1])


@pytest.mark.parametrize(
    ("size", "boxes", "ap50"),
    [
        pytest.param(LARGE, 1, pytest.approx(1), id="its lower end"),
        pytest.param(SizeRange(0, 32), 0, None, id="its upper end"),
    ],
)
def test_face_of_exactly_the_slice_size_belongs_to_the_slice_that_begins_there(
    size: SizeRange, boxes: int, ap50: float | None
) -> None:
    exact: Box = (0, 0, 16, 64)
    found = [seen((exact, 0.9, 0))]
    (part,) = average_precision([labelled((exact, "mask"))], found, sizes=[size])
    assert (part.mean.boxes, part.mean.ap50) == (boxes, ap50)


def test_without_any_face_there_is_no_figure() -> None:
    for part in average_precision([labelled()], [seen()]):
        for figures in (part.mean, *part.classes.values()):
            assert figures.boxes == 0
            assert figures.ap50 is figures.ap is figures.ap_at_overlap is None


def test_crowd_of_many_faces_is_counted_whole() -> None:
    boxes: list[Box] = [(40.0 * n, 0.0, 40.0 * n + 32, 32.0) for n in range(400)]
    truth = [labelled(*((box, "mask") for box in boxes))]
    every, *_ = average_precision(truth, [seen(*((box, 0.9, 0) for box in boxes))])
    assert every.mean.boxes == 400
    assert every.mean.ap50 == pytest.approx(1)


@pytest.mark.parametrize(
    ("thresholds", "at_overlap", "ap50"),
    [
        # The narrower box overlaps by 0.82.
        pytest.param(Thresholds(overlap=0.8), 1, 1, id="near enough"),
        pytest.param(Thresholds(overlap=0.83), 0, 1, id="not near enough"),
        pytest.param(Thresholds(score=0.7), 1, 1, id="score high enough"),
        pytest.param(Thresholds(score=0.71), 0, 0, id="score too low"),
        # The better detection is the one of the other class.
        pytest.param(Thresholds(detections=2), 1, 1, id="two detections"),
        pytest.param(Thresholds(detections=1), 0, 0, id="the best detection alone"),
    ],
)
def test_thresholds_say_which_detections_count(
    thresholds: Thresholds, at_overlap: float, ap50: float
) -> None:
    narrower: Box = (0, 0, 82, 100)
    # The noMask score is the best of all, and of a class without a box.
    found = [seen((narrower, 0.7, 0.8))]
    (every,) = average_precision(
        [labelled((BIG, "mask"))], found, thresholds=thresholds, sizes=[ALL_SIZES]
    )
    assert every.classes["mask"].ap_at_overlap == pytest.approx(at_overlap)
    assert every.classes["mask"].ap50 == pytest.approx(ap50)


def test_curve_of_a_class_falls_where_an_error_comes_and_names_the_scores() -> None:
    truth = [labelled((BIG, "mask"), (OTHER, "mask"))]
    found = [seen((BIG, 0.9, 0), (EMPTY_WALL, 0.8, 0.6), (OTHER, 0.7, 0))]
    curves = precision_recall(truth, found)
    # The other class has no box, and so no curve.
    assert list(curves) == ["mask"]
    curve = curves["mask"]
    assert curve.recall == pytest.approx([step / 100 for step in range(101)])
    assert curve.precision == pytest.approx([1] * 51 + [2 / 3] * 50)
    assert curve.score == pytest.approx([0.9] * 51 + [0.7] * 50)


def test_label_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(DatasetError, match="found the labels incorrectMask"):
        average_precision([labelled((BIG, "incorrectMask"))], [seen()])


def test_measuring_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    average_precision([labelled((BIG, "mask"))], [seen((BIG, 0.9, 0))])
    assert capfd.readouterr() == ("", "")
