"""The actuator that sends commands to a lock on MQTT, and reports how the door is doing."""

from __future__ import annotations

import time

from pydantic import SecretStr

from ..decision import Door
from ..errors import ActuatorError
from ..home_assistant import birth_topic, discovery, is_birth
from ..mqtt.client import MqttClient
from ..mqtt.door import OFFLINE, DoorTopics
from ..mqtt.message import Message
from ..mqtt.reporter import DoorReporter
from ..mqtt.session import Broker
from ..result import Result
from ..tls import trusting
from .actuator import Actuator
from .lease import Lease
from .timestamp import TIMESTAMPS

# A command to lock is right at any time, but a receiver that was away for long has locked by then.
_LOCK_LASTS_SECONDS = 3600.0


class MqttActuator(Actuator):
    """Publishes each command once, to be obeyed at once or never, and waits until it has arrived.

    The receiver at the lock subscribes to TOPIC/command. It refuses a command whose `expires_at`
    has passed or whose `sequence` is not above the last one's, and locks by itself at the
    `expires_at` of the last unlock that it obeyed.

    name: what it is called in messages.
    host, port: of the broker.
    topic: above all topics of this door.
    tls: whether to connect with TLS.
    ca_file: certificates that the broker's must be signed by; None for those of the system.
    username, password: as whom to connect; None where the broker asks for none.
    commands: whether to send commands; if not, the door is only reported.
    home_assistant: discovery prefix of Home Assistant; None to leave it alone.
    reports: whether this is what the door is reported by. Without, it connects under another name,
        and neither reports nor ends the connection of a monitor that does.
    timeout_seconds: how long the broker's answer may take.

    Raises ConfigError when `ca_file` holds no certificates.
    """

    kind = "mqtt"
    renews = True

    def __init__(
        self,
        name: str,
        *,
        host: str,
        port: int = 1883,
        topic: str,
        tls: bool = False,
        ca_file: str | None = None,
        username: str | None = None,
        password: SecretStr | None = None,
        commands: bool = True,
        home_assistant: str | None = "homeassistant",
        reports: bool = True,
        timeout_seconds: float = 2.0,
    ) -> None:
        super().__init__(name)
        self._commands = commands
        self._topics = DoorTopics(topic)
        self._started = False
        told_of = home_assistant if reports else None
        broker = Broker(
            host,
            port,
            # No slug has a hyphen: it is the name of no other door's.
            client_id=self._topics.slug if reports else f"{self._topics.slug}-check",
            username=username,
            password=password,
            tls=trusting(ca_file, f"actuator {name}") if tls else None,
            timeout_seconds=timeout_seconds,
        )
        self._client = MqttClient(
            broker,
            will=self._topics.available(OFFLINE) if reports else None,
            subscriptions=[birth_topic(told_of)] if told_of else [],
            on_connected=lambda: self._reporter.renew(),
            on_message=self._hear,
        )
        self._reporter = DoorReporter(
            self._client.publish if reports else _say_nothing,
            self._topics,
            introduction=discovery(self._topics, told_of) if told_of else [],
        )

    def lock(self) -> None:
        """Send the command to lock; raises ActuatorError unless a receiver is there to get it."""
        self._command(Door.LOCKED, _LOCK_LASTS_SECONDS)

    def unlock(self, lease: Lease) -> None:
        """Send the command to unlock; raises ActuatorError unless a receiver is there to get it.

        The same is raised when it is not wanted any more before there is a connection.
        """
        self._command(Door.UNLOCKED, lease.expires_at - time.monotonic())

    def watch(self, result: Result) -> None:
        """Report what became of a frame; returns at once."""
        self._reporter.watch(result)

    def close(self) -> None:
        """Report a last time, then that nothing is reported any more, and end the connection."""
        self._reporter.close()
        self._client.close()

    def _command(self, door: Door, lasts_seconds: float) -> None:
        if not self._started:
            self._started = True
            self._reporter.start()
            self._client.start()
        try:
            if self._commands:
                self._send(door, lasts_seconds)
        except ActuatorError:
            # What it was told before holds no more, and what it has heard of this nobody knows.
            self._reporter.move(None)
            raise
        self._reporter.move(door)

    def _send(self, door: Door, lasts_seconds: float) -> None:
        # Of the clock, so that a monitor that was started anew goes on above its predecessor.
        sequence = TIMESTAMPS.next_ms()
        message = self._topics.commanding(
            door, sequence=sequence, now=time.time(), lasts_seconds=lasts_seconds
        )
        wanted = self.is_wanted if door is Door.UNLOCKED else lambda: True
        if not self._client.publish(message, is_wanted=wanted):
            raise ActuatorError(
                f"actuator {self.name}: nobody found subscribed to {message.topic}, expected a lock"
            )

    def _hear(self, topic: str, payload: bytes) -> None:
        if is_birth(payload):
            self._reporter.renew()


def _say_nothing(message: Message) -> None:
    """Publish no report."""
