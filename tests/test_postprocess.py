"""Postprocessing: suppression against its textbook form, and the outputs' fixed shape."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from export.boxes import pairwise_iou
from export.postprocess import PostprocessConfig, keep_mask, postprocess

IOU = 0.45
corner = st.floats(0, 60, width=32)
side = st.floats(4, 40, width=32)


def greedy(boxes: torch.Tensor) -> list[bool]:
    """Non-maximum suppression as everyone writes it first."""
    overlaps = pairwise_iou(boxes, boxes)
    kept: list[bool] = []
    for j in range(len(boxes)):
        kept.append(not any(kept[i] and overlaps[i, j] > IOU for i in range(j)))
    return kept


@given(st.lists(st.tuples(corner, corner, side, side), min_size=1, max_size=24))
@settings(deadline=None)
def test_suppression_agrees_with_the_greedy_loop(rows: list[tuple[float, ...]]) -> None:
    x, y, w, h = torch.tensor(rows).T
    boxes = torch.stack([x, y, x + w, y + h], dim=1)
    assert keep_mask(boxes[None], IOU, rounds=len(rows))[0].bool().tolist() == greedy(boxes)


def test_a_chain_needs_no_more_rounds_than_it_has_links() -> None:
    # each box overlaps the next by 0.6 and the one after by 0.33: every other one stays
    boxes = torch.tensor([[10.0 * i, 0, 10 * i + 40, 40] for i in range(8)])
    assert greedy(boxes) == [True, False] * 4
    assert keep_mask(boxes[None], IOU, rounds=8)[0].bool().tolist() == [True, False] * 4


def outputs(logits: list[list[float]], **options: float) -> tuple[torch.Tensor, torch.Tensor]:
    anchors = torch.tensor([[0.0, 0, 20, 20], [2, 0, 22, 20], [50, 50, 70, 70], [90, 0, 99, 9]])
    config = PostprocessConfig(candidates=4, detections=4, **options)  # type: ignore[arg-type]
    return postprocess(torch.tensor([logits]), torch.zeros(1, 4, 4), anchors, config)


def test_rows_are_sorted_by_their_best_class_and_padded_with_zeros() -> None:
    boxes, scores = outputs([[0.0, -5], [-5, 3.0], [1.0, -9], [-2.0, -2]])
    best = scores[0].amax(dim=1)
    # the second anchor wins over the first, whatever their classes
    assert torch.allclose(best, torch.sigmoid(torch.tensor([3.0, 1.0, -2.0, -torch.inf])))
    assert boxes[0].tolist() == [[2, 0, 22, 20], [50, 50, 70, 70], [90, 0, 99, 9], [0, 0, 0, 0]]


def test_the_other_columns_tell_how_ambiguous_a_face_is() -> None:
    _, scores = outputs([[2.0, 1.0], [-9, -9], [-9, -9], [-9, -9]])
    assert torch.allclose(scores[0, 0], torch.sigmoid(torch.tensor([2.0, 1.0])))


def test_pictures_of_a_batch_do_not_mix() -> None:
    anchors = torch.tensor([[0.0, 0, 20, 20], [50, 50, 70, 70]])
    logits = torch.tensor([[[3.0], [-9.0]], [[-9.0], [3.0]]])
    config = PostprocessConfig(candidates=2, detections=1)
    boxes, _ = postprocess(logits, torch.zeros(2, 2, 4), anchors, config)
    assert boxes[:, 0].tolist() == [[0, 0, 20, 20], [50, 50, 70, 70]]
