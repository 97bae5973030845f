"""Actuators: real commands, and the log."""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.actuators import make
from monitor.actuators.command import CommandActuator
from monitor.actuators.lease import Lease
from monitor.actuators.log import LogActuator
from monitor.actuators.sections import CommandSection, LogSection
from monitor.errors import ActuatorError

PATIENCE_SECONDS = 10.0
LEASE = Lease(unlocked=True, reason="1 face masked")


def command(
    unlock: str, *arguments: str, timeout_seconds: float = PATIENCE_SECONDS
) -> CommandActuator:
    """An actuator whose unlock command is a piece of Python."""
    return CommandActuator(
        "strike",
        lock=[sys.executable, "-c", ""],
        unlock=[sys.executable, "-c", unlock, *arguments],
        door_name="front",
        timeout_seconds=timeout_seconds,
    )


@contextmanager
def stdin_of(content: bytes) -> Iterator[None]:
    """Gives this process, and whatever inherits it, a standard input with this content."""
    reader, writer = os.pipe()
    before = os.dup(0)
    os.dup2(reader, 0)
    os.write(writer, content)
    os.close(writer)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(reader)


def test_a_command_runs_with_its_arguments_untouched_by_a_shell(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('|'.join(sys.argv[2:]))"
    command(write, str(out), "$HOME; *", "").unlock(LEASE)
    assert out.read_text() == "$HOME; *|"


def test_a_command_gets_only_the_path_and_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "secret")
    out = tmp_path / "out"
    write = (
        "import os, sys, pathlib; "
        "pathlib.Path(sys.argv[1]).write_text(f'{sorted(os.environ)} {sys.stdin.read()!r}')"
    )
    with stdin_of(b"typed at the terminal"):
        command(write, str(out)).unlock(LEASE)
    # Python itself may add LC_CTYPE where the locale is not set.
    assert out.read_text().replace("'LC_CTYPE', ", "") == "['PATH'] ''"


@pytest.mark.parametrize(
    ("unlock", "complaint"),
    [
        pytest.param(
            "import sys; sys.exit('first\\nrelay does not answer\\n')",
            "exit status 1 found, expected 0: relay does not answer",
            id="the last line of standard error",
        ),
        pytest.param("raise SystemExit(3)", "exit status 3 found, expected 0$", id="nothing said"),
        pytest.param(
            "import os; os.kill(os.getpid(), 9)", "signal 9 found, expected 0$", id="killed"
        ),
        pytest.param(
            "import os; os.write(2, bytes(9999) + b'\\nbad \\xff\\x1b[2J\\n'); raise SystemExit(1)",
            r": bad \ufffd\?\[2J$",
            id="much and unreadable output",
        ),
    ],
)
def test_a_command_that_fails_says_why(unlock: str, complaint: str) -> None:
    with pytest.raises(ActuatorError, match=f"(?s)actuator strike: unlock: .*{complaint}"):
        command(unlock).unlock(LEASE)


def test_a_command_that_does_not_exist_is_an_actuator_error(tmp_path: Path) -> None:
    actuator = CommandActuator(
        "strike", lock=[str(tmp_path / "none")], unlock=["true"], door_name="front"
    )
    with pytest.raises(ActuatorError, match=r"lock: .*none: cannot be run: No such file"):
        actuator.lock()


