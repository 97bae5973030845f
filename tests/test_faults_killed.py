"""A monitor that is killed in the middle of everything: how it leaves its lock and its record."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fault_account import GRACE_SECONDS

from monitor.audit.ledger import FILE, read_events

PROGRAM = Path(__file__).with_name("fault_process.py")
# plans whose door is unlocked within a few seconds
SEEDS = (0, 2, 5)
LINES = 5000


@contextmanager
def monitor(seed: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that drives a door through a plan of faults."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(seed), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):  # the last one may have been cut off
            yield json.loads(line)


def killed_when_unlocked(process: subprocess.Popen[str], number: int) -> list[dict[str, Any]]:
    """All that it said until the signal, sent as soon as the door is unlocked, and after it."""
    said = []
    for content in told(process):
        said.append(content)
        assert len(said) < LINES
        if content.get("unlock") and "recorded" in {key for line in said for key in line}:
            process.send_signal(number)
            break
    return [*said, *told(process)]


@pytest.mark.parametrize("seed", SEEDS)
def test_terminated_it_locks_last_and_says_so_by_its_exit_code(seed: int, tmp_path: Path) -> None:
    with monitor(seed, tmp_path) as process:
        said = killed_when_unlocked(process, signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    locks = [line["unlock"] for line in said if "unlock" in line]
    assert locks[0] is locks[-1] is False
    assert True in locks


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_it_leaves_a_lease_that_runs_out_and_every_entry_that_was_committed(
    seed: int, tmp_path: Path
) -> None:
    with monitor(seed, tmp_path) as process:
        said = killed_when_unlocked(process, signal.SIGKILL)
        killed_at = time.monotonic()
        assert process.wait(30) == -signal.SIGKILL
    leases = [line["expires_at"] for line in said if line.get("unlock")]
    # a lock that keeps the time of its lease is shut this soon, whatever became of the program
    assert max(leases) <= killed_at + GRACE_SECONDS
    committed = max(line["recorded"] for line in said if "recorded" in line)
    assert len(list(read_events(tmp_path / FILE))) >= committed
