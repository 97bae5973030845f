"""The webhook: real servers, honest and otherwise, over http and https."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.actuators.lease import Lease
from monitor.actuators.webhook import WebhookActuator
from monitor.errors import ActuatorError, ConfigError

KEY = "key of the door"
DOCUMENTATION = Path(__file__).parent.parent / "docs" / "actuators.md"
PATIENCE_SECONDS = 10.0


def lease(seconds: float = PATIENCE_SECONDS) -> Lease:
    return Lease(
        unlocked=True,
        reason="1 face masked",
        door_name="front",
        sequence=7,
        captured_at=time.monotonic(),
        expires_at=time.monotonic() + seconds,
    )


def webhook(
    port: int, *, timeout_seconds: float = PATIENCE_SECONDS, **more: Any
) -> WebhookActuator:
    options = {"url": f"http://127.0.0.1:{port}/door?id=1", "door_name": "front", "secret": KEY}
    return WebhookActuator("bell", **options | more, timeout_seconds=timeout_seconds)


class Receiver(ThreadingHTTPServer):
    """A server that keeps what was posted, and answers with the status that it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.location = ""
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        self.server.headers.append(dict(self.headers))
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving(server: Receiver) -> Iterator[Receiver]:
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving(Receiver()) as server:
        yield server


def test_what_is_to_be_done_is_posted_as_json(receiver: Receiver) -> None:
    bell = webhook(receiver.port)
    bell.unlock(lease(0.5))
    bell.lock()
    bell.deny("1 Gesicht ohne Maske, Tür zu")
    unlock, lock, deny = [json.loads(body) for body in receiver.bodies]
    assert 0.0 < unlock.pop("expires_in_seconds") <= 0.5
    about = {"door": "front", "actuator": "bell"}
    assert unlock == about | {"action": "unlock", "reason": "1 face masked", "sequence": 7}
    assert lock == about | {"action": "lock"}
    assert deny == about | {"action": "deny", "reason": "1 Gesicht ohne Maske, Tür zu"}
    assert set(receiver.paths) == {"/door?id=1"}
    assert receiver.headers[0]["Content-Type"] == "application/json"


def test_each_request_is_signed_together_with_a_time_that_rises(receiver: Receiver) -> None:
    bell = webhook(receiver.port)
    started_ms = time.time_ns() // 1_000_000
    for _ in range(3):
        bell.lock()
    times = [int(headers["X-Maskgate-Timestamp"]) for headers in receiver.headers]
    assert started_ms <= times[0] < times[1] < times[2]
    for at, headers, body in zip(times, receiver.headers, receiver.bodies, strict=True):
        expected = hmac.new(KEY.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        assert headers["X-Maskgate-Signature"] == f"sha256={expected}"


def test_the_time_rises_also_for_an_actuator_made_anew_after_the_clock_was_set_back(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook(receiver.port).lock()
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns - 3_000_000_000)
    webhook(receiver.port).unlock(lease(5.0))
    before, after = [int(headers["X-Maskgate-Timestamp"]) for headers in receiver.headers]
    assert before < after
    # Counted from a timestamp that is ahead of the clock, and not beyond the lease's end.
    assert 0.0 < json.loads(receiver.bodies[1])["expires_in_seconds"] < 3.0
    with pytest.raises(ActuatorError, match="the lease ran out"):
        webhook(receiver.port).unlock(lease(1.0))


def documented() -> dict[str, Any]:
    """What the receiver in the documentation defines."""
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    names["KEY"] = KEY.encode()
    return names


def test_the_receiver_in_the_documentation_accepts_each_request_once_and_nothing_forged(
    receiver: Receiver,
) -> None:
    accept = documented()["accept"]
    bell = webhook(receiver.port)
    for move in (lambda: bell.unlock(lease()), bell.lock, lambda: bell.deny("1 face bare")):
        move()
    unlock, lock, deny = zip(receiver.headers, receiver.bodies, strict=True)
    assert accept(*unlock)
    assert not accept(*unlock)
    assert accept(*deny)
    # It was overtaken by the denial, and must not be refused for that.
    assert accept(*lock)
    assert not accept(lock[0], lock[1].replace(b"front", b"other"))


def test_the_receiver_in_the_documentation_counts_an_unlock_from_its_timestamp(
    receiver: Receiver,
) -> None:
    names = documented()
    ends_at = time.time() + 4.0
    webhook(receiver.port).unlock(lease(4.0))
    request = receiver.headers[0], receiver.bodies[0]
    now = time.time()
    # However late it comes, its time is not counted anew.
    names["time"] = SimpleNamespace(time=lambda: now + 4.5)
    assert not names["accept"](*request)
    names["time"] = SimpleNamespace(time=lambda: now)
    assert names["accept"](*request)
    assert names["locks_at"](*request) == pytest.approx(ends_at, abs=0.1)


def test_the_secret_is_shown_in_neither_a_repr_nor_a_request(receiver: Receiver) -> None:
    bell = webhook(receiver.port)
    bell.lock()
    assert KEY not in repr(bell)
    assert KEY not in f"{receiver.headers}{receiver.bodies}"


@pytest.mark.parametrize("status", [300, 302, 307, 400, 401, 404, 500, 503])
def test_any_other_status_is_a_failure_and_no_redirect_is_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.status = status
    receiver.location = f"http://127.0.0.1:{receiver.port}/elsewhere"
    expected = f"actuator bell: unlock: 127.0.0.1: status {status} found, expected 200 to 299"
    with pytest.raises(ActuatorError, match=expected):
        webhook(receiver.port).unlock(lease())
    assert receiver.paths == ["/door?id=1"]


def test_a_server_that_is_not_there_is_an_actuator_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(ActuatorError, match=r"actuator bell: lock: 127\.0\.0\.1: .*refused"):
            webhook(port).lock()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        pytest.param("http://no.such.host.invalid/", "no.such.host.invalid: ", id="unknown"),
        pytest.param(f"http://{'a' * 70}.invalid/", "label", id="no name of a host"),
    ],
)
def test_a_host_that_cannot_be_found_is_an_actuator_error(url: str, complaint: str) -> None:
    with pytest.raises(ActuatorError, match=complaint):
        webhook(0, url=url).lock()