def test_a_time_out_kills_the_command_and_its_children_even_if_they_ignore_sigterm(
    tmp_path: Path,
) -> None:
    lifeline = tmp_path / "lifeline"
    os.mkfifo(lifeline)
    stubborn = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "pipe = open(sys.argv[1], 'w'); "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], "
        "pass_fds=[pipe.fileno()]); "
        "pipe.write('ready'); pipe.flush(); child.wait()"
    )
    reader = os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(ActuatorError, match="still running after 2 s, killed"):
            command(stubborn, str(lifeline), timeout_seconds=2.0).unlock(LEASE)
        assert os.read(reader, 100) == b"ready"
        # Both processes held the pipe's writing end: it reads as ended only once both are gone.
        assert select.select([reader], [], [], PATIENCE_SECONDS)[0]
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The groups that were to be killed, all of another user, as with sudo."""
    groups: list[int] = []
    killpg = os.killpg

    def refuse(group: int, number: int) -> None:
        groups.append(group)
        killpg(group, 0)
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "killpg", refuse)
    return groups


@pytest.mark.usefixtures("refused")
def test_an_unlock_that_cannot_be_killed_is_followed_by_another_lock_once_it_has_ended(
    tmp_path: Path,
) -> None:
    said = tmp_path / "said"
    said.touch()
    say = "import pathlib, sys; said = pathlib.Path(sys.argv[1]); "
    late = (
        f"{say}import time\nfor _ in range(1000): said.read_text() or time.sleep(0.01)\n"
        "said.open('a').write('unlocked ')"
    )
    actuator = CommandActuator(
        "strike",
        lock=[sys.executable, "-c", f"{say}said.open('a').write('locked ')", str(said)],
        unlock=[sys.executable, "-c", late, str(said)],
        door_name="front",
        timeout_seconds=PATIENCE_SECONDS,
    )
    actuator.is_wanted = lambda: False
    with pytest.raises(ActuatorError, match=r"not wanted any more, and cannot be killed$"):
        actuator.unlock(LEASE)
    actuator.lock()
    assert said.read_text() == "locked unlocked locked "


def test_the_door_is_not_said_to_be_locked_while_an_unlock_runs_that_cannot_be_killed(
    refused: list[int],
) -> None:
    actuator = command("import time; time.sleep(60)", timeout_seconds=0.5)
    with pytest.raises(ActuatorError, match=r"still running after 0\.5 s, and cannot be killed"):
        actuator.unlock(LEASE)
    for _ in range(2):
        with pytest.raises(ActuatorError, match="strike: lock: an unlock that cannot be killed"):
            actuator.lock()
        with pytest.raises(ActuatorError, match="strike: unlock: an unlock that cannot be killed"):
            actuator.unlock(LEASE)
    os.kill(refused[0], signal.SIGKILL)
    actuator.lock()


def test_an_actuator_made_anew_waits_for_the_unlock_that_the_former_left_running(
    refused: list[int],
) -> None:
    former = CommandSection(
        kind="command", name="strike", lock=["true"], unlock=["sleep", "60"], timeout_seconds=0.5
    )
    with pytest.raises(ActuatorError, match="and cannot be killed"):
        make(former, door_name="front").unlock(LEASE)
    # As when the configuration is read again, with another program to unlock.
    actuator = make(former.model_copy(update={"unlock": ["true"]}), door_name="front")
    with pytest.raises(ActuatorError, match="strike: lock: an unlock that cannot be killed"):
        actuator.lock()
    with pytest.raises(ActuatorError, match="strike: unlock: an unlock that cannot be killed"):
        actuator.unlock(LEASE)
    make(former, door_name="back").lock()
    os.kill(refused[0], signal.SIGKILL)
    actuator.lock()
    actuator.unlock(LEASE)


def test_a_helper_left_running_does_not_hold_up_a_command_that_is_done(tmp_path: Path) -> None:
    number = tmp_path / "pid"
    leave = (
        "import pathlib, subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); import os; os._exit(0)"
    )
    started = time.monotonic()
    command(leave, str(number), timeout_seconds=30.0).unlock(LEASE)
    os.kill(int(number.read_text()), signal.SIGKILL)
    assert time.monotonic() - started < 30.0


def test_a_command_is_run_also_where_no_temporary_file_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a disk that is full or read-only.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    out = tmp_path / "out"
    leave = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); sys.exit('jammed')"
    with pytest.raises(ActuatorError, match=r"exit status 1 found, expected 0$"):
        command(leave, str(out)).unlock(LEASE)
    assert out.exists()


def test_a_command_that_denies_gets_the_reason_and_none_is_needed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write = "import os, sys, pathlib; pathlib.Path(sys.argv[1]).write_text(os.environ['{}'])"
    say = [sys.executable, "-c", write.format("MASKGATE_REASON"), str(out)]
    for deny in (say, None):
        CommandActuator(
            "sign", lock=["true"], unlock=["true"], deny=deny, door_name="front"
        ).deny("1 of 2 bare; $HOME")
    assert out.read_text() == "1 of 2 bare; $HOME"


def test_the_log_says_who_is_denied(caplog: pytest.LogCaptureFixture) -> None:
    actuator = LogActuator("log")
    with caplog.at_level(logging.INFO, "monitor.door"):
        actuator.lock()
        actuator.unlock(LEASE)
        actuator.deny("1 face bare")
        actuator.close()
    assert caplog.messages == ["log: denied: 1 face bare"]


def test_actuators_are_made_from_their_sections() -> None:
    sections = [LogSection(), CommandSection(kind="command", name="x", lock=("a",), unlock=("b",))]
    made = [make(section, door_name="front") for section in sections]
    assert [(actuator.kind, actuator.name) for actuator in made] == [
        ("log", "log"),
        ("command", "x"),
    ]
