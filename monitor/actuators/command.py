"""The actuator that runs a command to lock and another to unlock."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import IO

from ..errors import ActuatorError
from .actuator import Actuator
from .lease import Lease

_STDERR_TAIL_BYTES = 4096
_LOOK_SECONDS = 0.05
_DYING_SECONDS = 1.0
_UNENDED = "an unlock that cannot be killed is still running, expected its end"

# By door and actuator. One for all: an actuator that is made anew, for another configuration, waits
# for what the former left running.
_LEFT_RUNNING: dict[tuple[str, str], subprocess.Popen[bytes]] = {}


class _RunningError(ActuatorError):
    """A command could not be killed, and runs on."""

    def __init__(self, message: str, process: subprocess.Popen[bytes]) -> None:
        super().__init__(message)
        self.process = process


class CommandActuator(Actuator):
    """Runs an argument list, without a shell, and waits for exit status 0.

    The command gets PATH as its only environment variable, `deny` also MASKGATE_REASON, and no
    standard input; its output is discarded, but for the last line of standard error when it fails
    and there was room for a temporary file.
    After the time-out the command and everything in its process group are killed; an unlock also as
    soon as it is not wanted any more, since otherwise it would open the door after all. An unlock
    that cannot be killed, such as one of another user, is waited for by `lock`, also by that of the
    next actuator of this name at this door.

    name: what it is called in messages.
    lock, unlock: program and arguments.
    deny: the same, run when someone is turned away; None for nothing.
    door_name: which door.
    timeout_seconds: how long a command may take.
    """

    kind = "command"

    def __init__(
        self,
        name: str,
        *,
        lock: Sequence[str],
        unlock: Sequence[str],
        deny: Sequence[str] | None = None,
        door_name: str,
        timeout_seconds: float = 5.0,
    ) -> None:
        super().__init__(name)
        self._lock = lock
        self._unlock = unlock
        self._deny = deny
        self._timeout_seconds = timeout_seconds
        self._place = door_name, name

    def lock(self) -> None:
        """Run the lock command; raises ActuatorError unless it ends in time with status 0.

        It is run again after the end of an unlock that could not be killed; raises ActuatorError
        when that does not end in time.
        """
        # Looked up first: what ends meanwhile may have opened the door after this lock.
        left_running = _LEFT_RUNNING.get(self._place)
        self._run("lock", self._lock)
        if left_running is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            left_running.wait(self._timeout_seconds)
        if _runs(left_running):
            raise ActuatorError(f"actuator {self.name}: lock: {_UNENDED}")
        if _LEFT_RUNNING.get(self._place) is left_running:
            _LEFT_RUNNING.pop(self._place, None)
        self._run("lock", self._lock)

    def unlock(self, lease: Lease) -> None:
        """Run the unlock command; raises ActuatorError unless it ends in time with status 0.

        It is not run, and the same raised, before `lock` has seen the end of one that could not be
        killed.
        """
        if self._place in _LEFT_RUNNING:
            raise ActuatorError(f"actuator {self.name}: unlock: {_UNENDED}")
        try:
            self._run("unlock", self._unlock, is_wanted=self.is_wanted)
        except _RunningError as error:
            _LEFT_RUNNING[self._place] = error.process
            raise

    def deny(self, reason: str) -> None:
        """Run the deny command; raises ActuatorError unless it ends in time with status 0."""
        if self._deny is not None:
            self._run("deny", self._deny, MASKGATE_REASON=reason)

    def _run(
        self,
        action: str,
        arguments: Sequence[str],
        is_wanted: Callable[[], bool] = lambda: True,
        **environment: str,
    ) -> None:
        where = f"actuator {self.name}: {action}: {arguments[0]}"
        with _said() as stderr:
            try:
                process = subprocess.Popen(
                    arguments,
                    env={"PATH": os.environ.get("PATH", os.defpath), **environment},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr or subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                raise ActuatorError(f"{where}: cannot be run: {error.strerror}") from None
            status = self._status(process, where, is_wanted)
            if status != 0:
                ending = f"signal {-status}" if status < 0 else f"exit status {status}"
                raise ActuatorError(f"{where}: {ending} found, expected 0{_last_line(stderr)}")

    def _status(
        self, process: subprocess.Popen[bytes], where: str, is_wanted: Callable[[], bool]
    ) -> int:
        """The exit status of a command that ends in time and for as long as it is wanted."""
        ends_at = time.monotonic() + self._timeout_seconds
        while True:
            left_seconds = ends_at - time.monotonic()
            try:
                return process.wait(max(min(left_seconds, _LOOK_SECONDS), 0.0))
            except subprocess.TimeoutExpired:
                if is_wanted() and left_seconds > 0.0:
                    continue
            why = f"still running after {self._timeout_seconds:g} s"
            if left_seconds > 0.0:
                why = "not wanted any more"
            _kill_group(process)
            if _runs(process):
                raise _RunningError(f"{where}: {why}, and cannot be killed", process)
            raise ActuatorError(f"{where}: {why}, killed")


def _said() -> AbstractContextManager[IO[bytes] | None]:
    """What takes standard error; None where nothing can."""
    try:
        # A file, not a pipe: a helper that the command leaves running would hold a pipe open.
        return tempfile.TemporaryFile()
    except OSError:
        # A full disk must not keep a door from being locked.
        return contextlib.nullcontext()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # Not reaped yet, so the group's number still belongs to it. No SIGTERM first: a lock that waits
    # for a hung command to end politely is a door that stays open.
    with contextlib.suppress(ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_DYING_SECONDS)


def _runs(process: subprocess.Popen[bytes]) -> bool:
    """Whether a command that was to be killed runs on, or what it started as another user."""
    if process.poll() is None:
        return True
    try:
        os.killpg(process.pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        pass
    return False


def _last_line(stderr: IO[bytes] | None) -> str:
    if stderr is None:
        return ""
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(size - _STDERR_TAIL_BYTES, 0))
    lines = stderr.read().decode("utf-8", "replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    if not said:
        return ""
    return ": " + "".join(sign if sign.isprintable() else "?" for sign in said[-1][:200])
