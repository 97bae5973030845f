"""By label: what the faces of each label were taken for, worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation_cases import evaluate, write_set
from truth import BIG, EMPTY_WALL, OTHER, SMALL, labelled, seen

from export.classes import merge_classes
from export.datasets import DataSet, Sample
from export.figures.labels import labels_table, measure_by_label
from monitor.detections import Detections


def folded(*faces: tuple[tuple[float, float, float, float], str]) -> Sample:
    """A picture of these faces, of which those labelled "low" count as noMask."""
    data_set = DataSet((labelled(*faces),), ("mask", "noMask", "low"))
    return merge_classes(data_set, {"low": "noMask"}).samples[0]


def counts(sample: Sample, found: Detections) -> dict[str, dict[str, int]]:
    by_label = measure_by_label([sample], [found], score=0.3, overlap=0.5)
    return {name: part.taken_for for name, part in by_label.items()}


def test_labels_that_were_folded_are_told_apart() -> None:
    sample = folded((BIG, "low"), (OTHER, "noMask"), (SMALL, "mask"))
    assert sample.labels == ("noMask", "noMask", "mask")
    found = seen((BIG, 0.8, 0.1), (OTHER, 0.1, 0.9), (SMALL, 0.9, 0.1))
    assert counts(sample, found) == {
        "low": {"mask": 1, "noMask": 0, "nothing": 0},
        "mask": {"mask": 1, "noMask": 0, "nothing": 0},
        "noMask": {"mask": 0, "noMask": 1, "nothing": 0},
    }


@pytest.mark.parametrize(
    ("found", "taken_for"),
    [
        (seen((BIG, 0.9, 0.1)), "mask"),  # the class with the higher score
        (seen((BIG, 0.4, 0.1), (BIG, 0.2, 0.6)), "noMask"),  # the box with the higher score
        (seen((BIG, 0.29, 0.1)), "nothing"),  # below the threshold
        (seen((EMPTY_WALL, 0.9, 0.1)), "nothing"),  # somewhere else
        (seen(), "nothing"),  # nothing found at all
    ],
)
def test_a_box_is_taken_for_what_scores_best_on_it(found: Detections, taken_for: str) -> None:
    result = counts(labelled((BIG, "mask")), found)["mask"]
    assert {name for name, count in result.items() if count} == {taken_for}


def test_the_table_has_shares_of_the_boxes() -> None:
    sample = folded((BIG, "low"), (OTHER, "low"))
    by_label = measure_by_label([sample], [seen((BIG, 0.9, 0.0))], score=0.3, overlap=0.5)
    rows = [line.split() for line in labels_table(by_label).splitlines()]
    assert rows[1] == ["low", "2", "0.500", "0.000", "0.500"]


def test_evaluate_prints_and_writes_the_labels_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path)
    report = folder / "report.json"
    assert evaluate(folder, "--by-label", "--report", report) == 0
    labels = json.loads(report.read_text())["labels"]
    assert {name: part["boxes"] for name, part in labels.items()}.keys() <= {"mask", "noMask"}
    assert sum(sum(part["taken_for"].values()) for part in labels.values()) == sum(
        part["boxes"] for part in labels.values()
    )
    assert "taken for nothing" in capsys.readouterr().out


def test_pictures_without_a_box_have_no_labels_to_tell_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path)
    (folder / "data.csv").write_text("a.png,,,,,\nd.png,,,,,\n")
    report = folder / "report.json"
    assert evaluate(folder, "--by-label", "--report", report) == 0
    assert json.loads(report.read_text())["labels"] == {}
    assert "taken for" not in capsys.readouterr().out


def test_labels_of_another_number_than_the_boxes_are_refused() -> None:
    with pytest.raises(ValueError, match="unfolded"):
        replace(labelled((BIG, "mask")), unfolded=("mask", "mask"))
