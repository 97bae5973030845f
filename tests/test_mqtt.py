"""The actuator on MQTT: real commands, through a real broker that comes and goes."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pytest
from conftest import CLASSES, picture
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mqtt_broker import DEADLINE_SECONDS, Listener, RealBroker, program
from paho.mqtt.client import MQTTMessage
from pydantic import SecretStr

from monitor.actuators.lease import Lease
from monitor.actuators.mqtt import MqttActuator
from monitor.detections import Detections
from monitor.doorkeeper import Result
from monitor.errors import ActuatorError, ConfigError
from monitor.evidence import Evidence
from monitor.frame import Frame
from monitor.policy import Decision, Door

TOPIC = "maskgate/door"
COMMAND, STATE, AVAILABILITY = (f"{TOPIC}/{name}" for name in ("command", "state", "availability"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RealBroker]:
    """A broker that lets everyone do everything."""
    with RealBroker(tmp_path) as running:
        yield running


@contextmanager
def acting(broker: RealBroker | int, **options: object) -> Iterator[MqttActuator]:
    """An actuator at a broker, or at a port of this machine; closed at the end."""
    port = broker if isinstance(broker, int) else broker.port
    actuator = MqttActuator("strike", host="127.0.0.1", port=port, topic=TOPIC, **options)  # type: ignore[arg-type]
    try:
        yield actuator
    finally:
        actuator.close()


def lease(lasts_seconds: float = 5.0) -> Lease:
    """An unlock that has only just begun."""
    return Lease(unlocked=True, reason="", expires_at=time.monotonic() + lasts_seconds)


def result(evidence: Evidence, reason: str = "seen") -> Result:
    """What a doorkeeper says of a frame without faces."""
    nobody = Detections.empty(CLASSES)
    decision = Decision(0.0, evidence, Door.LOCKED, reason, nobody, 0.0, 1.0)
    return Result(Frame(picture("nobody"), 0, 0.0), decision)


def content(message: MQTTMessage) -> dict[str, object]:
    """The JSON object in a message."""
    found = json.loads(message.payload)
    assert isinstance(found, dict)
    return found


def test_a_command_comes_to_the_receiver_with_what_is_needed_to_refuse_it(
    broker: RealBroker,
) -> None:
    with Listener(broker, COMMAND) as receiver, acting(broker) as actuator:
        actuator.lock()
        locked = receiver.next(COMMAND)
        actuator.unlock(lease(lasts_seconds=2.5))
        unlocked = receiver.next(COMMAND)
    assert (locked.qos, locked.retain, unlocked.qos, unlocked.retain) == (1, False, 1, False)
    assert content(locked)["command"] == "lock"
    assert content(unlocked)["command"] == "unlock"
    assert content(locked)["sequence"] < content(unlocked)["sequence"]  # type: ignore[operator]
    lasts_seconds = content(unlocked)["expires_at"] - time.time()  # type: ignore[operator]
    assert 0.0 < lasts_seconds <= 2.5
    assert unlocked.properties is not None
    assert 1 <= unlocked.properties.MessageExpiryInterval <= 3


def test_the_sequence_goes_on_when_the_monitor_is_started_anew(broker: RealBroker) -> None:
    with Listener(broker, COMMAND) as receiver:
        numbers = []
        for _ in range(2):
            with acting(broker) as actuator:
                for _ in range(3):
                    actuator.lock()
                    numbers.append(content(receiver.next(COMMAND))["sequence"])
    assert numbers == sorted(set(numbers))  # type: ignore[type-var]


def test_a_command_that_nobody_gets_is_a_failure(broker: RealBroker) -> None:
    with (
        acting(broker) as actuator,
        pytest.raises(ActuatorError, match=r"actuator strike: nobody .*maskgate/door/command"),
    ):
        actuator.lock()


def test_without_commands_the_door_is_only_reported(broker: RealBroker) -> None:
    with Listener(broker, "#") as listener, acting(broker, commands=False) as actuator:
        actuator.lock()
        actuator.unlock(lease())
        listener.none_until(COMMAND, lambda message: message.topic == STATE)


def test_no_command_outlives_a_broker_that_is_gone(broker: RealBroker) -> None:
    with acting(broker) as actuator:
        with Listener(broker, COMMAND):
            actuator.lock()
        broker.kill()
        for _ in range(3):
            with pytest.raises(ActuatorError, match=f"{broker.port}: {COMMAND}: "):
                actuator.unlock(lease())
        broker.start()
        with Listener(broker, COMMAND, STATE) as receiver:
            receiver.next(STATE)
            actuator.lock()
            assert content(receiver.next(COMMAND))["command"] == "lock"


def test_what_was_retained_is_back_after_a_broker_that_forgot_it(broker: RealBroker) -> None:
    with acting(broker, commands=False) as actuator:
        actuator.lock()
        for _ in range(2):
            with Listener(broker, "#") as listener:
                assert content(listener.next(STATE))["door"] == "locked"
            with Listener(broker, "#") as listener:
                listener.next(AVAILABILITY, lambda payload: payload == "online")
            with Listener(broker, "#") as listener:
                listener.next("homeassistant/lock/maskgate_door/lock/config")
            broker.kill()
            broker.start()


def test_the_state_stands_there_before_home_assistant_hears_of_the_lock(broker: RealBroker) -> None:
    with Listener(broker, "#") as listener, acting(broker, commands=False) as actuator:
        actuator.lock()
        listener.none_until(
            "homeassistant/lock/maskgate_door/lock/config", lambda message: message.topic == STATE
        )
        listener.none_until(
            "homeassistant/lock/maskgate_door/lock/config",
            lambda message: message.topic == AVAILABILITY,
        )


def test_everything_is_said_anew_when_home_assistant_starts(broker: RealBroker) -> None:
    discovery = "homeassistant/binary_sensor/maskgate_door/connected/config"
    with (
        Listener(broker, STATE, "homeassistant/#") as assistant,
        acting(broker, commands=False) as actuator,
    ):
        actuator.lock()
        assistant.next(discovery)
        for payload in ("offline", "", "ONLINE", "online"):
            assistant.say("homeassistant/status", payload)
        assistant.next(STATE)
        assistant.next(discovery)


def test_the_state_follows_what_the_door_was_told_and_what_is_seen(broker: RealBroker) -> None:
    with Listener(broker, STATE) as listener, acting(broker, commands=False) as actuator:
        said = []

        def heard() -> None:
            state = content(listener.next(STATE))
            said.append((state["door"], state["evidence"], state["reason"]))

        actuator.lock()
        listener.next(STATE)
        actuator.watch(result(Evidence.CLEAR, "1 face masked"))
        heard()
        actuator.unlock(lease())
        heard()
        actuator.unlock(lease())
        actuator.watch(result(Evidence.CLEAR, "another reason alone"))
        actuator.watch(result(Evidence.UNKNOWN, "no face"))
        heard()
        actuator.lock()
        heard()
    assert said == [
        ("locked", "clear", "1 face masked"),
        ("unlocked", "clear", "1 face masked"),
        ("unlocked", "unknown", "no face"),
        ("locked", "unknown", "no face"),
    ]


def test_a_door_that_could_not_be_unlocked_is_not_reported_unlocked(broker: RealBroker) -> None:
    with Listener(broker, STATE) as listener, acting(broker) as actuator:
        with pytest.raises(ActuatorError, match="nobody"):
            actuator.unlock(lease())
        actuator.watch(result(Evidence.CLEAR))
        state = listener.next(STATE, lambda payload: '"clear"' in payload)
        assert content(state)["door"] == "locked"


def test_at_the_end_nothing_is_certain_and_the_door_no_longer_available(
    broker: RealBroker,
) -> None:
    with Listener(broker, "maskgate/#") as listener:
        with acting(broker, commands=False) as actuator:
            actuator.lock()
            listener.next(AVAILABILITY, lambda payload: payload == "online")
            actuator.watch(result(Evidence.CLEAR))
            listener.next(STATE, lambda payload: '"clear"' in payload)
        assert content(listener.next(STATE))["reason"] == "the monitor has ended"
        listener.next(AVAILABILITY, lambda payload: payload == "offline")
    with Listener(broker, AVAILABILITY) as later:
        assert later.next(AVAILABILITY).payload == b"offline"


_MONITOR = """
import sys, threading
from monitor.actuators.lease import Lease
from monitor.actuators.mqtt import MqttActuator
actuator = MqttActuator("strike", host="127.0.0.1", port=int(sys.argv[1]), topic="maskgate/door")
try:
    actuator.lock()
