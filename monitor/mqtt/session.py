"""One connection to an MQTT broker, from connecting to its end."""

from __future__ import annotations

import contextlib
import math
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from ..errors import ActuatorError, ConfigError
from .message import Message

try:
    from paho.mqtt.client import Client, DisconnectFlags, MQTTMessage
    from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode
except ImportError:
    raise ConfigError(
        "mqtt: paho-mqtt not found; expected pip install '.[mqtt]' in the source folder"
    ) from None

# A broker that is cut off notices after one and a half of these, and sends the last will.
_KEEPALIVE_SECONDS = 10
_LOOP_SECONDS = 0.25
_AT_LEAST_ONCE = 1
_NO_SUBSCRIBER = 0x10


class RefusedError(ActuatorError):
    """The broker does not let this client publish under a topic."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker, and who connects to it.

    client_id: the same at every start, so that the broker ends a predecessor's connection, and
        sends its last will, before it accepts the next one.
    username, password: None where the broker asks for none.
    tls: None for a connection without TLS.
    timeout_seconds: how long connecting and each answer may take.
    """

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: SecretStr | None = None
    tls: ssl.SSLContext | None = None
    timeout_seconds: float = 2.0

    def __str__(self) -> str:
        return f"mqtt broker {self.host}:{self.port}"


class MqttSession:
    """A connection on which to publish; once it has ended there is no other with what it held.

    broker: where to connect.
    will: what the broker publishes when the connection ends, in whatever way; None for nothing.
    subscriptions: topics to hear from.
    on_accepted: called with the session on the thread of `run` when the broker has accepted it;
        must return at once.
    on_message: called with topic and payload on the thread of `run`; must return at once.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        will: Message | None,
        subscriptions: Sequence[str],
        on_accepted: Callable[[MqttSession], None],
        on_message: Callable[[str, bytes], None],
    ) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._tell_accepted = on_accepted
        self._tell_message = on_message
        self._silence = f"no answer for {broker.timeout_seconds:g} s"
        self._answers: dict[int, ReasonCode] = {}
        self._problem: str | None = None
        self._accepted = False
        self._changed = threading.Condition()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = broker.timeout_seconds
        password = broker.password.get_secret_value() if broker.password else None
        self._client.username_pw_set(broker.username, password)
        if will:
            self._client.will_set(will.topic, will.payload, _AT_LEAST_ONCE, will.retained)
        if broker.tls:
            self._client.tls_set_context(broker.tls)

    def run(self, stop: threading.Event) -> str:
        """Connect, and stay connected until told to stop; returns why the connection ended."""
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        # With a handler for this the thread of `run` alone writes: nothing in paho keeps two
        # threads that write from mixing up their packets.
        client.on_socket_register_write = lambda *_: None
        try:
            client.connect(
                self._broker.host, self._broker.port, _KEEPALIVE_SECONDS, clean_start=True
            )
            self._serve(stop)
        except Exception as error:
            # A broker may answer anything, and paho has no exception of its own for that.
            self._end(_text_of(error))
        self._end("connection lost")
        self._let_go()
        return self._problem or ""

    def publish(self, message: Message) -> bool:
        """Send a message and wait for the acknowledgement.

        Returns False when the broker says that nobody is subscribed to the topic, else True.
        Raises RefusedError when the broker refuses it, and ActuatorError unless it acknowledges in
        time: then the message may still be on its way, and the session ends.
        """
        if self._problem:
            raise ActuatorError(f"{self._broker}: {message.topic}: {self._problem}")
        number = self._client.publish(
            message.topic,
            message.payload,
            _AT_LEAST_ONCE,
            message.retained,
            _expiring(message.lasts_seconds),
        ).mid
        with self._changed:
            self._changed.wait_for(
                lambda: number in self._answers or self._problem, self._broker.timeout_seconds
            )
            answer = self._answers.pop(number, None)
        if answer is None:
            self._end(self._silence)
            raise ActuatorError(f"{self._broker}: {message.topic}: {self._problem}")
        if answer.is_failure:
            raise RefusedError(f"{self._broker}: {message.topic}: refused: {answer}")
        return bool(answer.value != _NO_SUBSCRIBER)

    def _serve(self, stop: threading.Event) -> None:
        accept_until = time.monotonic() + self._broker.timeout_seconds
        while self._problem is None and not stop.is_set():
            if self._client.loop(_LOOP_SECONDS) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if not self._accepted and time.monotonic() > accept_until:
                self._end(self._silence)
        if stop.is_set():
            self._disconnect()

    def _disconnect(self) -> None:
        until = time.monotonic() + self._broker.timeout_seconds
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        while self._client.socket() and time.monotonic() < until:
            if self._client.loop(_LOOP_SECONDS) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return

    def _end(self, problem: str) -> None:
        """Note why the session is over; the first reason counts."""
        with self._changed:
            self._problem = self._problem or problem
            self._changed.notify_all()

    def _let_go(self) -> None:
        """Close the socket, and leave no cycle of references to the client, which it would keep."""
        with contextlib.suppress(OSError):
            if socket := self._client.socket():
                socket.close()
        self._client.on_connect = self._client.on_disconnect = None
        self._client.on_publish = self._client.on_message = None

    def _on_connect(
        self, client: object, data: object, flags: object, reason: ReasonCode, more: object
    ) -> None:
        if reason.is_failure:
            self._end(f"refused: {reason}")
            return
        for topic in self._subscriptions:
            self._client.subscribe(topic, _AT_LEAST_ONCE)
        self._accepted = True
        self._tell_accepted(self)

    def _on_disconnect(
        self, client: object, data: object, flags: DisconnectFlags, reason: ReasonCode, more: object
    ) -> None:
        said = flags.is_disconnect_packet_from_server
        self._end(f"disconnected: {reason}" if said else "connection lost")

    def _on_publish(
        self, client: object, data: object, number: int, reason: ReasonCode, more: object
    ) -> None:
        with self._changed:
            self._answers[number] = reason
            self._changed.notify_all()

    def _on_message(self, client: object, data: object, message: MQTTMessage) -> None:
        self._tell_message(message.topic, bytes(message.payload))


def _expiring(lasts_seconds: float | None) -> Properties | None:
    if lasts_seconds is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = max(math.ceil(lasts_seconds), 1)
    return properties


def _text_of(error: Exception) -> str:
    """The reason of an error, without its number."""
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or str(error) or type(error).__name__
