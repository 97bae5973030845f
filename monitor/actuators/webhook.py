"""The actuator that posts signed JSON to an address, over http or https."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import socket
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import urlsplit

from ..errors import ActuatorError
from ..tls import trusting
from .actuator import Actuator
from .lease import Lease
from .timestamp import TIMESTAMPS

_LONGEST_COMPLAINT = 200


class WebhookActuator(Actuator):
    """Posts what is to be done, and takes any status from 200 to 299 for done.

    The standard library's client is enough for one request at a time, and does nothing unasked: no
    redirect is followed, no proxy or cookie used, nothing tried again. The body of an answer is
    not read; its head is bounded by that client, and everything together by the time-out.

    Each request carries `X-Maskgate-Timestamp`, milliseconds since 1970 that rise from one request
    to the next, and `X-Maskgate-Signature`, `sha256=` and the HMAC-SHA256 of timestamp, a full stop
    and body. Who receives it can refuse what is forged or old, and a lock or unlock whose timestamp
    is not above that of the last one; a deny is sent beside them, and may overtake one.

    name: what it is called in messages.
    url: where to post.
    secret: key of the signature.
    door_name: which door, as the receiver is told.
    timeout_seconds: how long a request may take in all, but for the look-up of a host's name.
    ca_file: certificates, as PEM, by which the server's is judged; None for the system's.

    Raises ConfigError when `ca_file` holds no certificates.
    """

    kind = "webhook"
    renews = True

    def __init__(
        self,
        name: str,
        *,
        url: str,
        secret: str,
        door_name: str,
        timeout_seconds: float = 5.0,
        ca_file: str | None = None,
    ) -> None:
        super().__init__(name)
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        https = parts.scheme == "https"
        self._port = parts.port or (443 if https else 80)
        self._tls = trusting(ca_file, f"actuator {name}") if https else None
        self._key = secret.encode()
        self._door_name = door_name
        self._timeout_seconds = timeout_seconds

    def lock(self) -> None:
        """Post `lock`; raises ActuatorError unless it is answered in time with success."""
        self._post("lock")

    def unlock(self, lease: Lease) -> None:
        """Post `unlock` with what is left of the lease, after which the receiver has to lock.

        Raises ActuatorError unless it is answered in time with success, and when the lease ends, or
        is not wanted any more, before there is a connection.
        """
        self._post("unlock", lease.expires_at, reason=lease.reason, sequence=lease.sequence)

    def deny(self, reason: str) -> None:
        """Post `deny` with the reason; raises ActuatorError unless it is answered with success."""
        self._post("deny", reason=reason)

    def _post(self, action: str, expires_at: float | None = None, **more: object) -> None:
        where = f"actuator {self.name}: {action}: {self._host}"
        content = {"action": action, "door": self._door_name, "actuator": self.name, **more}
        try:
            status = self._answered(content, expires_at)
        except (OSError, HTTPException, ValueError) as error:
            raise ActuatorError(f"{where}: {_said(error)}") from None
        if not 200 <= status <= 299:
            raise ActuatorError(f"{where}: status {status} found, expected 200 to 299")

    def _answered(self, content: dict[str, object], expires_at: float | None) -> int:
        """Send what is to be done, and how long that holds; the status of the answer."""
        addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        ends_at = time.monotonic() + self._timeout_seconds
        connection = HTTPConnection(self._host, self._port)
        try:
            connection.sock = _connected(addresses, ends_at)
            if self._tls is not None:
                connection.sock.settimeout(_left_seconds(ends_at))
                connection.sock = self._tls.wrap_socket(connection.sock, server_hostname=self._host)
            connection.sock.settimeout(_left_seconds(ends_at))
            # Only now: connecting may have taken what the lease had left, or a bare face come.
            connection.request("POST", self._path, *self._signed(content, expires_at))
            # All that the client wants of a socket is what it can read from.
            timed = cast(socket.socket, _TimedSocket(connection.sock, ends_at))
            answer = HTTPResponse(timed, method="POST")
            answer.begin()
            return answer.status
        finally:
            connection.close()

    def _signed(
        self, content: dict[str, object], expires_at: float | None
    ) -> tuple[bytes, dict[str, str]]:
        """Body and head of a request that is sent at once."""
        # Before what is left is looked at, so that both together never lie beyond the lease's end.
        timestamp_ms = TIMESTAMPS.next_ms()
        timestamp = str(timestamp_ms)
        if expires_at is not None:
            # What is left counts from the timestamp, which is ahead where the clock was set back.
            ahead_seconds = max(timestamp_ms - time.time_ns() // 1_000_000, 0) / 1000
            left_seconds = round(expires_at - time.monotonic() - ahead_seconds, 3)
            if left_seconds <= 0:
                raise TimeoutError("not connected when the lease ran out")
            if not self.is_wanted():
                raise InterruptedError("not wanted any more when connected")
            content = {**content, "expires_in_seconds": left_seconds}
        body = json.dumps(content, ensure_ascii=False).encode()
        signed = hmac.new(self._key, timestamp.encode() + b"." + body, hashlib.sha256)
        return body, {
            "Content-Type": "application/json",
            "Connection": "close",
            "X-Maskgate-Timestamp": timestamp,
            "X-Maskgate-Signature": f"sha256={signed.hexdigest()}",
        }


class _TimedSocket(io.RawIOBase):
    """Reads from a socket, each time with what is left of the time for all of it together.

    A socket's own time-out starts anew with every byte that drips in.
    """

    def __init__(self, connected: socket.socket, ends_at: float) -> None:
        self._socket = connected
        self._ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left_seconds(self._ends_at))
        return self._socket.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What the client reads an answer from."""
        return io.BufferedReader(self)


def _connected(addresses: Sequence[tuple[Any, ...]], ends_at: float) -> socket.socket:
    """A connection to the first of the addresses that takes one, as `getaddrinfo` gives them."""
    failure = OSError("no address found, expected one of the host")
    for place, (family, kind, protocol, _, address) in enumerate(addresses):
        try:
            tried = socket.socket(family, kind, protocol)
            try:
                # Each gets its share, so that one which never answers leaves time for the next.
                tried.settimeout(_left_seconds(ends_at) / (len(addresses) - place))
                tried.connect(address)
            except OSError:
                tried.close()
                raise
        except OSError as error:
            failure = error
        else:
            return tried
    raise failure


def _left_seconds(ends_at: float) -> float:
    left_seconds = ends_at - time.monotonic()
    if left_seconds <= 0:
        raise TimeoutError("timed out")
    return left_seconds


def _said(error: Exception) -> str:
    """An error in words, which may hold whatever the server sent."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    shown = (text or type(error).__name__)[:_LONGEST_COMPLAINT]
    return "".join(sign if sign.isprintable() else "?" for sign in shown)
