"""The loss: focal loss against its definition, and what the whole loss pays attention to."""

import math

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


def perfect_logits() -> torch.Tensor:
    logits = torch.full((1, 4, 2), -30.0)
    logits[0, :2, 1] = 30.0
    return logits


def perfect_deltas() -> torch.Tensor:
    deltas = torch.zeros(1, 4, 4)
    # anchor 1 overlaps the face by 0.67, so that it must give the face too
    deltas[0, 1] = torch.tensor([0.0, -4 / 24, 0.0, math.log(16 / 24)])
    return deltas


def test_a_perfect_answer_costs_nothing() -> None:
    sums = retinanet_loss(perfect_logits(), perfect_deltas(), ANCHORS, [FACE])
    assert sums.shape == (3,)
    class_sum, box_sum, matched = sums.tolist()
    assert class_sum == pytest.approx(0, abs=1e-9)
    assert box_sum == pytest.approx(0, abs=1e-6)
    assert matched == 2


@pytest.mark.parametrize(
    ("anchor", "matters"),
    [
        (0, True),  # matched
        (2, False),  # overlap 0.44: neither face nor background
        (3, True),  # background
    ],
)
def test_class_loss_looks_at_all_anchors_but_the_ambiguous(anchor: int, matters: bool) -> None:
    logits = perfect_logits()
    logits[0, anchor, 0] = 5.0
    class_sum = retinanet_loss(logits, perfect_deltas(), ANCHORS, [FACE])[0].item()
    # three quarters of the cross entropy of a mistake that could hardly be worse
    expected = 0.75 * torch.sigmoid(torch.tensor(5.0)).item() ** 2 * math.log1p(math.exp(5))
    assert class_sum == pytest.approx(expected if matters else 0, abs=1e-5)


def test_box_loss_looks_at_matched_anchors_only() -> None:
    deltas = perfect_deltas()
    deltas[0, 2:] = 9.0
    box_sum = retinanet_loss(perfect_logits(), deltas, ANCHORS, [FACE])[1]
    assert box_sum.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (0.05, 0.5 * 0.05**2 * 9),  # below 1/9: a parabola
        (-0.05, 0.5 * 0.05**2 * 9),  # in either direction
        (1.0, 1.0 - 1 / 18),  # above: a line
    ],
)
def test_box_loss_is_smooth_l1_summed_over_matched_anchors(error: float, expected: float) -> None:
    deltas = perfect_deltas()
    deltas[0, :2, 2] += error
    box_sum = retinanet_loss(perfect_logits(), deltas, ANCHORS, [FACE])[1]
    assert box_sum.item() == pytest.approx(2 * expected, rel=1e-4)


def test_the_sums_of_a_batch_are_those_of_its_pictures_added_up() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 2, generator=random)
    deltas = torch.randn(3, 4, 4, generator=random)
    other = Target(torch.tensor([[60.0, 60, 80, 84], [0, 0, 16, 36]]), torch.tensor([0, 1]))
    targets = [FACE, NOBODY, other]
    alone = [
        retinanet_loss(logits[[n]], deltas[[n]], ANCHORS, [target])
        for n, target in enumerate(targets)
    ]
    assert [sums[2].item() for sums in alone] == [2, 0, 3]
    together = retinanet_loss(logits, deltas, ANCHORS, targets)
    assert torch.allclose(together, torch.stack(alone).sum(dim=0))


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_the_loss_is_float32_whatever_the_precision_of_the_network(precision: torch.dtype) -> None:
    logits, deltas = torch.full((1, 4, 2), 0.1), torch.full((1, 4, 4), 0.1)
    half = retinanet_loss(logits.to(precision), deltas.to(precision), ANCHORS, [FACE])
    assert half.dtype == torch.float32
    # not rounded on the way: only the arguments were
    rounded = [values.to(precision).float() for values in (logits, deltas)]
    assert torch.equal(half, retinanet_loss(*rounded, ANCHORS, [FACE]))


def test_a_batch_without_any_face_gives_a_loss_that_can_be_learnt_from() -> None:
    logits = torch.zeros(2, 4, 2, requires_grad=True)
    deltas = torch.zeros(2, 4, 4, requires_grad=True)
    class_sum, box_sum, matched = retinanet_loss(logits, deltas, ANCHORS, [NOBODY, NOBODY])
    (class_sum + box_sum).backward()
    assert box_sum.item() == 0.0
    assert matched.item() == 0
    assert logits.grad is not None
    assert (logits.grad > 0).all()
