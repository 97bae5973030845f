"""The reporter: what it says of a door, when, and in which order."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from mqtt_door import result

from monitor.decision import Door
from monitor.errors import ActuatorError
from monitor.evidence import Evidence
from monitor.mqtt.door import DoorTopics
from monitor.mqtt.message import Message
from monitor.mqtt.reporter import DoorReporter
from monitor.mqtt.session import RefusedError

DEADLINE_SECONDS = 20.0
TOPICS = DoorTopics("maskgate/door")
HELLO = Message("homeassistant/lock/maskgate_door/lock/config", "{}", retained=True)


class FakeBroker:
    """Remembers what is published, and refuses or fails when told to."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.error: ActuatorError | None = None
        self.held = threading.Event()
        self.held.set()
        self._changed = threading.Condition()

    def publish(self, message: Message) -> bool:
        assert self.held.wait(DEADLINE_SECONDS)
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()
        if self.error:
            raise self.error
        return True

    def wait(self, ready: Callable[[list[Message]], bool]) -> None:
        """Return once the messages fulfil a condition; fails when they never do."""
        with self._changed:
            assert self._changed.wait_for(lambda: ready(self.messages), DEADLINE_SECONDS), (
                self.messages
            )

    def states(self) -> list[tuple[str, str]]:
        """What was said of the door, in order: door and evidence."""
        states = [json.loads(m.payload) for m in self.messages if m.topic == TOPICS.state]
        return [(state["door"], state["evidence"]) for state in states]


@contextmanager
def reporting(broker: FakeBroker, heartbeat_seconds: float = 60.0) -> Iterator[DoorReporter]:
    """A started reporter, closed at the end."""
    reporter = DoorReporter(
        broker.publish, TOPICS, introduction=[HELLO], heartbeat_seconds=heartbeat_seconds
    )
    reporter.start()
    try:
        yield reporter
    finally:
        broker.held.set()
        reporter.close(DEADLINE_SECONDS)


def test_everything_anew_is_first_the_state_then_availability_then_the_introduction() -> None:
    broker = FakeBroker()
    with reporting(broker) as reporter:
        reporter.renew()
        broker.wait(lambda messages: HELLO in messages)
        assert [message.topic for message in broker.messages] == [
            TOPICS.state,
            TOPICS.availability,
            HELLO.topic,
        ]
        assert broker.states() == [("locked", "unknown")]


class InBetween(threading.Event):
    """An event that is set just after somebody has looked for the first time."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = [then]

    def is_set(self) -> bool:
        found = super().is_set()
        while self._then:
            self._then.pop()()
        return found


def test_a_wish_for_everything_anew_is_not_lost_when_it_comes_while_one_is_looked_for() -> None:
    broker = FakeBroker()
    with reporting(broker) as reporter:
        reporter._anew = InBetween(reporter.renew)
        reporter.move(Door.UNLOCKED)
        broker.wait(lambda messages: HELLO in messages)


def test_a_heartbeat_says_the_same_again_without_the_introduction() -> None:
    broker = FakeBroker()
    with reporting(broker, heartbeat_seconds=0.02):
        broker.wait(lambda messages: len(messages) >= 6)
    assert HELLO not in broker.messages
    assert set(broker.states()) == {("locked", "unknown")}


def test_evidence_is_unknown_when_nothing_is_decided_for_a_heartbeat() -> None:
    broker = FakeBroker()
    with reporting(broker, heartbeat_seconds=0.2) as reporter:
        reporter.move(Door.UNLOCKED)
        reporter.watch(result(Evidence.CLEAR))
        broker.wait(lambda _: ("unlocked", "clear") in broker.states())
        broker.wait(lambda _: broker.states()[-1] == ("unlocked", "unknown"))


def test_a_broker_that_hangs_delays_nobody_and_then_hears_the_newest_only() -> None:
    broker = FakeBroker()
    broker.held.clear()
    with reporting(broker) as reporter:
        for _ in range(100):
            reporter.watch(result(Evidence.CLEAR))
            reporter.watch(result(Evidence.VIOLATION))
        broker.held.set()
        broker.wait(lambda _: ("locked", "violation") in broker.states())
    assert len(broker.states()) <= 3


def test_a_refusal_is_logged_once_a_topic_and_a_lost_connection_never(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = FakeBroker()
    with reporting(broker) as reporter:
        for error in (RefusedError("not authorized"), ActuatorError("connection lost")):
            broker.error = error
            for evidence in (Evidence.CLEAR, Evidence.VIOLATION):
                reporter.watch(result(evidence))
                said = ("locked", str(evidence))
                broker.wait(lambda _, said=said: broker.states()[-1:] == [said])  # type: ignore[misc]
    assert caplog.messages == ["not authorized"] * 2  # of the state, and of the availability
