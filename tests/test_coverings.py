"""Coverings: what is drawn before bare faces, and which label they then deserve."""

from __future__ import annotations

import numpy as np
import pytest

from export.arguments.augmentation import augmentation_of
from export.views import transforms
from export.views.coverings import Coverings
from export.views.transforms import Augmentation, View, augmented
from monitor.contract import ResizeRule
from monitor.errors import UsageError

MASKED, BARE = 0, 1
SKIN = (150, 170, 210)
FACE = np.array([[60, 40, 140, 150]], np.float32)


def portrait(box: np.ndarray = FACE) -> np.ndarray:
    """A grey picture, uint8 [200, 200, 3], with a plain patch of skin in each box."""
    image = np.full((200, 200, 3), 90, np.uint8)
    for x1, y1, x2, y2 in box.astype(int):
        image[y1:y2, x1:x2] = SKIN
    return image


def lower_half_changed(image: np.ndarray) -> bool:
    x1, y1, x2, y2 = FACE[0].astype(int)
    return bool((image[(y1 + y2) // 2 : y2, x1:x2] != SKIN).any())


def covered_faces(count: int = 60) -> list[tuple[np.ndarray, int]]:
    coverings = Coverings(1.0, BARE, MASKED)
    found = []
    for seed in range(count):
        image = portrait()
        labels = coverings.draw(image, FACE, np.array([BARE]), np.random.default_rng(seed))
        found.append((image, int(labels[0])))
    return found


def test_some_covered_faces_become_masked_and_some_stay_bare() -> None:
    labels = [label for _, label in covered_faces()]
    assert 0.3 < np.mean(np.array(labels) == MASKED) < 0.8


def test_every_face_that_becomes_masked_has_something_over_nose_and_mouth() -> None:
    x1, y1, x2, y2 = FACE[0].astype(int)
    nose_and_mouth = np.s_[y1 + 68 : y2 - 20, x1 + 30 : x2 - 30]
    for image, label in covered_faces():
        if label == MASKED:
            assert (image[nose_and_mouth] != SKIN).any(axis=2).mean() > 0.9


def test_a_mask_that_leaves_the_nose_free_leaves_the_face_bare() -> None:
    x1, y1, x2, _ = FACE[0].astype(int)
    nose = np.s_[y1 + 50 : y1 + 62, x1 + 35 : x2 - 35]
    free = [label for image, label in covered_faces() if (image[nose] == SKIN).all()]
    assert free
    assert set(free) == {BARE}


@pytest.mark.parametrize(
    ("label", "box", "share"),
    [
        (MASKED, FACE, 1.0),  # a masked face has what it needs
        (BARE, FACE, 0.0),  # nothing asked for
        (BARE, FACE * 0.1, 1.0),  # too small to draw on
        (BARE, FACE - [60, 0, 60, 0], 1.0),  # cut by the picture's edge: where its nose is, is open
    ],
)
def test_faces_that_are_left_alone(label: int, box: np.ndarray, share: float) -> None:
    for seed in range(20):
        image = portrait(box)
        before = image.copy()
        labels = Coverings(share, BARE, MASKED).draw(
            image, box.astype(np.float32), np.array([label]), np.random.default_rng(seed)
        )
        x1, y1, x2, y2 = box[0].astype(int)
        assert labels.tolist() == [label]
        assert (image[y1:y2, x1:x2] == before[y1:y2, x1:x2]).all()


def test_now_and_then_a_mask_lies_where_no_face_is() -> None:
    nobody = np.zeros((0, 4), np.float32)
    changed = 0
    for seed in range(60):
        image = portrait(nobody)
        labels = Coverings(0.0, BARE, MASKED).draw(
            image, nobody, np.zeros(0, np.int64), np.random.default_rng(seed)
        )
        assert len(labels) == 0
        changed += bool((image != 90).any())
    assert 1 <= changed <= 20


def test_the_same_seed_covers_in_the_same_way() -> None:
    augmentation = Augmentation(160, coverings=Coverings(1.0, BARE, MASKED))

    def view() -> View:
        source = View(portrait(), FACE, np.array([BARE]))
        return augmented(lambda: (source, 1.0), augmentation, np.random.default_rng(5))

    assert (view().image == view().image).all()
    assert view().labels.tolist() == view().labels.tolist()


@pytest.fixture
def true_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the light as it is, so that skin can be recognised."""
    monkeypatch.setattr(transforms, "recoloured", lambda image, rng: image)


def covered_views(augmentation: Augmentation, count: int = 60) -> list[View]:
    source = View(portrait(), FACE, np.array([BARE]))
    return [
        augmented(lambda: (source, 1.0), augmentation, np.random.default_rng(seed))
        for seed in range(count)
    ]


def test_a_face_that_a_mosaic_cuts_is_left_alone(true_colours: None) -> None:
    cut = 0
    for view in covered_views(Augmentation(160, 1.0, coverings=Coverings(1.0, BARE, MASKED))):
        at_a_seam = (view.boxes == 80).any(axis=1)
        cut += at_a_seam.sum()
        assert set(view.labels[at_a_seam]) <= {BARE}
    assert cut > 20


def test_a_face_that_stands_on_its_head_wears_its_mask_over_nose_and_mouth(
    true_colours: None,
) -> None:
    masked = 0
    for view in covered_views(Augmentation(160, 0.0, 1.0, Coverings(1.0, BARE, MASKED))):
        for box in view.boxes[view.labels == MASKED]:
            masked += 1
            (x1, y1), (width, height) = box[:2], box[2:] - box[:2]
            rows = slice(round(y1 + 0.2 * height), round(y1 + 0.38 * height))
            columns = slice(round(x1 + 0.4 * width), round(x1 + 0.6 * width))
            assert (view.image[rows, columns] != SKIN).any(axis=2).mean() > 0.9
    assert masked > 10


class Options:
    """The options of views, as the command line gives them."""

    random_transform = True
    crop = 128
    mosaic = upside_down = 0.0
    cover_share = 0.5

    def __init__(self, cover: str) -> None:
        self.cover = cover


def test_the_classes_that_are_covered_are_named_on_the_command_line() -> None:
    found = augmentation_of(Options("noMask=mask"), ResizeRule(128, 128), ("mask", "noMask"))
    assert found == Augmentation(128, coverings=Coverings(0.5, BARE, MASKED))


@pytest.mark.parametrize(
    "cover",
    [
        "noMask",  # nothing that it becomes
        "noMask=noMask",  # the same
        "bare=mask",  # no such class
    ],
)
def test_other_names_are_refused(cover: str) -> None:
    with pytest.raises(UsageError, match=r"--cover: .* found, expected BARE=MASKED"):
        augmentation_of(Options(cover), ResizeRule(128, 128), ("mask", "noMask"))
