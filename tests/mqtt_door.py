"""The actuator on MQTT of a door, and what it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from colours import CLASSES, picture
from mqtt_broker import TOPIC, RealBroker
from paho.mqtt.client import MQTTMessage

from monitor.actuators.lease import Lease
from monitor.actuators.mqtt import MqttActuator
from monitor.decision import Decision, Door
from monitor.detections import Detections
from monitor.evidence import Evidence
from monitor.frame import Frame
from monitor.result import Result


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
