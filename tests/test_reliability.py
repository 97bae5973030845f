"""Reliability and sources: figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluation_cases import evaluate, figures, write_set
from truth import BIG, EMPTY_WALL, OTHER, labelled, seen

from export.figures.reliability import Bin, reliability
from export.figures.sources import measure_by_source, source_of, sources_table
from export.figures.thresholds import Thresholds


def approximate(bins: tuple[Bin, ...]) -> list[tuple[int, float, float]]:
    return [(part.count, round(part.score, 4), round(part.right, 4)) for part in bins]


def test_each_tenth_of_the_scores_has_the_share_that_is_right() -> None:
    truth = [labelled((BIG, "mask"), (OTHER, "mask"))]
    found = [seen((BIG, 0.95, 0.0), (OTHER, 0.91, 0.0), (EMPTY_WALL, 0.93, 0.0))]
    of = reliability(truth, found, Thresholds())
    assert approximate(of["mask"].bins) == [(3, 0.93, 0.6667)]
    assert of["mask"].error == pytest.approx(0.93 - 2 / 3, abs=1e-6)
    assert (of["noMask"].bins, of["noMask"].error) == ((), None)


@pytest.mark.parametrize(
    ("score", "place"),
    [
        (0.05, 0.05),  # the lowest that counts
        (0.1999, 0.1999),  # the end of a tenth
        (1.0, 1.0),  # the highest of all has no tenth of its own
    ],
)
def test_a_score_at_the_edge_of_a_tenth_is_counted_once(score: float, place: float) -> None:
    of = reliability([labelled((BIG, "mask"))], [seen((BIG, score, 0.0))], Thresholds())
    assert approximate(of["mask"].bins) == [(1, place, 1.0)]


def test_scores_that_are_probabilities_have_no_error() -> None:
    # of ten detections of 0.8, eight are right
    truth = [labelled(*([(BIG, "mask")] if number < 8 else [])) for number in range(10)]
    of = reliability(truth, [seen((BIG, 0.8, 0.0))] * 10, Thresholds())
    assert of["mask"].error == pytest.approx(0, abs=1e-6)


def test_the_report_holds_and_draws_the_reliability(tmp_path: Path) -> None:
    content = figures(write_set(tmp_path))["reliability"]
    mask = content["mask"]
    assert [part["count"] for part in mask["bins"]] == [1, 1, 1, 1]
    assert [part["right"] for part in mask["bins"]] == [0, 1, 0, 1]
    assert mask["error"] == pytest.approx((0.4 + 0.4 + 0.8 + 1 - 230 / 255) / 4, abs=1e-6)
    drawn = cv2.imread(str(tmp_path / "report_reliability.png"))
    for blue_green_red in ((178, 114, 0), (0, 94, 213)):
        assert (drawn == blue_green_red).all(axis=2).sum() > 100


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("street_0012.jpg", "street"),  # as gathered sets have it
        ("a_b_c.png", "a"),  # the first underscore counts
        ("12.jpg", "12"),  # none: a source of its own
        ("_x.jpg", "_x"),  # nothing before it
    ],
)
def test_the_source_is_what_a_name_says_before_its_first_underscore(name: str, source: str) -> None:
    assert source_of(Path("pictures") / name) == source


def test_each_source_has_the_figures_of_its_own_pictures() -> None:
    names = ("room_1.jpg", "street_1.jpg", "street_2.jpg")
    truth = [replace(labelled((BIG, "mask")), path=Path(name)) for name in names]
    found = [seen((BIG, 0.9, 0.0)), seen((EMPTY_WALL, 0.9, 0.0)), seen()]
    sources = measure_by_source(truth, found, Thresholds())
    assert {name: part.pictures for name, part in sources.items()} == {"room": 1, "street": 2}
    assert sources["room"].mean_ap50 == pytest.approx(1)
    assert sources["street"].mean_ap50 == 0
    rows = [line.split() for line in sources_table(sources).splitlines()]
    assert rows[1][:4] == ["room", "1", "1", "1.000"]
    # one kind of picture is no door
    assert [row[-1] for row in rows[1:]] == ["-", "-"]


def test_evaluate_prints_and_writes_the_sources_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path)
    assert figures(folder)["sources"] == {}
    capsys.readouterr()
    assert evaluate(folder, "--by-source", "--report", folder / "by.json") == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[-6:]] == ["source", *"abcde"]
    assert '"sources": {\n  "a": {' in (folder / "by.json").read_text()


def test_bins_of_any_scores_hold_every_detection_once() -> None:
    rng = np.random.default_rng(5)
    truth, found = [], []
    for _ in range(40):
        truth.append(labelled((BIG, "mask")))
        found.append(seen((BIG, float(rng.uniform(0.05, 1)), float(rng.uniform(0, 1)))))
    counted = [Thresholds().counted(detections)[1] for detections in found]
    of = reliability(truth, found, Thresholds())
    for column, name in enumerate(("mask", "noMask")):
        bins = of[name].bins
        assert sum(part.count for part in bins) == sum((c == column).sum() for c in counted)
        assert [part.score for part in bins] == sorted(part.score for part in bins)