except Exception as error:
    print(error)
threading.Event().wait()
"""


def test_the_last_will_says_that_a_killed_monitor_is_gone(broker: RealBroker) -> None:
    with Listener(broker, AVAILABILITY) as listener:
        monitor = subprocess.Popen([sys.executable, "-c", _MONITOR, str(broker.port)])
        try:
            listener.next(AVAILABILITY, lambda payload: payload == "online")
        finally:
            monitor.send_signal(signal.SIGKILL)
            monitor.wait()
        listener.next(AVAILABILITY, lambda payload: payload == "offline")
    with Listener(broker, AVAILABILITY) as later:
        assert later.next(AVAILABILITY).payload == b"offline"


def test_a_monitor_is_available_although_its_predecessor_was_cut_off_unnoticed(
    broker: RealBroker,
) -> None:
    # The broker still holds the connection of the first, whose last will must not come second.
    with Listener(broker, AVAILABILITY) as listener:
        predecessor = subprocess.Popen([sys.executable, "-c", _MONITOR, str(broker.port)])
        try:
            listener.next(AVAILABILITY, lambda payload: payload == "online")
            predecessor.send_signal(signal.SIGSTOP)
            with acting(broker, commands=False) as actuator:
                actuator.lock()
                listener.next(AVAILABILITY, lambda payload: payload == "offline")
                listener.next(AVAILABILITY, lambda payload: payload == "online")
        finally:
            predecessor.kill()
            predecessor.wait()


def passwords(folder: Path) -> list[str]:
    """Settings of a broker that lets in `door` with the password `s3cret` only."""
    file = folder / "passwords"
    subprocess.run(
        [program("mosquitto_passwd"), "-b", "-c", str(file), "door", "s3cret"],
        check=True,
        capture_output=True,
    )
    return ["allow_anonymous false", f"password_file {file}"]


def test_a_password_lets_in_and_a_wrong_one_is_refused_without_showing_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RealBroker(tmp_path, passwords(tmp_path)) as broker:
        right = {"username": "door", "password": SecretStr("s3cret")}
        with (
            Listener(broker, COMMAND, login=("door", "s3cret")) as receiver,
            acting(broker, **right) as actuator,
        ):
            actuator.lock()
            assert content(receiver.next(COMMAND))["command"] == "lock"
        wrong = {"username": "door", "password": SecretStr("wr0ng")}
        with (
            acting(broker, **wrong) as actuator,
            pytest.raises(ActuatorError, match="refused: Not authorized") as refusal,
        ):
            actuator.lock()
    shown = caplog.text + repr(refusal.value) + repr(vars(actuator))
    assert "s3cret" not in shown
    assert "wr0ng" not in shown


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and broker.pem and broker.key for 127.0.0.1 signed by it."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run(
            [program("openssl"), *words], cwd=folder, check=True, capture_output=True, timeout=60
        )

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        *("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=door CA")
    )
    openssl("req", *new_key, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=broker")
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1\n", "utf-8")
    openssl(
        *("x509", "-req", "-in", "broker.csr", "-out", "broker.pem", "-extfile", "names"),
        *("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
    )
    return folder


# paho leaves the socket of a handshake that fails to be closed with the object.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_tls_connects_to_a_broker_that_the_named_authority_vouches_for_and_to_no_other(
    tmp_path: Path, certificates: Path
) -> None:
    lines = [
        "allow_anonymous true",
        f"certfile {certificates / 'broker.pem'}",
        f"keyfile {certificates / 'broker.key'}",
    ]
    ca_file = str(certificates / "ca.pem")
    context = ssl.create_default_context(cafile=ca_file)
    with RealBroker(tmp_path, lines) as broker:
        with (
            Listener(broker, COMMAND, tls=context) as receiver,
            acting(broker, tls=True, ca_file=ca_file) as actuator,
        ):
            actuator.lock()
            receiver.next(COMMAND)
        with (
            acting(broker, tls=True) as actuator,
            pytest.raises(ActuatorError, match="certificate verify failed"),
        ):
            actuator.lock()
        with acting(broker) as actuator, pytest.raises(ActuatorError, match=str(broker.port)):
            actuator.lock()


def test_a_file_that_holds_no_certificates_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pem", Path(__file__)):
        with pytest.raises(ConfigError, match=f"strike: ca_file: {path}: .*expected certificates"):
            MqttActuator("strike", host="a", topic=TOPIC, tls=True, ca_file=str(path))


def test_what_the_broker_forbids_is_said_once_a_topic(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rights = tmp_path / "rights"
    rights.write_text(f"topic readwrite {STATE}\ntopic read #\n", "utf-8")
    lines = ["allow_anonymous true", f"acl_file {rights}"]
    with (
        RealBroker(tmp_path, lines) as broker,
        Listener(broker, "#") as listener,
        acting(broker) as actuator,
    ):
        with pytest.raises(ActuatorError, match=f"{COMMAND}: refused: Not authorized"):
            actuator.lock()
        for evidence in (Evidence.CLEAR, Evidence.VIOLATION):
            actuator.watch(result(evidence))
            listener.next(STATE, lambda payload, said=str(evidence): said in payload)  # type: ignore[misc]
    assert sum(f"{AVAILABILITY}: refused" in message for message in caplog.messages) == 1


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


def test_an_unlock_that_is_not_acknowledged_fails_and_is_not_sent_again() -> None:
    with (
        FakeBroker(CONNACK, hang_up=False) as broker,
        acting(broker.port, timeout_seconds=0.3, home_assistant=None) as actuator,
    ):
        with pytest.raises(ActuatorError, match=r"command: no answer for 0\.3 s"):
            actuator.unlock(lease())
        assert b'"unlock"' in broker.heard(0, lambda heard: b"command" in heard)
        broker.heard(1, bool)
        with pytest.raises(ActuatorError):
            actuator.lock()
        heard = broker.heard(1, lambda heard: STATE.encode() in heard)
        assert b'"unlock"' not in heard


@given(answer=st.binary(max_size=40), accepted=st.booleans(), hang_up=st.booleans())
@settings(max_examples=20)
@example(answer=b"", accepted=False, hang_up=True)
@example(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n", accepted=False, hang_up=False)
# A reason that does not exist, an answer to nothing, a packet without end, properties cut short.
@example(answer=bytes([0x20, 3, 0, 0x7F, 0]), accepted=False, hang_up=False)
@example(answer=bytes([0x40, 4, 0, 9, 0x42, 0]), accepted=True, hang_up=False)
@example(answer=bytes([0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0]), accepted=True, hang_up=False)
@example(answer=bytes([0x30, 6, 0, 1, 0xFF, 9, 0x11, 0]), accepted=True, hang_up=False)
@example(answer=bytes([0x90, 3, 0, 1, 0]), accepted=True, hang_up=True)
def test_whatever_a_broker_answers_a_command_ends_soon_and_only_as_an_actuator_error(
    answer: bytes, accepted: bool, hang_up: bool
) -> None:
    with (
        FakeBroker(CONNACK * accepted + answer, hang_up=hang_up) as broker,
        acting(broker.port, timeout_seconds=0.2) as actuator,
    ):
        began = time.monotonic()
        with pytest.raises(ActuatorError):
            actuator.unlock(lease())
        assert time.monotonic() - began < DEADLINE_SECONDS
