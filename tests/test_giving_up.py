"""An unlock that takes long is given up once it is not wanted any more, and the door locked."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_lock import PATIENCE_SECONDS, FakeClock, locking, unlocking

from monitor.actuators.command import CommandActuator
from monitor.actuators.latch import Latch
from monitor.actuators.lease import Change
from monitor.actuators.worker import Worker


def note(path: Path, what: str) -> str:
    return f"echo {what} >> '{path}'"


@pytest.mark.parametrize(
    ("overwrite", "change"),
    [
        (True, lambda worker, clock: worker.apply(locking(2, denies=True))),  # a bare face
        (False, lambda worker, clock: worker.apply(locking(2, denies=True))),  # in a recording
        (True, lambda worker, clock: setattr(clock, "now", 6.0)),  # nobody is seen any more
        (True, lambda worker, clock: worker.end()),  # the program is told to stop
        (False, lambda worker, clock: worker.close(0.0)),  # nobody waits for it any longer
    ],
)
def test_an_unlock_that_is_not_wanted_any_more_never_opens_the_door(
    tmp_path: Path, overwrite: bool, change: Callable[[Worker, FakeClock], object]
) -> None:
    moves, lifeline, clock = tmp_path / "moves", tmp_path / "lifeline", FakeClock()
    os.mkfifo(lifeline)
    slow = f"exec 3> '{lifeline}'; echo ready >&3; sleep 60; {note(moves, 'unlock')}"
    actuator = CommandActuator(
        "strike",
        lock=["sh", "-c", note(moves, "lock")],
        unlock=["sh", "-c", slow],
        timeout_seconds=60.0,
    )
    worker = Worker(Latch(actuator, clock=clock), overwrite=overwrite)
    reader = os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK)
    try:
        worker.start()
        worker.apply(unlocking(1, expires_at=5.0))
        assert select.select([reader], [], [], PATIENCE_SECONDS)[0]
        assert os.read(reader, 100) == b"ready\n"
        change(worker, clock)
        # The command and its child held the pipe's writing end.
        assert select.select([reader], [], [], PATIENCE_SECONDS)[0]
        assert os.read(reader, 100) == b""
        assert worker.close(PATIENCE_SECONDS)
    finally:
        os.close(reader)
        worker.close(PATIENCE_SECONDS)
    assert set(moves.read_text().split()) == {"lock"}
    # at the start, and again after the unlock
    assert len(moves.read_text().split()) >= 2


def test_an_unlock_that_is_renewed_meanwhile_goes_on(tmp_path: Path) -> None:
    clock, unlocked = FakeClock(), threading.Event()
    os.mkfifo(tmp_path / "go")
    actuator = CommandActuator(
        "strike", lock=["true"], unlock=["sh", "-c", f"read line < '{tmp_path / 'go'}'"]
    )

    def watch(change: Change) -> None:
        if change.state == "unlocked":
            unlocked.set()

    worker = Worker(Latch(actuator, watchers=[watch], clock=clock))
    worker.start()
    try:
        worker.apply(unlocking(1, expires_at=5.0))
        # opens once the command reads from the other end
        with (tmp_path / "go").open("w") as go:
            worker.apply(unlocking(2, expires_at=15.0))
            clock.now = 6.0
            go.write("now\n")
        assert unlocked.wait(PATIENCE_SECONDS)
    finally:
        assert worker.close(PATIENCE_SECONDS)
