"""Postprocessing: suppression against its textbook form, and the outputs' fixed shape."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from export.boxes import pairwise_iou
from export.graph.onnx_graph import OPSET, quiet_exporter
from export.graph.suppression import TRANSLATIONS, suppressed
from export.postprocess import KeepMask, PostprocessConfig, keep_mask, postprocess

IOU = 0.45
corner = st.floats(0, 60, width=32)
side = st.floats(4, 40, width=32)
box = st.tuples(corner, corner, side, side)
# few different scores, so that ties are common
score = st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9])


def xyxy(rows: list[tuple[float, ...]]) -> torch.Tensor:
    x, y, w, h = torch.tensor(rows).T
    return torch.stack([x, y, x + w, y + h], dim=1)


def greedy(boxes: torch.Tensor, scores: list[float]) -> list[bool]:
    """Non-maximum suppression as everyone writes it first."""
    overlaps = pairwise_iou(boxes, boxes)
    kept: list[int] = []
    for j in sorted(range(len(boxes)), key=lambda j: -scores[j]):
        if not any(overlaps[i, j] > IOU for i in kept):
            kept.append(j)
    return [j in kept for j in range(len(boxes))]


def falling(count: int) -> list[float]:
    return [1 / (row + 1) for row in range(count)]


@given(st.lists(st.tuples(box, score), min_size=1, max_size=24))
def test_suppression_agrees_with_the_greedy_loop(rows: list) -> None:
    boxes = xyxy([box for box, _ in rows])
    scores = [score for _, score in rows]
    keep = keep_mask(boxes[None], torch.tensor(scores)[None, :, None], IOU, rounds=len(rows))
    assert keep[0, :, 0].bool().tolist() == greedy(boxes, scores)


@given(st.lists(st.tuples(box, score, score, score), min_size=1, max_size=16))
def test_suppression_by_class_agrees_with_one_greedy_loop_a_class(rows: list) -> None:
    boxes = xyxy([box for box, *_ in rows])
    scores = torch.tensor([scores for _, *scores in rows])
    keep = keep_mask(boxes[None], scores[None], IOU, rounds=len(rows))[0].bool()
    for column in range(3):
        assert keep[:, column].tolist() == greedy(boxes, scores[:, column].tolist())


def test_a_chain_needs_no_more_rounds_than_it_has_links() -> None:
    # each box overlaps the next by 0.6 and the one after by 0.33: every other one stays
    boxes = torch.tensor([[10.0 * i, 0, 10 * i + 40, 40] for i in range(8)])
    assert greedy(boxes, falling(8)) == [True, False] * 4
    keep = keep_mask(boxes[None], torch.tensor(falling(8))[None, :, None], IOU, rounds=8)
    assert keep[0, :, 0].bool().tolist() == [True, False] * 4


def outputs(
    logits: list[list[float]], candidates: int | None = 4, detections: int = 4, **options: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes and scores of one picture; the first two of its four anchors overlap."""
    anchors = torch.tensor([[0.0, 0, 20, 20], [2, 0, 22, 20], [50, 50, 70, 70], [90, 0, 99, 9]])
    config = PostprocessConfig(candidates, detections, **options)  # type: ignore[arg-type]
    boxes, scores = postprocess(torch.tensor([logits]), torch.zeros(1, 4, 4), anchors, config)
    return boxes[0], scores[0]


def probabilities(*logits: float) -> torch.Tensor:
    return torch.sigmoid(torch.tensor(logits))


def test_rows_are_sorted_by_their_best_class_and_padded_with_zeros() -> None:
    boxes, scores = outputs([[0.0, -5], [-5, 3.0], [1.0, -9], [-2.0, -2]])
    # the second anchor wins over the first, whatever their classes
    assert torch.allclose(scores.amax(dim=1), probabilities(3.0, 1.0, -2.0, -torch.inf))
    assert boxes.tolist() == [[2, 0, 22, 20], [50, 50, 70, 70], [90, 0, 99, 9], [0, 0, 0, 0]]


def test_the_other_columns_tell_how_ambiguous_a_face_is() -> None:
    _, scores = outputs([[2.0, 1.0], [-9, -9], [-9, -9], [-9, -9]])
    assert torch.allclose(scores[0], probabilities(2.0, 1.0))


def test_by_class_only_the_column_of_the_better_row_is_suppressed() -> None:
    _, scores = outputs([[2.0, 0.5], [1.0, 3.0], [-9, -9], [-9, -9]], class_specific=True)
    # the second anchor loses in the first class alone, the first one in the second alone
    expected = torch.stack([probabilities(-torch.inf, 3.0), probabilities(2.0, -torch.inf)])
    assert torch.allclose(scores[:2], expected)


def test_without_suppression_every_candidate_keeps_its_row() -> None:
    boxes, scores = outputs([[0.0], [3.0], [1.0], [2.0]], nms=False)
    assert torch.allclose(scores[:, 0], probabilities(3.0, 2.0, 1.0, 0.0))
    assert boxes[:, 0].tolist() == [2, 90, 50, 0]


