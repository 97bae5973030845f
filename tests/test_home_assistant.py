"""Home Assistant: what makes a door appear there, and the examples that use it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.decision import Door
from monitor.evidence import Evidence
from monitor.home_assistant import birth_topic, discovery, is_birth
from monitor.mqtt.door import OFFLINE, ONLINE, DoorState, DoorTopics

TOPICS = DoorTopics("maskgate/door")
EXAMPLES = Path(__file__).parent.parent / "deploy" / "home-assistant"


def entities(topics: DoorTopics = TOPICS) -> dict[str, dict[str, Any]]:
    """What is discovered, by the id of the entity."""
    found = [json.loads(message.payload) for message in discovery(topics, "homeassistant")]
    return {entity["default_entity_id"]: entity for entity in found}


def test_a_lock_two_sensors_and_the_connection_appear_as_one_device() -> None:
    assert list(entities()) == [
        "lock.maskgate_door",
        "sensor.maskgate_door_faces",
        "sensor.maskgate_door_evidence",
        "binary_sensor.maskgate_door_connected",
    ]
    assert len({json.dumps(entity["device"]) for entity in entities().values()}) == 1
    assert len({entity["unique_id"] for entity in entities().values()}) == 4


def test_the_configuration_stands_under_the_prefix_and_is_retained() -> None:
    messages = discovery(TOPICS, "rooms/homeassistant")
    assert [message.topic for message in messages] == [
        "rooms/homeassistant/lock/maskgate_door/lock/config",
        "rooms/homeassistant/sensor/maskgate_door/faces/config",
        "rooms/homeassistant/sensor/maskgate_door/evidence/config",
        "rooms/homeassistant/binary_sensor/maskgate_door/connected/config",
    ]
    assert all(message.retained for message in messages)


def test_no_entity_of_one_door_is_an_entity_of_another() -> None:
    other = entities(DoorTopics("maskgate/back"))
    assert not entities().keys() & other.keys()
    ids = [entity["unique_id"] for entity in (*entities().values(), *other.values())]
    assert len(set(ids)) == 8


def test_no_entity_can_send_a_command_to_the_lock() -> None:
    for entity in entities().values():
        values = json.dumps(entity)
        assert TOPICS.command not in values
        assert "payload_unlock" not in values
    assert entities()["lock.maskgate_door"]["command_topic"] == "maskgate/door/ignored"
    assert entities()["lock.maskgate_door"]["optimistic"] is False


def rendered(entity: dict[str, Any], state: DoorState) -> str:
    """What Home Assistant makes of a state: the templates here name one value each."""
    name = re.fullmatch(r"{{ value_json\.(\w+) }}", entity["value_template"])
    assert name
    return str(json.loads(TOPICS.reporting(state).payload)[name[1]])


def test_every_state_of_a_door_is_one_that_the_entities_know() -> None:
    lock, faces, evidence, _ = entities().values()
    known = {lock["state_locked"], lock["state_unlocked"], lock["payload_reset"]}
    assert len(known) == 3
    for door in (*Door, None):
        for seen in Evidence:
            state = DoorState(door, seen, 3, "a reason")
            assert rendered(lock, state) in known
            assert rendered(evidence, state) in evidence["options"]
            assert rendered(faces, state) == "3"
    state = DoorState(Door.LOCKED, Evidence.UNKNOWN, 0, "no face")
    assert rendered(lock, state) == lock["state_locked"]
    # What may not have been heard is neither locked nor unlocked.
    assert rendered(lock, replace(state, door=None)) == lock["payload_reset"]


def test_every_entity_but_the_connection_itself_is_unavailable_without_a_connection() -> None:
    *others, connected = entities().values()
    for entity in others:
        assert entity["availability_topic"] == TOPICS.availability
        assert (entity["payload_available"], entity["payload_not_available"]) == (ONLINE, OFFLINE)
    assert connected["state_topic"] == TOPICS.availability
    assert (connected["payload_on"], connected["payload_off"]) == (ONLINE, OFFLINE)


def test_home_assistant_is_born_when_it_says_so() -> None:
    assert birth_topic("homeassistant") == "homeassistant/status"
    assert [is_birth(payload) for payload in (b"online", b"offline", b"", b"\xff")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("name", ["automations.yaml", "card.yaml"])
def test_an_example_uses_only_entities_that_are_discovered(name: str) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    assert yaml.safe_load(text)
    used = set(re.findall(r"\b(?:lock|sensor|binary_sensor)\.\w+", text))
    assert used
    assert used <= entities().keys()


def test_no_example_commands_a_lock() -> None:
    for path in EXAMPLES.glob("*.yaml"):
        assert not re.search(r"\block\.(un)?lock\b|mqtt\.publish", path.read_text("utf-8"))
