"""Holding out validation pictures: fair to every class, and never a near duplicate."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import draw, draw_scene, write

from export.datasets import DatasetError, Sample
from export.duplicates import near_duplicates
from export.duplicates.hold_out import hold_out


def labelled(path: Path, *labels: str) -> Sample:
    return Sample(path, np.tile(np.float32([0, 0, 9, 9]), (len(labels), 1)), labels)


def test_near_duplicates_stay_together(tmp_path: Path) -> None:
    samples = []
    for seed in range(10):
        path = draw_scene(tmp_path / f"{seed}.png", seed)
        image = cv2.imread(str(path))
        again = write(tmp_path / f"{seed}-again.jpg", cv2.resize(image, (240, 180)))
        samples += [labelled(path, "mask"), labelled(again, "mask")]
    training, validation = hold_out(samples, 0.3)
    assert len(validation) == 6
    held = {sample.path.stem.removesuffix("-again") for sample in validation}
    assert held.isdisjoint(sample.path.stem.removesuffix("-again") for sample in training)


@given(
    groups=st.lists(
        st.lists(st.sampled_from(["", "a", "b", "aab"]), min_size=1, max_size=4), min_size=1
    ),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 2**32),
)
def test_hold_out_divides_whole_groups_the_same_way_each_time(
    groups: list[list[str]], share: float, seed: int
) -> None:
    samples = [labelled(Path("x.jpg"), *labels) for group in groups for labels in group]
    sizes = np.cumsum([0, *map(len, groups)]).tolist()
    indices = [list(range(a, b)) for a, b in pairwise(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "groups", lambda paths: indices)
        try:
            training, validation = hold_out(samples, share, seed)
        except DatasetError:
            return
        assert (training, validation) == hold_out(samples, share, seed)
    assert training
    assert validation
    held = [sample in validation for sample in samples]
    assert [sample for sample in samples if sample in validation] == validation
    assert [sample for sample in samples if sample not in validation] == training
    for group in indices:
        assert len({held[index] for index in group}) == 1


def test_every_class_and_the_negatives_get_their_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "groups", lambda paths: [[i] for i in range(len(paths))])
    kinds = [("mask",)] * 60 + [("noMask",)] * 20 + [()] * 20
    samples = [labelled(Path("x.jpg"), *labels) for labels in kinds]
    chosen = [hold_out(samples, 0.2, seed)[1] for seed in (0, 1)]
    for validation in chosen:
        labels = [sample.labels for sample in validation]
        assert [labels.count(kind) for kind in (("mask",), ("noMask",), ())] == [12, 4, 4]
    assert chosen[0] != chosen[1]


def test_pictures_that_are_all_alike_cannot_be_divided(tmp_path: Path) -> None:
    samples = [labelled(draw(tmp_path / f"{name}.jpg"), "mask") for name in "ab"]
    with pytest.raises(DatasetError, match="found 2 pictures in 1 groups of near duplicates"):
        hold_out(samples, 0.5)
