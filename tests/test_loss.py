"""The loss: focal loss against its definition, and what the whole loss pays attention to."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from export.loss import Target, focal_loss, retinanet_loss

ANCHORS = torch.tensor([[0.0, 0, 16, 16], [0, 0, 16, 24], [0, 0, 16, 36], [64, 64, 80, 80]])
FACE = Target(torch.tensor([[0.0, 0, 16, 16]]), torch.tensor([1]))
NOBODY = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.sampled_from([0.0, 1.0])), min_size=1, max_size=20),
    st.floats(0.05, 0.95),
)
def test_focal_loss_without_focus_is_balanced_cross_entropy(
    rows: list[tuple[float, float]], alpha: float
) -> None:
    logits, targets = torch.tensor(rows, dtype=torch.float64).T
    weight = torch.where(targets == 1, alpha, 1 - alpha)
    expected = functional.binary_cross_entropy_with_logits(
        logits, targets, weight=weight, reduction="none"
    )
    assert torch.allclose(focal_loss(logits, targets, alpha, gamma=0.0), expected)


@pytest.mark.parametrize(
    ("probability", "target", "expected"),
    [
        (0.9, 1.0, 0.25 * 0.1**2 * 0.105360516),  # an easy face hardly counts
        (0.1, 1.0, 0.25 * 0.9**2 * 2.302585093),  # a missed one does
        (0.1, 0.0, 0.75 * 0.1**2 * 0.105360516),  # easy background hardly counts
    ],
)
def test_focal_loss_by_hand(probability: float, target: float, expected: float) -> None:
    logit = torch.logit(torch.tensor(probability, dtype=torch.float64))
    loss = focal_loss(logit, torch.tensor(target, dtype=torch.float64))
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def perfect() -> torch.Tensor:
    logits = torch.full((1, 4, 2), -30.0)
    logits[0, :2, 1] = 30.0
    return logits


def test_a_perfect_answer_costs_nothing() -> None:
    # anchor 1 overlaps the face by 0.67, so that it must give the face too: log(16/24) in height
    deltas = torch.zeros(1, 4, 4)
    deltas[0, 1] = torch.tensor([0.0, -4 / 24, 0.0, -0.4054651])
    class_loss, box_loss = retinanet_loss(perfect(), deltas, ANCHORS, [FACE])
    assert class_loss.item() == pytest.approx(0, abs=1e-9)
    assert box_loss.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("anchor", "matters"),
    [
        (0, True),  # matched
        (2, False),  # overlap 0.44: neither face nor background
        (3, True),  # background
    ],
)
def test_class_loss_looks_at_all_anchors_but_the_ambiguous(anchor: int, matters: bool) -> None:
    logits = perfect()
    logits[0, anchor, 0] = 5.0
    class_loss, _ = retinanet_loss(logits, torch.zeros(1, 4, 4), ANCHORS, [FACE])
    assert (class_loss.item() > 0.1) is matters


def test_box_loss_looks_at_matched_anchors_only() -> None:
    deltas = torch.zeros(1, 4, 4)
    deltas[0, 2:] = 9.0
    deltas[0, 1] = torch.tensor([0.0, -4 / 24, 0.0, -0.4054651])
    _, box_loss = retinanet_loss(perfect(), deltas, ANCHORS, [FACE])
    assert box_loss.item() == pytest.approx(0, abs=1e-6)


def test_a_batch_without_any_face_gives_a_loss_that_can_be_learnt_from() -> None:
    logits = torch.zeros(2, 4, 2, requires_grad=True)
    deltas = torch.zeros(2, 4, 4, requires_grad=True)
    class_loss, box_loss = retinanet_loss(logits, deltas, ANCHORS, [NOBODY, NOBODY])
    (class_loss + box_loss).backward()
    assert box_loss.item() == 0.0
    assert logits.grad is not None
    assert (logits.grad > 0).all()
