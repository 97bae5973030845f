"""MQTT for tests: a real broker to start and kill, a false one, and a listener."""

from __future__ import annotations

import contextlib
import queue
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

DEADLINE_SECONDS = 20.0
TOPIC = "maskgate/door"
COMMAND, STATE, AVAILABILITY = (f"{TOPIC}/{name}" for name in ("command", "state", "availability"))


def program(name: str) -> str:
    """The path of a system program; skips the test where it is not installed."""
    # Debian puts daemons where only root looks for them.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name}: not installed")
    return found


class RealBroker:
    """Mosquitto on a port of its own, keeping nothing over a restart; a context manager.

    folder: for its configuration.
    settings: lines of its configuration.
    """

    host = "127.0.0.1"

    def __init__(self, folder: Path, settings: Sequence[str] = ("allow_anonymous true",)) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        # Started by root it becomes another user, who may not read the test's folder.
        lines = ["user root", f"listener {self.port} {self.host}", *settings]
        self._config.write_text("\n".join(lines) + "\n", "utf-8")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, and return once it takes connections."""
        self._process = subprocess.Popen(
            [program("mosquitto"), "-v", "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.rstrip().endswith("running"):
                break
        else:
            pytest.fail("mosquitto did not start")
        # What it says from now on must not fill the pipe.
        self._reader = threading.Thread(target=self._process.stderr.read)
        self._reader.start()

    def kill(self) -> None:
        """End at once, as a crash or a cut cable would."""
        assert self._process is not None
        assert self._process.stderr is not None
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stderr.close()

    def __enter__(self) -> RealBroker:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


class Listener:
    """Someone who is subscribed to topics, and has the messages in order; a context manager.

    Once it is left, a broker that still runs knows that nobody listens here any more.

    topics: filters, such as maskgate/#.
    """

    def __init__(
        self,
        broker: RealBroker,
        *topics: str,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if login:
            self._client.username_pw_set(*login)
        if tls:
            self._client.tls_set_context(tls)
        self._topics = topics
        self._broker = broker
        self._subscribed = threading.Event()
        self._ended = threading.Event()
        self._messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self._client.on_connect = lambda client, *_: client.subscribe([(t, 1) for t in topics])
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_unsubscribe = lambda *_: self._ended.set()
        self._client.on_disconnect = lambda *_: self._ended.set()
        self._client.on_message = lambda client, data, message: self._messages.put(message)

    def next(
        self, topic: str, ready: Callable[[str], bool] = lambda payload: True
    ) -> paho.MQTTMessage:
        """The next message under a topic whose payload fulfils a condition; others are dropped."""
        ends_at = time.monotonic() + DEADLINE_SECONDS
        while True:
            message = self._messages.get(timeout=max(ends_at - time.monotonic(), 0.001))
            if message.topic == topic and ready(message.payload.decode()):
                return message

    def none_until(self, topic: str, end: Callable[[paho.MQTTMessage], bool]) -> None:
        """Fail if a message under a topic comes before one that fulfils a condition."""
        while not end(message := self._messages.get(timeout=DEADLINE_SECONDS)):
            assert message.topic != topic, message.payload

    def until(self, topic: str) -> list[tuple[str, str]]:
        """Topic and payload of all that comes before a message under a topic."""
        before = []
        while (message := self._messages.get(timeout=DEADLINE_SECONDS)).topic != topic:
            before.append((message.topic, message.payload.decode()))
        return before

    def say(self, topic: str, payload: str) -> None:
        """Publish something."""
        self._client.publish(topic, payload, qos=1).wait_for_publish(DEADLINE_SECONDS)

    def __enter__(self) -> Listener:
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        assert self._subscribed.wait(DEADLINE_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client.is_connected():
            self._client.unsubscribe(list(self._topics))
            self._ended.wait(DEADLINE_SECONDS)
        self._client.disconnect()
        self._client.loop_stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


CONNACK = bytes([0x20, 3, 0, 0, 0])


class FakeBroker:
    """Answers the first bytes of every connection with the same bytes; a context manager.

    answer: what it says.
    hang_up: whether it then closes the connection.
    """

    def __init__(self, answer: bytes, *, hang_up: bool) -> None:
        self._answer = answer
        self._hang_up = hang_up
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._heard: list[bytes] = []
        self._changed = threading.Condition()
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def heard(self, index: int, ready: Callable[[bytes], bool]) -> bytes:
        """What came on a connection, by its number, once it fulfils a condition."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self._heard) > index and ready(self._heard[index]), DEADLINE_SECONDS
            )
            return self._heard[index]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with self._changed:
            index = len(self._heard)
            self._heard.append(b"")
        with connection, contextlib.suppress(OSError):
            while more := connection.recv(4096):
                with self._changed:
                    first = not self._heard[index]
                    self._heard[index] += more
                    self._changed.notify_all()
                if first:
                    connection.sendall(self._answer)
                if self._hang_up:
                    return

    def __enter__(self) -> FakeBroker:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._threads[0].join()
        for connection, thread in zip(self._connections, self._threads[1:], strict=True):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
