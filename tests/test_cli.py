from __future__ import annotations

import itertools
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from colours import picture

from monitor.cli import main

Clip = Callable[..., Path]
WAIT_SECONDS = 30.0

# Two pictures a second of which the second opens the door: quick to run at its own speed.
DOOR = """
doors:
  - name: door
    policy: {hold_seconds: 0.2, settle_seconds: 0}
    actuators:
      - kind: log
        name: book
      - kind: command
        name: strike
        lock: [sh, -c, echo locked >> moves]
        unlock: [sh, -c, echo unlocked >> moves]
"""

# `monitor` as a process of its own, with a detector that sees a masked face in every picture.
_MONITOR = """
import signal
import sys
from colours import ColourDetector, picture
from monitor import cli, parts

class Masked(ColourDetector):
    def __call__(self, image):
        return super().__call__(picture("masked"))

parts.Detector = Masked
# also where the tests outlive their terminal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["fly"], id="unknown command"),
        pytest.param(["replay"], id="replay without a source"),
        pytest.param(["replay", "demo", "--fps", "0"], id="no pictures per second"),
        pytest.param(["run", "--seconds", "nan"], id="not a time"),
        pytest.param(["run", "--seconds", "soon"], id="not a number"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: monitor" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run"], ["replay", "demo"], ["check"]])
def test_a_configuration_that_is_missing_ends_every_command_with_2(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--config", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err.startswith("monitor: error: nowhere.yaml")


@pytest.mark.parametrize("command", [["run"], ["replay", "demo"], ["check"]])
def test_a_model_that_is_missing_ends_every_command_with_2(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("config.yaml").write_text("model: {path: nowhere.onnx}\n")
    assert main(command) == 2
    assert "nowhere.onnx" in capsys.readouterr().err


def test_a_model_that_is_no_model_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.onnx").write_text("not a model")
    Path("config.yaml").write_text("model: {path: text.onnx, device: cpu}\n")
    assert main(["check"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("monitor: error: text.onnx")


@pytest.mark.usefixtures("colour_model")
def test_a_class_that_the_model_does_not_know_ends_with_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("config.yaml").write_text("doors: [{name: door, policy: {allowed: [helmet]}}]\n")
    assert main(["replay", "demo"]) == 2
    assert "helmet" in capsys.readouterr().err


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize("command", [["run", "--source", "97"], ["run", "--source", "x.mp4"]])
def test_a_source_that_is_missing_ends_with_1_in_one_line(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--no-window"]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(errors) == 1
    assert errors[0].startswith("monitor: error: ")


@pytest.mark.usefixtures("colour_model")
def test_run_plays_a_clip_to_its_end_and_sums_up(
    clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("config.yaml").write_text(DOOR)
    assert main(["run", "--source", str(clip("hall", [("masked", 5)]))]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("door: 5 frames, ")
    assert "1 unlock, 0.2 s unlocked" in out
    assert "no display: running without a window" in err


TWO_DOORS = """
web: {serve: never}
doors:
  - {name: front, source: front.mp4}
  - {name: back, source: back.mp4, policy: {hold_seconds: 0}}
