"""Teacher: what a network learns from another one, and from which it may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from export import checkpoint
from export.loss import Lesson, Target, focal_loss, retinanet_loss
from export.retinanet import RetinaNet, RetinaNetConfig
from export.teacher import TEACHER_SHARE, read_teacher
from monitor.errors import UsageError

CONFIG = RetinaNetConfig(
    ("mask", "noMask"), "resnet18", width=0.125, fpn_channels=8, subnet_depth=0
)
CPU = torch.device("cpu")
# the first is the face, the second overlaps it by 0.44 and so is ignored, the third is background
ANCHORS = torch.tensor([[0.0, 0, 16, 16], [0, 0, 16, 36], [64, 64, 80, 80]])
FACE = Target(torch.tensor([[0.0, 0, 16, 16]]), torch.tensor([1]))


def network_of(config: RetinaNetConfig = CONFIG) -> RetinaNet:
    torch.manual_seed(3)
    return RetinaNet(config).eval()


def snapshot_of(network: RetinaNet, path: Path) -> Path:
    state = network.state_dict()
    checkpoint.save(path, {"config": network.config.to_dict(), "averaged": state})
    return path


def class_loss(probabilities: list[list[float]], lesson: Lesson | None) -> float:
    logits = torch.logit(torch.tensor([probabilities], dtype=torch.float64))
    return retinanet_loss(logits, torch.zeros(1, 3, 4), ANCHORS, [FACE], lesson)[0].item()


@pytest.mark.parametrize("wanted", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_probability_asked_for_costs_nothing_and_any_other_does(wanted: float) -> None:
    logits = torch.linspace(-6, 6, 401, dtype=torch.float64)
    losses = focal_loss(logits, torch.full_like(logits, wanted))
    assert (losses >= 0).all()
    cheapest = torch.sigmoid(logits[losses.argmin()]).item()
    assert cheapest == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize(
    ("share", "asked_for"),
    [
        # the labels alone, but for the ignored anchor, of which they say nothing
        (0.0, [[0, 1], [0.3, 0.4], [0, 0]]),
        # half of each
        (0.5, [[0.1, 0.8], [0.3, 0.4], [0.05, 0.0]]),
        # the teacher alone
        (1.0, [[0.2, 0.6], [0.3, 0.4], [0.1, 0.0]]),
    ],
)
def test_labels_and_teacher_are_asked_for_by_their_share(
    share: float, asked_for: list[list[float]]
) -> None:
    taught = torch.tensor([[[0.2, 0.6], [0.3, 0.4], [0.1, 0.0]]])
    lesson = Lesson(taught, share)
    answer = torch.tensor(asked_for).clamp(1e-9, 1 - 1e-7).tolist()
    assert class_loss(answer, lesson) == pytest.approx(0, abs=1e-6)
    for row in range(3):
        for column in range(2):
            other = [list(values) for values in answer]
            other[row][column] = abs(other[row][column] - 0.3)
            assert class_loss(other, lesson) > 1e-3


def test_boxes_are_learnt_from_the_labels_alone() -> None:
    logits, deltas = torch.zeros(1, 3, 2), torch.ones(1, 3, 4)
    lesson = Lesson(torch.rand(1, 3, 2), 0.5)
    taught = retinanet_loss(logits, deltas, ANCHORS, [FACE], lesson)
    assert torch.equal(taught[1:], retinanet_loss(logits, deltas, ANCHORS, [FACE])[1:])


def test_a_lesson_is_what_the_averaged_network_of_the_snapshot_sees(tmp_path: Path) -> None:
    network = network_of()
    path = snapshot_of(network, tmp_path / "teacher.pt")
    pictures = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    lesson = read_teacher(path, None, network_of(), CPU)(pictures)
    assert lesson.share == TEACHER_SHARE
    assert not lesson.probabilities.requires_grad
    assert torch.allclose(lesson.probabilities, network(pictures)[0].sigmoid(), atol=1e-6)


def test_a_teacher_of_another_backbone_will_do(tmp_path: Path) -> None:
    path = snapshot_of(network_of(replace(CONFIG, width=0.25)), tmp_path / "wide.pt")
    assert read_teacher(path, 0.3, network_of(), CPU).share == 0.3


@pytest.mark.parametrize(
    ("config", "message"),
    [
        # its columns mean something else
        (replace(CONFIG, classes=("noMask", "mask")), "classes ('noMask', 'mask') found"),
        # and its rows
        (replace(CONFIG, anchor_ratios=(1.25,)), "anchors AnchorConfig("),
    ],
)
def test_a_teacher_of_other_classes_or_anchors_is_refused(
    tmp_path: Path, config: RetinaNetConfig, message: str
) -> None:
    path = snapshot_of(network_of(config), tmp_path / "teacher.pt")
    with pytest.raises(UsageError) as raised:
        read_teacher(path, 0.5, network_of(), CPU)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)
