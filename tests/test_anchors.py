"""Anchors, boxes and the matcher: where predictions start and what they are to become."""

from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from export.anchor_config import AnchorConfig
from export.anchors import Anchors
from export.boxes import decode, encode, pairwise_iou
from export.matcher import BACKGROUND, IGNORED, Match, match, match_nearest, matcher

SIZES = (16.0, 32.0, 64.0, 128.0, 256.0)
STRIDES = (8, 16, 32, 64, 128)
SHAPES = [(8, 4), (4, 2), (2, 1), (1, 1), (1, 1)]
coordinate = st.floats(0, 500, width=32)
side = st.floats(1, 300, width=32)


@st.composite
def some_boxes(draw: st.DrawFn, most: int = 8) -> torch.Tensor:
    rows = draw(st.lists(st.tuples(coordinate, coordinate, side, side), min_size=1, max_size=most))
    x, y, w, h = torch.tensor(rows).T
    return torch.stack([x, y, x + w, y + h], dim=1)


def test_anchors_stand_row_by_row_finest_level_first() -> None:
    boxes = Anchors(AnchorConfig(SIZES, STRIDES, (1.0,), (1.0,)))(SHAPES)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert len(boxes) == sum(h * w for h, w in SHAPES)
    assert centres[:5].tolist() == [[0, 0], [8, 0], [16, 0], [24, 0], [0, 8]]
    assert centres[32:35].tolist() == [[0, 0], [16, 0], [0, 16]]


def test_anchor_shape_follows_size_ratio_and_scale() -> None:
    config = AnchorConfig(SIZES, STRIDES, (1.0, 4.0), (1.0, 2.0))
    boxes = Anchors(config)([(1, 1)] + [(0, 0)] * 4)
    sizes = (boxes[:, 2:] - boxes[:, :2]).tolist()
    # the ratio is height over width, and the slower index
    assert sizes == [[16, 16], [32, 32], [8, 32], [16, 64]]


def test_anchors_of_the_paper_have_whole_sides_as_published_weights_expect() -> None:
    boxes = Anchors(AnchorConfig())([(1, 1)] + [(0, 0)] * 4)
    sizes = (boxes[:, 2:] - boxes[:, :2]).tolist()
    # 32, 40 (not 40.3) and 50 (not 50.8) px, corners to whole pixels, half to even
    assert sizes[3:6] == [[32, 32], [40, 40], [50, 50]]
    # torchvision's first anchor of P3: 32 / sqrt(0.5) wide, 32 * sqrt(0.5) high
    assert boxes[0].tolist() == [-23, -11, 23, 11]


@given(some_boxes(), some_boxes())
def test_decoding_undoes_encoding(boxes: torch.Tensor, anchors: torch.Tensor) -> None:
    count = min(len(boxes), len(anchors))
    boxes, anchors = boxes[:count], anchors[:count]
    # a box more than 62 times as wide as its anchor is out of the code's range, as in torchvision
    sides = (boxes[:, 2:] - boxes[:, :2]) / (anchors[:, 2:] - anchors[:, :2])
    boxes, anchors = boxes[(sides < 60).all(dim=1)], anchors[(sides < 60).all(dim=1)]
    assert torch.allclose(decode(encode(boxes, anchors), anchors), boxes, atol=0.05)


@pytest.mark.parametrize(
    ("first", "second", "iou"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1.0),  # the same box
        ([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3),  # half of each
        ([0, 0, 10, 10], [10, 0, 20, 10], 0.0),  # side by side
        ([0, 0, 10, 10], [2, 2, 7, 7], 0.25),  # one inside the other
        ([5, 5, 5, 5], [5, 5, 5, 5], 0.0),  # nothing at all
    ],
)
def test_overlap(first: list[float], second: list[float], iou: float) -> None:
    found = pairwise_iou(torch.tensor([first]).float(), torch.tensor([second]).float())
    assert found.item() == pytest.approx(iou)


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ([0, 0, 10, 10], 0),  # overlap 1
        ([0, 0, 10, 19], 0),  # 0.53: above the upper threshold
        ([0, 0, 10, 22], IGNORED),  # 0.45: in between
        ([0, 0, 10, 26], BACKGROUND),  # 0.38: below the lower one
        ([50, 50, 60, 60], BACKGROUND),  # nowhere near
    ],
)
def test_anchors_are_matched_from_0_5_and_ignored_from_0_4(
    anchor: list[float], expected: int
) -> None:
    best = [0, 0, 10, 10]
    matches = match(torch.tensor([best, anchor]).float(), torch.tensor([best]).float())
    assert matches.tolist() == [0, expected]


