"""An unlock that takes long is given up once it is not wanted any more, and the door locked."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FrameSource
from fake_lock import PATIENCE_SECONDS, FakeClock, FakeLock, locking, unlocking
from test_pipeline import line

from monitor.actuators.command import CommandActuator
from monitor.actuators.latch import Latch
from monitor.actuators.lease import Change, Lease
from monitor.actuators.worker import Worker
from monitor.errors import ActuatorError
from monitor.line import close


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
        door_name="front",
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
        "strike",
        lock=["true"],
        unlock=["sh", "-c", f"read line < '{tmp_path / 'go'}'"],
        door_name="front",
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


class Stubborn(FakeLock):
    """Takes as long over an unlock as anybody wants it."""

    def unlock(self, lease: Lease) -> None:
        super().unlock(lease)
        while self.is_wanted():
            threading.Event().wait(0.01)
        raise ActuatorError("fake: unlock: not wanted any more")


def test_actuators_that_hang_take_no_longer_together_than_one() -> None:
    hung, stubborn = [FakeLock() for _ in range(5)], Stubborn()
    # In a recording, an unlock is wanted beyond the end.
    locks = [Worker(Latch(lock), overwrite=False) for lock in (*hung, stubborn)]
    for lock in hung:
        lock.hold_up.clear()
    for worker in locks:
        worker.start()
    locks[-1].apply(unlocking(1))
    stubborn.wait(lambda calls: calls == ["lock", "unlock"])
    try:
        began = time.monotonic()
        left_open = close([line(FrameSource(), locks=tuple(locks))], began)
        assert left_open == [("door", "fake")] * len(hung)
        assert time.monotonic() - began < 3.0
        assert stubborn.calls[-2:] == ["lock", "close"]
    finally:
        for lock in hung:
            lock.hold_up.set()
        for worker in locks:
            worker.close(PATIENCE_SECONDS)