@pytest.mark.parametrize("class_specific", [False, True])
def test_rows_below_the_threshold_are_zeros(class_specific: bool) -> None:
    logits = [[-9.0, -9.0], [3.0, -1.0], [1.0, -9], [-1.0, 0.0]]
    boxes, scores = outputs(logits, score_threshold=0.6, class_specific=class_specific)
    # a low score of another class stays where the row itself is good enough
    assert torch.allclose(scores[:2], torch.stack([probabilities(3, -1), probabilities(1, -9)]))
    assert (scores[2:] == 0).all()
    assert (boxes[2:] == 0).all()


@pytest.mark.parametrize("options", [{}, {"class_specific": True}, {"nms": False}])
def test_all_anchors_can_be_candidates(options: dict) -> None:
    logits = [[0.0, 2], [3.0, 1], [-9.0, -9], [2.5, 0.5]]
    for some, every in zip(
        outputs(logits, **options), outputs(logits, None, **options), strict=True
    ):
        assert torch.equal(some, every)


@pytest.mark.parametrize("options", [{}, {"class_specific": True}, {"nms": False}])
def test_fewer_anchors_than_candidates_are_filled_up_with_zeros(options: dict) -> None:
    few = outputs([[0.0, 2], [3.0, 1], [1.0, -1], [2.0, 0]], **options)
    many = outputs([[0.0, 2], [3.0, 1], [1.0, -1], [2.0, 0]], 50, 30, **options)
    for first, second in zip(few, many, strict=True):
        assert torch.equal(first, second[:4])
        assert (second[4:] == 0).all()


def test_pictures_of_a_batch_do_not_mix() -> None:
    anchors = torch.tensor([[0.0, 0, 20, 20], [50, 50, 70, 70]])
    logits = torch.tensor([[[3.0], [-9.0]], [[-9.0], [3.0]]])
    config = PostprocessConfig(candidates=2, detections=1)
    boxes, _ = postprocess(logits, torch.zeros(2, 2, 4), anchors, config)
    assert boxes[:, 0].tolist() == [[0, 0, 20, 20], [50, 50, 70, 70]]


def test_more_rows_than_candidates_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="600 detections of 512 candidates"):
        PostprocessConfig(detections=600)


class Ending(torch.nn.Module):
    """The end of the graph alone."""

    def __init__(self, config: PostprocessConfig, keep: KeepMask) -> None:
        super().__init__()
        self.config = config
        self.keep = keep

    def forward(
        self, logits: torch.Tensor, deltas: torch.Tensor, anchors: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return postprocess(logits, deltas, anchors, self.config, self.keep)


@pytest.mark.parametrize(
    ("config", "keep"),
    [
        (PostprocessConfig(), keep_mask),  # as it is without options
        (PostprocessConfig(class_specific=True), keep_mask),  # by class
        (PostprocessConfig(nms=False, detections=200), keep_mask),  # not at all
        (PostprocessConfig(900, 700, iou=0.2, score_threshold=0.3), keep_mask),  # other numbers
        (PostprocessConfig(None), suppressed),  # as in int8
        (PostprocessConfig(None, class_specific=True), suppressed),
        (PostprocessConfig(None, 700, iou=0.2, score_threshold=0.3), suppressed),
    ],
)
def test_onnx_ends_as_torch_does_with_many_anchors_and_with_few(
    config: PostprocessConfig, keep: KeepMask, tmp_path: Path
) -> None:
    random = torch.Generator().manual_seed(0)

    def raw(pictures: int, count: int) -> tuple[torch.Tensor, ...]:
        corners = torch.rand(count, 2, generator=random) * 300
        anchors = torch.cat([corners, corners + 40], dim=1)
        # all different, so that the order is no luck
        steps = [torch.randperm(count * 3, generator=random) for _ in range(pictures)]
        logits = 8 * torch.stack(steps).reshape(pictures, count, 3) / (count * 3) - 4
        return logits, torch.randn(pictures, count, 4, generator=random) / 5, anchors

    pictures, anchors = torch.export.Dim("pictures"), torch.export.Dim("anchors")
    with quiet_exporter():
        program = torch.onnx.export(
            Ending(config, keep),
            raw(2, 400),
            dynamic_shapes=({0: pictures, 1: anchors}, {0: pictures, 1: anchors}, {0: anchors}),
            opset_version=OPSET,
            custom_translation_table=TRANSLATIONS,
        )
    assert program is not None
    program.save(tmp_path / "ending.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "ending.onnx", providers=["CPUExecutionProvider"]
    )
    names = [given.name for given in session.get_inputs()]
    # of all anchors at once, the rounds of torch would take gigabytes
    for count in (20, 400, 3000 if config.candidates else 500):
        given = raw(3, count)
        found = session.run(None, dict(zip(names, (g.numpy() for g in given), strict=True)))
        wanted = postprocess(*given, config)
        for first, second in zip(wanted, found, strict=True):
            assert np.allclose(first.numpy(), second, atol=1e-4)
