"""The bench of doors: what each of several gets, and what a frame costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colours import picture

from monitor.bench.baseline import ratios
from monitor.bench.doors import Looped
from monitor.cli import main
from monitor.freshness import Freshness

Clip = Callable[..., Path]


def test_pictures_come_in_a_circle_when_they_are_due() -> None:
    waits: list[float] = []
    images = [picture("masked"), picture("bare")]
    source = Looped("door 1", images, 2.0, wait=waits.append)
    frames = list(islice(source.frames(), 5))
    assert [frame.index for frame in frames] == list(range(5))
    assert waits == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0], abs=0.2)
    assert all(a.time <= b.time for a, b in pairwise(frames))
    for frame in frames:
        # the same but for the noise of a sensor
        away = frame.image.astype(int) - images[frame.index % 2]
        assert np.abs(away).max() == 1


def test_pictures_of_other_sizes_are_fitted_into_the_first() -> None:
    images = [np.full((48, 64, 3), 10, np.uint8), np.full((64, 32, 3), 200, np.uint8)]
    source = Looped("door 1", images, 25.0, wait=lambda seconds: None)
    first, second = islice(source.frames(), 2)
    assert first.image.shape == second.image.shape == (48, 64, 3)
    assert second.image[24, 32].min() >= 199
    assert second.image[24, 0].max() <= 1


def test_a_circle_of_pictures_is_no_repetition() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    freshness = Freshness()
    source = Looped("door 1", [image], 25.0, wait=lambda seconds: None)
    shown = islice(source.frames(), 200)
    assert {freshness.fault(frame.image, frame.index / 25) for frame in shown} == {None}


@pytest.mark.usefixtures("colour_model")
def test_every_door_is_told_of_and_the_next_bench_is_held_against_it(
    clip: Clip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, kept = clip("door", [("masked", 20)], fps=50.0), tmp_path / "old.json"
    options = ["bench", "--doors", "2", "--seconds", "0.5", "--source", str(source)]
    assert main([*options, "--json", str(kept)]) == 0
    printed = capsys.readouterr().out
    for words in ("alone", "door 1", "door 2", "together", "ms of processor time a frame"):
        assert words in printed
    written = json.loads(kept.read_text())
    assert written["seconds"] == 0.5
    assert list(written["together"]["doors"]) == ["door 1", "door 2"]
    for speed in written["together"]["doors"].values():
        assert speed["frames_per_second"] > 0
        assert 0 < speed["p50_ms"] <= speed["p99_ms"]
    assert written["together"]["cpu_ms"] > 0
    assert main([*options, "--baseline", str(kept)]) == 0
    assert "together.doors.door 2.p99_ms" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),  # none there
        ("[1]", "no mapping found"),  # another file
        ("{", "expected what --json wrote"),  # not JSON
    ],
)
def test_a_baseline_that_is_none_is_refused_before_anything_is_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    path = tmp_path / "old.json"
    if content is not None:
        path.write_text(content)
    assert main(["bench", "--baseline", str(path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        # half as long, and named by its place
        ({"a": {"p50_ms": 2.0}}, {"a": {"p50_ms": 4.0}}, ["a.p50_ms 4.00 2.00 0.50"]),
        # only what both have, and nothing that is no figure
        ({"x": 1, "y": 2, "name": "a"}, {"y": 2, "name": "b"}, ["y 2.00 2.00 1.00"]),
        # nothing can be held against nothing
        ({"x": 1}, {"x": 0}, []),
    ],
)
def test_figures_of_both_benches_are_compared(
    now: dict[str, Any], before: dict[str, Any], expected: list[str]
) -> None:
    assert [" ".join(line.split()) for line in ratios(now, before)] == expected
