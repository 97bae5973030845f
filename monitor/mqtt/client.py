"""The connection to an MQTT broker that comes back by itself, and never delivers late."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

from ..errors import ActuatorError
from .message import Message
from .session import Broker, MqttSession

_log = logging.getLogger("monitor.mqtt")

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0


class MqttClient:
    """Holds a session on its own thread, and begins another when it ends.

    Waits between sessions grow and are uneven. What one session could not send is never left to the
    next, so nothing that was meant for a moment of the past comes through when a broker is back.

    broker: where to connect.
    will: what the broker publishes when a connection ends, in whatever way; None for nothing.
    subscriptions: topics to hear from.
    on_connected: called after each connection on the client's thread; must return at once.
    on_message: called with topic and payload on the client's thread; must return at once.
    first_wait_seconds: wait before connecting again; doubled each time, up to 30 s.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        will: Message | None,
        subscriptions: Sequence[str] = (),
        on_connected: Callable[[], None] = lambda: None,
        on_message: Callable[[str, bytes], None] = lambda topic, payload: None,
        first_wait_seconds: float = _FIRST_WAIT_SECONDS,
    ) -> None:
        self._broker = broker
        self._will = will
        self._subscriptions = subscriptions
        self._on_connected = on_connected
        self._on_message = on_message
        self._first_wait_seconds = first_wait_seconds
        self._session: MqttSession | None = None
        self._problem: str | None = None
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._hold, name=f"mqtt {broker.client_id}", daemon=True
        )

    def start(self) -> None:
        """Start connecting."""
        self._thread.start()

    def publish(self, message: Message, *, is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Send a message and wait for the acknowledgement.

        Waits for the first connection; afterwards, without a connection, it fails at once.

        is_wanted: asked after that wait whether the message still is to be sent.

        Returns False when the broker says that nobody is subscribed to the topic, else True.
        Raises RefusedError when the broker refuses it, and ActuatorError unless it acknowledges in
        time, or when it is not wanted any more.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._session or self._problem, self._broker.timeout_seconds
            )
            session = self._session
        if session is None:
            problem = self._problem or f"no answer for {self._broker.timeout_seconds:g} s"
            raise ActuatorError(f"{self._broker}: {message.topic}: {problem}")
        if not is_wanted():
            raise ActuatorError(f"{self._broker}: {message.topic}: not wanted any more")
        return session.publish(message)

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Disconnect, upon which the broker publishes the last will, and end the thread.

        timeout_seconds: how long to wait; a thread that hangs longer is left behind.
        """
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _hold(self) -> None:
        failures = 0
        while not self._closing.is_set():
            began = time.monotonic()
            problem = MqttSession(
                self._broker,
                will=self._will,
                subscriptions=self._subscriptions,
                on_accepted=self._accept,
                on_message=self._on_message,
            ).run(self._closing)
            self._lose(problem)
            # Not anew after each connection: of two monitors with one name each ends the other's.
            lasted_seconds = time.monotonic() - began
            failures = 0 if lasted_seconds > _LONGEST_WAIT_SECONDS else failures + 1
            self._closing.wait(self._wait_seconds(failures))

    def _wait_seconds(self, failures: int) -> float:
        # The power has a bound of its own: a float ends at 2 ** 1024, a broker may be gone longer.
        longest = self._first_wait_seconds * 2.0 ** min(failures, 30)
        longest = min(longest, _LONGEST_WAIT_SECONDS)
        # Uneven, so that many doors do not come back to a restarted broker all at once.
        return random.uniform(longest / 2, longest)

    def _accept(self, session: MqttSession) -> None:
        with self._changed:
            self._session = session
            self._problem = None
            self._changed.notify_all()
        _log.info("%s: connected", self._broker)
        self._on_connected()

    def _lose(self, problem: str) -> None:
        with self._changed:
            known = self._problem == problem
            self._session = None
            self._problem = problem
            self._changed.notify_all()
        if not known and not self._closing.is_set():
            _log.warning("%s: %s; connecting again", self._broker, problem)
