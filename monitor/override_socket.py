"""The way from `monitor override` to the running monitor: a Unix socket, a line each way."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import MaskgateError, UsageError
from .override import Override

_LONGEST_LINE_BYTES = 1024
_TIMEOUT_SECONDS = 2.0
# For the whole line: the next one waits meanwhile, and must not give up before it is its turn.
_LINE_SECONDS = 1.0


class _Request(socketserver.BaseRequestHandler):
    """Answers one request with {"done": text} or {"refused": text}."""

    server: _Server

    def handle(self) -> None:
        try:
            answer = {"done": self._carry_out(self._line())}
        except MaskgateError as error:
            answer = {"refused": str(error)}
        except OSError:
            return
        self.request.sendall(json.dumps(answer).encode() + b"\n")

    def _line(self) -> bytes:
        """What is asked, as far as it can be too long; raises OSError when it takes too long."""
        deadline = time.monotonic() + _LINE_SECONDS
        line = b""
        while b"\n" not in line and len(line) <= _LONGEST_LINE_BYTES:
            self.request.settimeout(max(deadline - time.monotonic(), 0.0))
            part = self.request.recv(_LONGEST_LINE_BYTES + 1 - len(line))
            if not part:
                break
            line += part
        return line

    def _carry_out(self, line: bytes) -> str:
        expected = "a line of JSON with door, action, seconds, by and asked_at"
        if len(line) > _LONGEST_LINE_BYTES:
            raise UsageError(f"override: more than {_LONGEST_LINE_BYTES} bytes found")
        try:
            match json.loads(line):
                case {
                    "door": str(door),
                    "action": str(action),
                    "seconds": int(seconds) | float(seconds),
                    "by": str(by),
                    "asked_at": float(asked_at),
                } if not isinstance(seconds, bool):
                    # Whoever asked has been told by now that nobody answers.
                    if not 0.0 <= time.monotonic() - asked_at < _TIMEOUT_SECONDS:
                        raise UsageError("override: asked too long ago")
                    override = self.server.overrides.get(door)
                    if override is None:
                        names = ", ".join(self.server.overrides)
                        raise UsageError(f"override: door {door!r} found, expected {names}")
                    return override.request(action, float(seconds), by)
        except (ValueError, OverflowError, RecursionError):
            pass
        raise UsageError(f"override: found something else than {expected}")


class _Server(socketserver.UnixStreamServer):
    overrides: Mapping[str, Override]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that hangs up is no concern of the doors."""


class OverrideSocket:
    """Listens for overrides; a context manager.

    Only who may enter the socket's folder can ask, which is the user that runs the monitor: the
    folder is made with mode 0700, and one that others can enter is refused.

    path: where; its folder is made if need be. Raises UsageError when that is not possible.
    overrides: by the name of the door.
    """

    def __init__(self, path: Path, overrides: Mapping[str, Override]) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if stat.S_IMODE(path.parent.stat().st_mode) & 0o077:
                raise UsageError(f"{path.parent}: open to others found, expected mode 0700")
            if path.is_socket() and not _is_answered(path):
                path.unlink()  # left behind by a monitor that was killed
            self._server = _Server(os.fspath(path), _Request)
        except OSError as error:
            problem = error.strerror or str(error)
            raise UsageError(f"{path}: cannot listen for overrides: {problem}") from None
        self._server.overrides = overrides
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="override", daemon=True
        )

    def __enter__(self) -> OverrideSocket:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._path.unlink(missing_ok=True)


def ask(path: Path, *, door: str, action: str, seconds: float, by: str) -> str:
    """Ask the monitor that listens there for an override; returns what it did, in words.

    Raises UsageError with its words when it refuses, MaskgateError when there is none.
    """
    asked_at = time.monotonic()
    question = {"door": door, "action": action, "seconds": seconds, "by": by, "asked_at": asked_at}
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_TIMEOUT_SECONDS)
            line.connect(os.fspath(path))
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answers:
                answer = json.loads(answers.readline())
    except (OSError, ValueError) as error:
        raise MaskgateError(f"{path}: no running monitor answers: {error}") from None
    if "refused" in answer:
        raise UsageError(answer["refused"])
    return str(answer["done"])


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_TIMEOUT_SECONDS)
        return line.connect_ex(os.fspath(path)) == 0
