"""MQTT where things go wrong: brokers that vanish, forget, hang or babble; killed monitors."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mqtt_broker import (
    AVAILABILITY,
    COMMAND,
    CONNACK,
    DEADLINE_SECONDS,
    STATE,
    FakeBroker,
    Listener,
    RealBroker,
)
from mqtt_door import acting, content, lease

from monitor.errors import ActuatorError


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
