"""The models that ship with the runtime, deciding about the drawn demo."""

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from monitor.cli import main
from monitor.detector import SHIPPED_MODELS
from monitor.scene import demo, training_picture


@pytest.fixture(autouse=True)
def _no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", SHIPPED_MODELS)
def test_the_demo_is_decided_as_its_own_story_demands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"model: {{path: {name}}}\n")
    options = ["--config", str(config), "--events", "events.jsonl"]
    assert main(["replay", "demo", *options]) == 0
    summary = capsys.readouterr().out
    assert summary.startswith(f"demo: {demo().frame_count} frames")
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    moves = [(a["door"], b["door"]) for a, b in itertools.pairwise(events)]
    unlocks = len([1 for move in moves if move == ("locked", "unlocked")])
    assert unlocks >= sum(span.state == "unlocked" for span in demo().timeline())
    assert events[-1]["door"] == "locked"


def test_two_replays_with_the_real_model_write_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(6):
        image = training_picture(np.random.default_rng(seed), 480, 320)[0]
        cv2.imwrite(str(folder / f"{seed}.png"), image)
    written = []
    for name in ("first.jsonl", "second.jsonl"):
        assert main(["replay", str(folder), "--each", "--events", name]) == 0
        written.append(Path(name).read_bytes())
    assert written[0] == written[1]
    assert len(written[0].splitlines()) == 6


def test_check_accepts_the_repositorys_own_configuration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configuration = Path(__file__).parents[1] / "config.yaml"
    assert main(["check", "--config", str(configuration)]) == 0
    assert "mask, noMask" in capsys.readouterr().out
