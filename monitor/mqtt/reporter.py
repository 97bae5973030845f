"""The reporter: tells a broker how a door is doing, on its own thread."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence

from ..channel import Channel, Closed
from ..decision import Decision, Door
from ..errors import ActuatorError
from ..evidence import Evidence
from ..result import Result
from .door import ONLINE, DoorState, DoorTopics
from .message import Message
from .session import RefusedError

_log = logging.getLogger("monitor.mqtt")

HEARTBEAT_SECONDS = 10.0


class DoorReporter:
    """Publishes the state of a door when it changes, and at every heartbeat.

    publish: sends a message and waits for its acknowledgement; raises ActuatorError.
    topics: of the door.
    introduction: messages that come after the state and the availability in everything anew.
    heartbeat_seconds: how often an unchanged state is said again. When no result has come for so
        long, the evidence is unknown.
    """

    def __init__(
        self,
        publish: Callable[[Message], object],
        topics: DoorTopics,
        *,
        introduction: Sequence[Message] = (),
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._publish = publish
        self._topics = topics
        self._introduction = introduction
        self._heartbeat_seconds = heartbeat_seconds
        self._door: Door | None = Door.LOCKED
        self._decided: tuple[Decision | None, float] = (None, time.monotonic())
        # What is new stands in the fields above and in `_anew`; the channel only says that there
        # is something.
        self._news: Channel[None] = Channel(1, overwrite=True)
        self._anew = threading.Event()
        self._refused: dict[str, str] = {}
        self._thread = threading.Thread(
            target=self._report, name=f"reporter {topics.base}", daemon=True
        )

    def start(self) -> None:
        """Start the thread; what is so from the start is published by `renew`."""
        self._thread.start()

    def watch(self, result: Result) -> None:
        """Take note of a result; returns at once."""
        self._decided = (result.decision, time.monotonic())
        self._wake()

    def move(self, door: Door | None) -> None:
        """Take note of what the door was told to be; returns at once.

        door: None where it may not have heard that.
        """
        self._door = door
        self._wake()

    def renew(self) -> None:
        """Publish everything anew, as after each connection; returns at once."""
        self._anew.set()
        self._wake()

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Report for the last time, and end the thread.

        timeout_seconds: how long to wait; a thread that hangs longer is left behind.
        """
        self._news.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def _wake(self) -> None:
        with contextlib.suppress(Closed):
            self._news.put(None)

    def _report(self) -> None:
        reported = self._state()
        due_at = time.monotonic() + self._heartbeat_seconds
        while True:
            try:
                self._news.get(max(due_at - time.monotonic(), 0.0))
            except TimeoutError:
                pass
            except Closed:
                ended = DoorState(self._door, Evidence.UNKNOWN, 0, "the monitor has ended")
                self._say([self._topics.reporting(ended)])
                return
            anew = self._anew.is_set()
            if anew:
                # Only what was seen: a `renew` that comes just now has a round of its own.
                self._anew.clear()
            state = self._state()
            if not anew and state == reported and time.monotonic() < due_at:
                continue
            # The state first: Home Assistant takes a lock without a retained state for unlocked.
            messages = [self._topics.reporting(state), self._topics.available(ONLINE)]
            self._say([*messages, *(self._introduction if anew else ())])
            reported = state
            due_at = time.monotonic() + self._heartbeat_seconds

    def _state(self) -> DoorState:
        decision, decided_at = self._decided
        silent_seconds = time.monotonic() - decided_at
        if decision is None or silent_seconds >= self._heartbeat_seconds:
            reason = f"nothing decided for {silent_seconds:.0f} s"
            return DoorState(self._door, Evidence.UNKNOWN, 0, reason)
        return DoorState(self._door, decision.evidence, len(decision.faces), decision.reason)

    def _say(self, messages: Sequence[Message]) -> None:
        for message in messages:
            try:
                self._publish(message)
            except RefusedError as error:
                if self._refused.get(message.topic) != str(error):
                    _log.warning("%s", error)
                self._refused[message.topic] = str(error)
            except ActuatorError:
                return  # without a connection, of which the client says why; it will say `renew`
