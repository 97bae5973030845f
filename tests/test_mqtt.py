"""The actuator on MQTT: real commands, through a real broker that comes and goes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mqtt_broker import AVAILABILITY, COMMAND, STATE, TOPIC, Listener, RealBroker
from mqtt_door import acting, content, lease, result

from monitor.actuators import make
from monitor.actuators.mqtt import MqttActuator
from monitor.actuators.sections import MqttSection
from monitor.cli import main
from monitor.errors import ActuatorError, ConfigError
from monitor.evidence import Evidence


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


def test_an_unlock_that_is_not_wanted_any_more_once_there_is_a_connection_is_not_sent(
    broker: RealBroker,
) -> None:
    with Listener(broker, COMMAND, AVAILABILITY) as receiver, acting(broker) as actuator:
        online: list[object] = []

        def is_wanted() -> bool:
            # A bare face comes while it connects.
            online.append(receiver.next(AVAILABILITY, lambda payload: payload == "online"))
            return False

        actuator.is_wanted = is_wanted
        with pytest.raises(ActuatorError, match="command: not wanted any more"):
            actuator.unlock(lease())
        assert online
        actuator.lock()
        assert content(receiver.next(COMMAND))["command"] == "lock"


@pytest.mark.parametrize("set_back_seconds", [0, 3])
def test_the_sequence_goes_on_for_an_actuator_made_anew(
    broker: RealBroker, monkeypatch: pytest.MonkeyPatch, set_back_seconds: int
) -> None:
    with Listener(broker, COMMAND) as receiver:
        numbers = []
        now_ns = time.time_ns
        for set_back in (0, set_back_seconds):
            monkeypatch.setattr(time, "time", lambda back=set_back: now_ns() / 1e9 - back)
            monkeypatch.setattr(time, "time_ns", lambda back=set_back: now_ns() - back * 10**9)
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


@pytest.mark.parametrize(
    "fail",
    [
        # the lock that opened the door is gone, and nobody can lock it
        lambda actuator: actuator.lock(),
        # nor can it be known to be kept open
        lambda actuator: actuator.unlock(lease()),
    ],
    ids=["lock", "unlock"],
)
def test_a_door_that_may_not_have_heard_a_command_is_reported_unknown_until_it_hears_one(
    broker: RealBroker, fail: Callable[[MqttActuator], None]
) -> None:
    with Listener(broker, STATE) as listener, acting(broker) as actuator:
        with Listener(broker, COMMAND):
            actuator.unlock(lease())
        listener.next(STATE, lambda payload: '"unlocked"' in payload)
        with pytest.raises(ActuatorError, match="nobody"):
            fail(actuator)
        assert content(listener.next(STATE))["door"] == "unknown"
        actuator.watch(result(Evidence.VIOLATION))
        assert content(listener.next(STATE))["door"] == "unknown"
        with Listener(broker, COMMAND):
            actuator.lock()
        assert content(listener.next(STATE))["door"] == "locked"


def test_a_door_whose_last_command_failed_is_unknown_for_whoever_asks_after_the_end(
    broker: RealBroker,
) -> None:
    with acting(broker) as actuator:
        with Listener(broker, COMMAND):
            actuator.unlock(lease())
        with pytest.raises(ActuatorError, match="nobody"):
            actuator.lock()
    with Listener(broker, STATE) as later:
        state = content(later.next(STATE))
    assert (state["door"], state["reason"]) == ("unknown", "the monitor has ended")


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


def test_a_replayed_clip_locks_unlocks_and_reports(
    broker: RealBroker, clip: Callable[..., Path], tmp_path: Path, colour_model: None
) -> None:
    config = tmp_path / "door.yaml"
    config.write_text(
        "doors: [{name: front, actuators: [{kind: mqtt, name: lock, host: 127.0.0.1, "
        f"port: {broker.port}, topic: {TOPIC}}}]}}]",
        "utf-8",
    )
    played = clip("door", [("bare", 10), ("masked", 30)])
    with Listener(broker, COMMAND) as receiver, Listener(broker, STATE, AVAILABILITY) as listener:
        assert main(["replay", str(played), "--actuate", "--config", str(config)]) == 0
        commands = [content(receiver.next(COMMAND))["command"] for _ in range(3)]
        # only the newest state is reported: so short an unlock may come to an end before that
        listener.next(STATE, lambda payload: '"locked"' in payload)
        listener.next(AVAILABILITY, lambda payload: payload == "offline")
    assert commands == ["lock", "unlock", "lock"]


def test_a_check_beside_a_running_monitor_locks_and_leaves_connection_and_reports_to_that_one(
    broker: RealBroker,
    clip: Callable[..., Path],
    tmp_path: Path,
    colour_model: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = tmp_path / "door.yaml"
    config.write_text(
        f"doors: [{{name: front, source: {clip('door', [('bare', 3)])}, actuators: "
        f"[{{kind: mqtt, name: lock, host: 127.0.0.1, port: {broker.port}, topic: {TOPIC}}}]}}]",
        "utf-8",
    )
    with Listener(broker, "#") as listener, acting(broker, home_assistant=None) as actuator:
        actuator.unlock(lease())
        listener.next(STATE, lambda payload: '"unlocked"' in payload)
        assert main(["check", "--config", str(config)]) == 0
        listener.say("end", "")
        said = listener.until("end")
        # Its connection is still the one that it was.
        actuator.unlock(lease())
    (command,) = [payload for topic, payload in said if topic == COMMAND]
    assert json.loads(command)["command"] == "lock"
    # The running one may have given a sign of life meanwhile.
    assert all(payload == "online" for topic, payload in said if topic == AVAILABILITY)
    assert all('"unlocked"' in payload for topic, payload in said if topic == STATE)
    assert {topic for topic, _ in said} <= {COMMAND, AVAILABILITY, STATE}
    assert "connection lost" not in caplog.text
    assert "disconnected" not in caplog.text


def test_without_its_library_the_section_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    for name in ("monitor.actuators.mqtt", "monitor.mqtt.client", "monitor.mqtt.session"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    section = MqttSection(kind="mqtt", name="lock", host="localhost", topic=TOPIC)
    with pytest.raises(ConfigError, match=r"pip install '.\[mqtt\]'"):
        make(section, door_name="front")
