"""Class names: folding, order, and refusing what is ambiguous or unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.classes import check_labels, class_names, merge_classes, parse_merges
from export.datasets import DataSet, DatasetError, Sample
from monitor.errors import UsageError


def labelled(*labels: str) -> Sample:
    return Sample(Path("a.jpg"), np.tile(np.float32([0, 0, 9, 9]), (len(labels), 1)), labels)


def test_merges_fold_one_class_into_another() -> None:
    merges = parse_merges(["incorrectMask=noMask"])
    sample = labelled("mask", "incorrectMask", "noMask")
    merged = merge_classes(DataSet((sample,), ("incorrectMask", "mask", "noMask")), merges)
    assert merged.samples[0].labels == ("mask", "noMask", "noMask")
    assert merged.classes == ("mask", "noMask")


@pytest.mark.parametrize(
    ("merge", "classes"),
    [
        pytest.param("car=vehicle", ("bus", "lorry", "vehicle"), id="a new name comes last"),
        pytest.param("lorry=bus", ("car", "bus"), id="the others keep their order"),
        pytest.param("tram=train", ("car", "bus", "lorry"), id="nothing to fold"),
    ],
)
def test_merges_keep_the_order_of_classes(merge: str, classes: tuple[str, ...]) -> None:
    data_set = DataSet((), ("car", "bus", "lorry"))
    assert merge_classes(data_set, parse_merges([merge])).classes == classes


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["incorrectMask"], id="no target"),
        pytest.param(["=noMask"], id="nothing to fold"),
        pytest.param(["mask=mask"], id="onto itself"),
        pytest.param(["a=b", "a=c"], id="two targets"),
        pytest.param(["a=b", "b=c"], id="a chain, whose meaning would depend on order"),
    ],
)
def test_merges_refuse_what_is_ambiguous(texts: list[str]) -> None:
    with pytest.raises(UsageError, match=r"--merge: found"):
        parse_merges(texts)


def test_class_names_are_sorted_whatever_their_case() -> None:
    samples = [labelled("noMask", "mask"), labelled(), labelled("incorrectMask", "Mask")]
    assert class_names(samples) == ("incorrectMask", "Mask", "mask", "noMask")


def test_labels_outside_the_class_list_are_all_named() -> None:
    check_labels([labelled("mask")], ("mask", "noMask"))
    with pytest.raises(DatasetError, match=r"labels hat, scarf, expected only mask"):
        check_labels([labelled("scarf", "mask"), labelled("hat")], ("mask",))
