"""Repeats: pictures of a rare label come more often."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.datasets import Sample
from export.views.repeats import repeated, wrong_repeats
from monitor.errors import UsageError


def sample(name: str, *labels: str, folded: bool = False) -> Sample:
    boxes = np.tile(np.array([[1, 1, 9, 9]], np.float32), (len(labels), 1))
    shown = ("other",) * len(labels) if folded else labels
    return Sample(Path(name), boxes, shown, labels if folded else None)


SAMPLES = [
    sample("none"),
    sample("common", "mask", "mask"),
    sample("rare", "mask", "below"),
    sample("folded", "below", folded=True),
]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], [1, 1, 1, 1]),
        (["below=3"], [1, 1, 3, 3]),  # also where the label was folded into another
        (["mask=2", "below=3"], [1, 2, 3, 3]),  # the largest of several counts
    ],
)
def test_a_picture_comes_as_often_as_its_labels_ask_for(
    texts: list[str], expected: list[int]
) -> None:
    shown = repeated(SAMPLES, texts)
    assert [shown.count(each) for each in SAMPLES] == expected


def test_a_label_that_no_picture_has_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(UsageError, match=r"--repeat: belwo found, .*: below, mask$"):
        repeated(SAMPLES, ["belwo=3"])


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["below"], "'below' found, expected LABEL=N, N from 2 to 100"),  # no number
        (["=3"], "'=3' found"),  # no label
        (["below=1"], "'below=1' found"),  # changes nothing
        (["below=101"], "'below=101' found"),
        (["below=-3"], "'below=-3' found"),
        (["below=2.5"], "'below=2.5' found"),
        (["below=\u00b2"], "found, expected LABEL=N"),  # a digit that is no number
        (["below=2", "below=3"], "a label found twice"),
    ],
)
def test_a_repeat_that_makes_no_sense_is_refused(texts: list[str], complaint: str) -> None:
    assert complaint in "; ".join(wrong_repeats(texts))


def test_repeats_that_make_sense_pass() -> None:
    assert wrong_repeats(["below=2", "a=b=100"]) == []