def test_an_unlock_whose_lease_ends_before_there_is_a_connection_is_not_sent(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, ending = socket.getaddrinfo, lease(0.2)

    def slow(*arguments: Any, **options: Any) -> Any:
        threading.Event().wait(ending.expires_at - time.monotonic())
        return look_up(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    bell = webhook(receiver.port)
    with pytest.raises(ActuatorError, match=r"bell: unlock: 127\.0\.0\.1: .*the lease ran out"):
        bell.unlock(ending)
    assert receiver.bodies == []
    bell.lock()
    assert json.loads(receiver.bodies[0])["action"] == "lock"


def test_an_unlock_that_is_not_wanted_any_more_once_there_is_a_connection_is_not_sent(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, unwanted = socket.getaddrinfo, threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        # A bare face comes while it connects.
        unwanted.set()
        return look_up(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    bell = webhook(receiver.port)
    bell.is_wanted = lambda: not unwanted.is_set()
    with pytest.raises(ActuatorError, match=r"bell: unlock: 127\.0\.0\.1: not wanted any more"):
        bell.unlock(lease())
    assert receiver.bodies == []
    bell.lock()
    assert json.loads(receiver.bodies[0])["action"] == "lock"


@pytest.fixture
def deaf() -> Iterator[int]:
    """The port of an address where no connection comes about, whoever waits for it."""
    with contextlib.ExitStack() as held:
        server = held.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = int(server.getsockname()[1])
        for _ in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


def resolve(monkeypatch: pytest.MonkeyPatch, ports: Sequence[int]) -> None:
    """Let every host have an address for each of these ports."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_the_time_out_bounds_all_addresses_of_a_host_together(
    deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, [deaf] * 20)
    started = time.monotonic()
    with pytest.raises(ActuatorError, match="timed out"):
        webhook(deaf, timeout_seconds=0.5).lock()
    assert time.monotonic() - started < PATIENCE_SECONDS / 2


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    deaf: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, [deaf, receiver.port])
    webhook(deaf, timeout_seconds=2.0).lock()
    assert json.loads(receiver.bodies[0])["action"] == "lock"


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that does with each connection whatever it is told to."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                # The client may have had enough of it.
                with connection, contextlib.suppress(OSError):
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_SECONDS)


def drip(piece: bytes, head: bytes = b"") -> Callable[[socket.socket], None]:
    """An answer that goes on for ever, a little at a time."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        connection.settimeout(0.02)
        while True:
            connection.sendall(piece)
            try:
                if not connection.recv(65536):
                    return
            except TimeoutError:
                pass

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(drip(b""), id="silence"),
        pytest.param(drip(b"x"), id="a status line, byte by byte"),
        pytest.param(drip(b"HTTP/1.1 100 Continue\r\n\r\n"), id="always to be continued"),
        pytest.param(drip(b"X", b"HTTP/1.1 204 None\r\nName: "), id="a header, byte by byte"),
    ],
)
def test_an_answer_that_drips_past_the_time_out_is_an_actuator_error(
    answer: Callable[[socket.socket], None],
) -> None:
    started = time.monotonic()
    with answering(answer) as port, pytest.raises(ActuatorError, match="timed out"):
        webhook(port, timeout_seconds=0.3).unlock(lease())
    # Far less than what each of those bytes would have bought with a time-out of its own.
    assert time.monotonic() - started < PATIENCE_SECONDS


def test_a_handshake_that_never_comes_is_an_actuator_error() -> None:
    with answering(drip(b"")) as port, pytest.raises(ActuatorError, match="timed out"):
        webhook(0, url=f"https://127.0.0.1:{port}/", timeout_seconds=0.3).lock()


def test_a_body_without_end_is_not_waited_for() -> None:
    with answering(drip(b"x" * 65536, b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        webhook(port).lock()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 204 " + b"x" * 70_000, id="a line too long"),
        pytest.param(b"HTTP/1.1 204 None\r\n" + b"A: b\r\n" * 200, id="too many headers"),
        pytest.param(b"\x00\x1b[2J\r\n\r\n", id="control characters"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another protocol"),
    ],
)
def test_a_head_out_of_bounds_is_said_in_one_short_line(head: bytes) -> None:
    with (
        answering(lambda connection: connection.sendall(head)) as port,
        pytest.raises(ActuatorError) as failure,
    ):
        webhook(port).lock()
    assert str(failure.value).isprintable()
    assert len(str(failure.value)) < 300


PIECES = st.sampled_from(
    b"HTTP/1.1 |200| OK|\r\n|\r\n\r\n|: |Content-Length|-1|\xff|Transfer-Encoding: chunked|"
    b"HTTP/9.9 |100 |99999|\0| |\n".split(b"|")
)
ANSWERS = st.lists(PIECES | st.binary(max_size=20), max_size=12).map(b"".join)


def test_whatever_is_answered_only_actuator_errors_come_out() -> None:
    answers: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answers[-1])

    with answering(answer) as port:

        @settings(max_examples=200)
        @given(ANSWERS)
        @example(b"")
        @example(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")
        def fuzzed(content: bytes) -> None:
            answers.append(content)
            with contextlib.suppress(ActuatorError):
                webhook(port).unlock(lease())
                assert content.startswith(b"HTTP/1.")

        fuzzed()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-made certificate for 127.0.0.1, with its key in the same file."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed: no certificate can be made")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    name = ["-nodes", "-days", "2", "-subj", "/CN=bell", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", f"{path}.key", "-out", str(path)]
    subprocess.run([*make, *name, *files], check=True, capture_output=True)
    return path


@pytest.fixture
def tls_receiver(certificate: Path) -> Iterator[Receiver]:
    server = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, f"{certificate}.key")
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    with serving(server) as running:
        yield running


def test_a_server_is_trusted_by_its_self_made_certificate(
    tls_receiver: Receiver, certificate: Path
) -> None:
    port = tls_receiver.port
    webhook(port, url=f"https://127.0.0.1:{port}/", ca_file=str(certificate)).unlock(lease())
    assert json.loads(tls_receiver.bodies[0])["action"] == "unlock"


@pytest.mark.parametrize(
    ("host", "trusted", "complaint"),
    [
        pytest.param("127.0.0.1", False, "self-signed certificate", id="not trusted"),
        pytest.param("localhost", True, "Hostname mismatch", id="of another host"),
    ],
)
def test_a_server_that_proves_nothing_is_told_nothing(
    tls_receiver: Receiver, certificate: Path, host: str, trusted: bool, complaint: str
) -> None:
    url = f"https://{host}:{tls_receiver.port}/"
    bell = webhook(0, url=url, ca_file=str(certificate) if trusted else None)
    with pytest.raises(ActuatorError, match=complaint):
        bell.unlock(lease())
    assert tls_receiver.bodies == []


def test_plain_http_where_https_is_expected_is_an_actuator_error(receiver: Receiver) -> None:
    with pytest.raises(ActuatorError, match="actuator bell: lock"):
        webhook(0, url=f"https://127.0.0.1:{receiver.port}/").lock()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"no certificate", "expected certificates as PEM", id="something else"),
    ],
)
def test_certificates_that_cannot_be_read_are_a_configuration_error(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"actuator bell: ca_file: .*{complaint}"):
        webhook(0, url="https://127.0.0.1/", ca_file=str(path))
