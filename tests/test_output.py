"""Output that nobody reads: neither a door nor the exit code depends on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

WAIT_SECONDS = 30.0
DOORS = """
web: {serve: never}
doors:
  - {name: front, source: demo}
"""
BACK = "  - {name: back, source: demo, actuators: [{kind: log, name: gate}]}\n"


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts `monitor run` with two doors, whose output goes where it is told."""
    (tmp_path / "config.yaml").write_text(DOORS + BACK)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONUNBUFFERED": request.param,
        "OMP_NUM_THREADS": "1",
    }

    def start(**streams: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "monitor", "run", "--no-window"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
            **streams,  # type: ignore[call-overload]
        )

    return start


def test_the_reader_of_the_summaries_may_go_and_every_other_door_goes_on_after_a_reload(
    run: Callable[..., subprocess.Popen[str]], unread: int, tmp_path: Path
) -> None:
    with run(stdout=unread, stderr=subprocess.PIPE) as process:
        said = iter(process.stderr or ())
        assert any("gate: locked" in line for line in said)
        (tmp_path / "config.yaml").write_text(DOORS)
        process.send_signal(signal.SIGHUP)
        assert any("configuration read again: back: removed" in line for line in said)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert err.splitlines()[-1] == "monitor: stopped by SIGTERM"


def test_a_signal_ends_with_its_own_code_though_the_reader_of_everything_has_gone(
    run: Callable[..., subprocess.Popen[str]], unread: int
) -> None:
    with run(stdout=unread, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert any("gate: locked" in line for line in process.stderr)
        process.stderr.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 128 + signal.SIGTERM
