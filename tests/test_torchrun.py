"""Data-parallel training: several processes learn what one would."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from torch import distributed
from training_cases import SMALL, drawn_set

from export import checkpoint
from export.__main__ import main
from export.process_group import process_group
from monitor.errors import UsageError

# the statistics of a batch normalisation are those of the pictures that one process sees
OPTIONS = [*SMALL, "--batch-norm", "frozen", "--steps", "3", "--validate-every", "1"]
DEADLINE_SECONDS = 240.0


def torchrun(processes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "export", "train", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_set(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def alone(data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshots of one process."""
    folder = tmp_path_factory.mktemp("alone")
    options = ["--snapshot-path", str(folder), *OPTIONS]
    assert main(["train", *options, "pascal", str(data_set)]) == 0
    return folder


def test_two_processes_learn_what_one_does(data_set: Path, alone: Path, tmp_path: Path) -> None:
    options = ["--snapshot-path", str(tmp_path), *OPTIONS]
    done = torchrun(2, *options, "pascal", str(data_set))
    assert done.returncode == 0, done.stderr
    together, one = (checkpoint.load(folder / "last.pt") for folder in (tmp_path, alone))
    for first, second in zip(together["history"], one["history"], strict=True):
        for name in ("class_loss", "box_loss"):
            assert first[name] == pytest.approx(second[name], rel=1e-4), name
        assert first["ap50"] == pytest.approx(second["ap50"], abs=1e-3)
    for name, value in one["averaged"].items():
        assert torch.allclose(together["averaged"][name], value, atol=1e-3), name
    # one of the two speaks
    assert done.stdout.count('{"epoch": 1') == 1


def test_two_processes_go_on_from_a_snapshot(data_set: Path, alone: Path, tmp_path: Path) -> None:
    options = ["--snapshot", str(alone / "last.pt"), "--snapshot-path", str(tmp_path), *OPTIONS]
    options.remove("--no-weights")
    done = torchrun(2, *options, "--epochs", "3", "pascal", str(data_set))
    assert done.returncode == 0, done.stderr
    history = checkpoint.load(tmp_path / "last.pt")["history"]
    assert [entry["epoch"] for entry in history] == [1, 2, 3]


def test_one_gpu_for_several_processes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with (
        pytest.raises(UsageError, match="--gpu: 0 found for 2 processes, expected none"),
        process_group("0"),
    ):
        pass
    # one on each of two machines: none is shared, but there is none here
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    with pytest.raises(UsageError, match="--gpu: 99 found, expected"), process_group("99"):
        pass


def test_processes_wait_for_a_validation_as_long_as_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Joined(Exception):
        """Ends it before it waits for a second process."""

    def join(backend: str, *, timeout: timedelta) -> None:
        assert timeout >= timedelta(days=1)
        raise Joined

    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(distributed, "init_process_group", join)
    with pytest.raises(Joined), process_group(None):
        pass


def test_a_batch_too_small_for_the_processes_is_refused(data_set: Path, tmp_path: Path) -> None:
    options = ["--snapshot-path", str(tmp_path), *OPTIONS, "--batch-size", "1"]
    done = torchrun(2, *options, "pascal", str(data_set))
    assert done.returncode != 0
    assert "batches of 1 found for 2 processes" in done.stderr
    assert not list(tmp_path.iterdir())
