"""Detections: checked when made, so that nothing later has to."""

import numpy as np
import pytest

from monitor.detections import Detections

CLASSES = ("mask", "noMask")


def two_faces() -> Detections:
    boxes = np.array([[0, 0, 30, 40], [5, 5, 5, 20]], np.float32)
    return Detections(boxes, np.array([[0.9, 0.1], [0.2, 0.4]], np.float32), CLASSES)


def test_labels_scores_and_sides_are_told_face_by_face() -> None:
    faces = two_faces()
    assert faces.labels.tolist() == [0, 1]
    assert faces.best_scores == pytest.approx([0.9, 0.4])
    assert faces.sides_px == pytest.approx([np.sqrt(1200), 0])


def test_no_face_is_a_value_like_any_other() -> None:
    nobody = Detections.empty(CLASSES)
    assert len(nobody) == 0
    assert nobody.labels.tolist() == []
    assert nobody.best_scores.tolist() == []
    assert list(nobody) == []


def test_faces_are_chosen_by_a_mask() -> None:
    faces = two_faces()
    assert faces.where(faces.best_scores > 0.5).boxes.tolist() == [[0, 0, 30, 40]]


@pytest.mark.parametrize(
    ("boxes", "scores", "message"),
    [
        (np.zeros((1, 5)), np.zeros((1, 2)), r"expected \[N, 4\]"),  # five coordinates
        (np.zeros((2, 4)), np.zeros((1, 2)), "scores: found shape"),  # a face without scores
        (np.zeros((1, 4)), np.zeros((1, 3)), "scores: found shape"),  # a column too many
        (np.full((1, 4), np.nan), np.zeros((1, 2)), "not finite"),  # a broken model
        (np.zeros((1, 4)), np.full((1, 2), np.inf), "not finite"),  # a broken model
    ],
)
def test_arrays_that_disagree_are_refused(
    boxes: np.ndarray, scores: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Detections(boxes.astype(np.float32), scores.astype(np.float32), CLASSES)
