"""Who gets in at a broker, and which broker is trusted."""

from __future__ import annotations

import logging
import ssl
import subprocess
from pathlib import Path

import pytest
from mqtt_broker import AVAILABILITY, COMMAND, STATE, TOPIC, Listener, RealBroker, program
from mqtt_door import acting, content, result
from pydantic import SecretStr

from monitor.actuators.mqtt import MqttActuator
from monitor.errors import ActuatorError, ConfigError
from monitor.evidence import Evidence


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
