"""The training side's command line: what the system refuses ends in one line, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lint_cases import Voc

from export import lint
from export.__main__ import main


def lint_into(stdout: int, folder: Path) -> tuple[int, list[str]]:
    """Exit code of a process that writes there, and what it says beside its progress."""
    done = subprocess.run(
        [sys.executable, "-m", "export", "lint", "pascal", str(Voc(folder).folder)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    lines = done.stderr.splitlines()
    return done.returncode, [line for line in lines if line and not line.startswith("decoding:")]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        # a folder of somebody else's
        (
            PermissionError(13, "Permission denied", "faces/a.jpg"),
            "python -m export lint: error: [Errno 13] Permission denied: 'faces/a.jpg'\n",
        ),
        # a name that no file can have
        (OSError(36, "File name too long"), "python -m export lint: error: [Errno 36] File name "),
        # whoever read the output has enough
        (BrokenPipeError(32, "Broken pipe"), ""),
    ],
)
def test_what_the_system_refuses_ends_with_1_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: OSError,
    said: str,
) -> None:
    def refused(_options: object) -> int:
        raise error

    monkeypatch.setattr(lint, "run", refused)
    assert main(["lint", "pascal", "faces"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert err.count("\n") == bool(said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_ends_with_1_in_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        code, said = lint_into(full.fileno(), tmp_path)
    assert said == ["python -m export lint: error: [Errno 28] No space left on device"]
    assert code == 1


def test_output_that_nobody_reads_ends_with_1_and_nothing_said(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert lint_into(writing, tmp_path) == (1, [])
    finally:
        os.close(writing)