def test_a_box_that_no_anchor_fits_takes_the_best_one() -> None:
    anchors = torch.tensor([[0.0, 0, 16, 16], [16, 16, 32, 32]])
    assert match(anchors, torch.tensor([[2.0, 2, 6, 6]])).tolist() == [0, BACKGROUND]


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        # both overlap the first anchor best: it goes to the one that it overlaps most
        ([[0, 0, 16, 21], [4, 4, 10, 10]], [0, BACKGROUND]),
        # a small face before a large one that has a better anchor: its best one is its own
        ([[0, 0, 32, 32], [2, 2, 8, 8]], [1, 0]),
        # two as good as each other: the left one
        ([[4, 0, 20, 16], [-4, 0, 12, 16]], [1, BACKGROUND]),
    ],
)
def test_an_anchor_that_is_the_best_of_several_boxes_goes_to_the_one_that_it_overlaps_most(
    boxes: list[list[float]], expected: list[int]
) -> None:
    anchors = torch.tensor([[0.0, 0, 16, 16], [0, 0, 32, 32]])
    if expected[1] == BACKGROUND:
        anchors[1] += 100
    assert match(anchors, torch.tensor(boxes).float()).tolist() == expected
    other_way_round = [row if row < 0 else 1 - row for row in expected]
    assert match(anchors, torch.tensor(boxes[::-1]).float()).tolist() == other_way_round


@pytest.mark.parametrize("matching", [match, match_nearest])
@given(boxes=some_boxes(), random=st.randoms(use_true_random=False))
def test_the_order_of_the_boxes_decides_nothing(
    matching: Match, boxes: torch.Tensor, random: Random
) -> None:
    anchors = Anchors(AnchorConfig(SIZES, STRIDES))(SHAPES)
    shuffled = boxes[random.sample(range(len(boxes)), len(boxes))]
    first, second = matching(anchors, boxes), matching(anchors, shuffled)
    assert torch.equal(first.clamp(max=0), second.clamp(max=0))
    assert torch.equal(boxes[first[first >= 0]], shuffled[second[second >= 0]])


@pytest.mark.parametrize("matching", [match, match_nearest])
def test_without_boxes_everything_is_background(matching: Match) -> None:
    assert matching(torch.ones(3, 4), torch.zeros(0, 4)).tolist() == [BACKGROUND] * 3


@pytest.mark.parametrize("matching", [match, match_nearest])
def test_no_anchor_is_to_predict_a_box_that_it_does_not_overlap(matching: Match) -> None:
    # the last has no area, and its delta to any box would be infinite
    anchors = torch.tensor([[0.0, 0, 8, 8], [8, 8, 16, 16], [33, 33, 33, 33]])
    boxes = torch.tensor([[30.0, 30, 36, 36], [100, 100, 110, 110]])
    assert matching(anchors, boxes).tolist() == [BACKGROUND] * 3


def one_a_position() -> torch.Tensor:
    """Anchors of 20 px on a grid of 8 px, of 40 px on one of 16 px and of 80 px on one of 32."""
    config = AnchorConfig((20, 40, 80), (8, 16, 32), (1.0,), (1.0,))
    return Anchors(config)([(12, 12), (6, 6), (3, 3)])


@pytest.mark.parametrize(
    ("box", "side_px", "least", "most"),
    [
        ([30, 30, 50, 50], 20, 2, 9),  # as large as the small anchors
        ([22, 22, 62, 62], 40, 1, 9),  # as large as the large ones
        ([39, 39, 41, 41], 20, 1, 1),  # a centre lies in it
        ([41, 41, 43, 43], 20, 1, 1),  # none does: the nearest of those that overlap it best
    ],
)
def test_a_box_takes_anchors_of_its_size_that_are_centred_in_it(
    box: list[float], side_px: float, least: int, most: int
) -> None:
    anchors = one_a_position()
    taken = anchors[match_nearest(anchors, torch.tensor([box]).float()) == 0]
    assert least <= len(taken) <= most
    assert set((taken[:, 2] - taken[:, 0]).tolist()) == {side_px}
    centres = (taken[:, :2] + taken[:, 2:]) / 2
    wide = torch.tensor(box).float()
    if len(taken) > 1:
        assert ((centres > wide[:2]) & (centres < wide[2:])).all()


def test_anchors_of_one_width_are_of_several_sizes() -> None:
    # nine wide ones lie nearer to the box than the high one of its size
    centres = torch.tensor([[x, y] for x in (46.0, 50, 54) for y in (56.0, 60, 64)])
    wide = torch.cat([centres - torch.tensor([10, 5]), centres + torch.tensor([10, 5])], dim=1)
    anchors = torch.cat([wide, torch.tensor([[44.0, 46, 64, 86]])])
    assert match_nearest(anchors, torch.tensor([[40.0, 40, 60, 80]]))[-1] == 0


@pytest.mark.parametrize(
    ("name", "per_position", "expected"),
    [
        (None, 1, match_nearest),  # alone at its position
        (None, 9, match),  # as in the paper
        ("overlap", 1, match),
        ("nearest", 9, match_nearest),
    ],
)
def test_the_matcher_suits_the_anchors_unless_it_is_named(
    name: str | None, per_position: int, expected: Match
) -> None:
    assert matcher(name, per_position) is expected


def test_an_anchor_near_two_boxes_goes_to_the_one_that_it_overlaps_most() -> None:
    anchors = one_a_position()
    boxes = torch.tensor([[20.0, 30, 40, 50], [30.0, 30, 50, 50]])
    matches = match_nearest(anchors, boxes)
    overlaps = pairwise_iou(boxes, anchors)
    for row in (0, 1):
        assert (overlaps[row] >= overlaps[1 - row])[matches == row].all()
        assert (matches == row).any()
