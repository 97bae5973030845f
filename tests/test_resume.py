"""Snapshots: a training that is killed at any moment goes on as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from training_cases import SMALL, drawn_set

from export import checkpoint
from export.__main__ import main

STEPS = 6
OPTIONS = [*SMALL, "--steps", str(STEPS), "--validate-every", "1"]
DEADLINE_SECONDS = 120.0


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_set(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def straight(data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snapshots of an uninterrupted training: last.pt, and stepN.pt after its Nth step."""
    folder = tmp_path_factory.mktemp("straight")
    save = checkpoint.save

    def keep_each(path: Path, content: dict[str, Any]) -> None:
        save(path, content)
        if path.name == "last.pt":
            step = content["epoch"] * STEPS + content["progress"]["steps"]
            shutil.copy(path, folder / f"step{step}.pt")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save", keep_each)
        options = ["--snapshot-path", str(folder), "--snapshot-seconds", "0", *OPTIONS]
        assert main(["train", *options, "pascal", str(data_set)]) == 0
    return folder


def resume(data_set: Path, snapshot: Path, folder: Path, *others: str) -> int:
    options = ["--snapshot", str(snapshot), "--snapshot-path", str(folder), *OPTIONS, *others]
    options.remove("--no-weights")  # the snapshot stands in the place of a start
    return main(["train", *options, "pascal", str(data_set)])


def assert_equal_trainings(one: Path, other: Path) -> None:
    first, second = checkpoint.load(one), checkpoint.load(other)
    for part in ("network", "averaged"):
        for name, value in first[part].items():
            assert torch.equal(second[part][name], value), name
    for entry in (*first["history"], *second["history"]):
        del entry["speed"]
    assert first["history"] == second["history"]
    # where it started, too
    assert first["arguments"] == second["arguments"]
    assert first["pictures"][0].equal(second["pictures"][0])


@pytest.mark.parametrize(
    "step",
    [
        1,  # after the first step of all
        STEPS - 1,  # before the last step of an epoch
        STEPS,  # between two epochs
        STEPS + 3,  # in the middle of the second
        2 * STEPS,  # when all is done
    ],
)
def test_a_training_goes_on_from_any_step_with_the_same_result(
    data_set: Path, straight: Path, tmp_path: Path, step: int
) -> None:
    assert resume(data_set, straight / f"step{step}.pt", tmp_path) == 0
    written = tmp_path / "last.pt"
    if step == 2 * STEPS:
        assert not written.exists()
        return
    assert_equal_trainings(straight / "last.pt", written)


def test_what_is_only_measured_may_differ_when_a_training_goes_on(
    data_set: Path, straight: Path, tmp_path: Path
) -> None:
    assert resume(data_set, straight / f"step{2 * STEPS}.pt", tmp_path, "--compute-val-loss") == 0


def test_a_training_killed_in_the_middle_of_an_epoch_goes_on_with_the_same_result(
    data_set: Path, straight: Path, tmp_path: Path
) -> None:
    last = tmp_path / "last.pt"
    options = ["--snapshot-path", str(tmp_path), "--snapshot-seconds", "0", *OPTIONS]
    command = [sys.executable, "-m", "export", "train", *options, "pascal", str(data_set)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not last.exists() or checkpoint.load(last)["progress"]["steps"] < 2:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE_SECONDS)
    killed = checkpoint.load(last)
    assert 2 <= killed["epoch"] * STEPS + killed["progress"]["steps"] < 2 * STEPS
    assert resume(data_set, last, tmp_path) == 0
    assert_equal_trainings(straight / "last.pt", last)


def test_a_training_that_goes_on_elsewhere_takes_its_best_epoch_along(
    data_set: Path, straight: Path, tmp_path: Path
) -> None:
    content = checkpoint.load(straight / f"step{STEPS}.pt")
    content["history"][0]["ap50"] = 2.0  # no later epoch is better
    for name in ("last.pt", "best.pt"):
        checkpoint.save(tmp_path / "before" / name, content)
        # those of another training
        shutil.copy(straight / name, tmp_path)
    assert resume(data_set, tmp_path / "before" / "last.pt", tmp_path) == 0
    assert checkpoint.load(tmp_path / "last.pt")["epoch"] == 2
    assert checkpoint.load(tmp_path / "best.pt")["history"] == content["history"]
    for name in ("last", "best"):
        assert (tmp_path / f"{name}.old.pt").read_bytes() == (straight / f"{name}.pt").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        # what is learnt would be something else
        (["--lr", "0.5"], "lr: None there, 0.5 here"),
        # keras-retinanet's way to say where to go on, when it is wrong
        (["--initial-epoch", "7"], "expected none: the snapshot says 0"),
        # another set of classes
        (
            ["--merge", "noMask=bare", "--scenes", "0"],
            "trained on the classes mask, noMask, found mask, bare",
        ),
    ],
)
def test_a_training_is_not_continued_as_another(
    data_set: Path,
    straight: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    words = ["--snapshot", str(straight / "step1.pt"), *OPTIONS, "--scenes", "0.25", *options]
    words.remove("--no-weights")
    assert main(["train", "--snapshot-path", str(tmp_path), *words, "pascal", str(data_set)]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"epoch": 1})

    def break_off(content: dict[str, Any], file: Path) -> None:
        file.write_bytes(b"half a snapshot")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", break_off)
    with pytest.raises(checkpoint.CheckpointError, match="no space"):
        checkpoint.save(path, {"epoch": 2})
    assert checkpoint.load(path)["epoch"] == 1
    assert list(tmp_path.iterdir()) == [path]
