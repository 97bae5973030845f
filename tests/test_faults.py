"""Faults: whatever goes wrong, the door is shut in time, and what was recorded stays recorded.

Each plan runs through the real threads, policy, actuator workers and database. `make soak` runs
thousands; SEEDS=17 or SEEDS=0:5000 choose others here.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

import pytest
from fault_plan import Plan
from fault_run import Run

from monitor import pipeline

START, _, END = os.environ.get("SEEDS", "0:40").partition(":")
SEEDS = range(int(START), int(END or int(START) + 1))


Play = Callable[[int], tuple[list[str], int]]


@pytest.fixture(autouse=True)
def short_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what hangs behind sooner than a real run would."""
    monkeypatch.setattr(pipeline, "SHUTDOWN_SECONDS", 0.5)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Carries out the plan of a seed, once: the promises it broke, and how often it unlocked."""

    @functools.cache
    def play(seed: int) -> tuple[list[str], int]:
        run = Run(Plan.of(seed), tmp_path_factory.mktemp("plan"))
        return run.broken, run.unlocks

    return play


@pytest.mark.parametrize("seed", SEEDS)
def test_no_fault_opens_the_door_or_keeps_it_open(seed: int, play: Play) -> None:
    broken, _ = play(seed)
    assert not broken, f"SEEDS={seed} python -m pytest tests/test_faults.py"


def test_the_plans_do_unlock_doors(play: Play) -> None:
    # a door that never opened would keep every promise above
    assert sum(play(seed)[1] for seed in range(8)) >= 4


def test_a_plan_follows_from_its_seed() -> None:
    assert Plan.of(3) == Plan.of(3)
    assert Plan.of(3) != Plan.of(4)