"""


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize(
    ("options", "watched"),
    [
        # all of them
        ([], ["back: 3 frames", "front: 2 frames"]),
        # one of them
        (["--door", "back"], ["back: 3 frames"]),
        # one of them, at another source
        (["--door", "back", "--source", "front.mp4"], ["back: 2 frames"]),
    ],
)
def test_run_watches_every_door_or_the_one_that_is_named(
    clip: Clip, capsys: pytest.CaptureFixture[str], options: list[str], watched: list[str]
) -> None:
    Path("config.yaml").write_text(TWO_DOORS)
    clip("front", [("bare", 2)])
    clip("back", [("masked", 3)])
    assert main(["run", "--no-window", *options]) == 0
    summaries = sorted(capsys.readouterr().out.splitlines())
    assert [line.partition(",")[0] for line in summaries] == watched


@pytest.mark.usefixtures("colour_model")
def test_replay_lets_the_named_door_decide(clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text(TWO_DOORS)
    path = str(clip("hall", [("masked", 8)]))
    for door, unlocks in {"front": "0 unlocks", "back": "1 unlock,"}.items():
        assert main(["replay", path, "--door", door]) == 0
        assert unlocks in capsys.readouterr().out


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        # whose source would it be?
        (["run", "--source", "front.mp4"], "expected --door with one of front, back"),
        (["run", "--door", "side"], "--door: 'side' found, expected one of front, back"),
        (["replay", "front.mp4", "--door", "side"], "expected one of front, back"),
    ],
)
def test_a_door_that_is_none_ends_with_2(
    capsys: pytest.CaptureFixture[str], command: list[str], message: str
) -> None:
    Path("config.yaml").write_text(TWO_DOORS)
    assert main(command) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("colour_model")
def test_run_without_a_window_says_nothing_about_displays(
    clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--no-window", "--source", str(clip("hall", [("bare", 2)]))]) == 0
    assert "display" not in capsys.readouterr().err


@pytest.mark.usefixtures("colour_model")
def test_run_ends_after_the_given_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(100):
        cv2.imwrite(str(tmp_path / f"{index:02}.png"), picture("masked"))
    assert main(["run", "--no-window", "--source", str(tmp_path), "--seconds", "0.3"]) == 0
    assert "1 frame, " in capsys.readouterr().out


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize("command", [["run", "--no-window", "--source"], ["replay"]])
@pytest.mark.parametrize(
    ("options", "moved"),
    [
        pytest.param([], False, id="left alone"),
        pytest.param(["--actuate"], True, id="actuate"),
    ],
)
def test_a_clip_moves_a_real_lock_only_when_told_to(
    clip: Clip, command: list[str], options: list[str], moved: bool
) -> None:
    Path("config.yaml").write_text(DOOR)
    assert main([*command, str(clip("hall", [("masked", 5)])), *options]) == 0
    moves = Path("moves")
    assert moves.exists() == moved
    assert not moved or moves.read_text().split() == ["locked", "unlocked", "locked"]


@pytest.mark.parametrize(
    ("command", "number"),
    [
        *itertools.product(["run", "replay"], [signal.SIGINT, signal.SIGTERM]),
        # of a terminal that is gone; `run` reads its configuration again
        ("replay", signal.SIGHUP),
    ],
)
def test_a_signal_ends_the_command_with_the_door_locked(
    command: str, number: signal.Signals
) -> None:
    Path("config.yaml").write_text(DOOR)
    code, err = stopped(command, number)
    assert code == 128 + number
    assert f"stopped by {number.name}" in err
    assert "Traceback" not in err
    assert Path("moves").read_text().split()[-1] == "locked"


def test_a_door_that_cannot_be_locked_when_a_signal_ends_the_command_is_a_failure() -> None:
    Path("config.yaml").write_text(DOOR.replace("echo locked >> moves", "exit 3"))
    code, err = stopped("run", signal.SIGTERM)
    assert code == 1
    assert "door: an actuator could not be locked" in err
    assert "stopped by SIGTERM" in err


def stopped(command: str, number: signal.Signals) -> tuple[int, str]:
    """The exit code and errors of a command that gets a signal once it has unlocked the door."""
    arguments = ["run", "--no-window"] if command == "run" else ["replay", "demo"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", _MONITOR, *arguments, "--actuate"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "book: unlocked" in line:
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=WAIT_SECONDS)
    return process.returncode, err


def test_a_terminal_that_is_gone_ends_the_command_with_the_door_locked() -> None:
    Path("config.yaml").write_text(DOOR)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _MONITOR, "replay", "demo", "--actuate"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    lines = []
    with os.fdopen(ours, "rb") as terminal:
        while not lines or b"book: unlocked" not in lines[-1]:
            lines.append(terminal.readline())
    process.send_signal(signal.SIGHUP)
    assert process.wait(WAIT_SECONDS) == 128 + signal.SIGHUP
    assert Path("moves").read_text().split()[-1] == "locked"
    # each line of the log once, in the place of the progress bar
    assert re.search(rb"\r\x1b\[K[-\d]+ [:,\d]+ book: unlocked", lines[-1])
    assert sum(b"book: locked" in line for line in lines) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_ends_with_1_in_one_line() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", "check", "--schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )
    assert done.stderr == "monitor: error: [Errno 28] No space left on device\n"
    assert done.returncode == 1


def test_python_dash_m_monitor_is_the_same_command() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "--version"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert done.stdout.startswith("maskgate ")
