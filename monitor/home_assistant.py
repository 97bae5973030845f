"""What Home Assistant is told, so that a door appears there by itself."""

from __future__ import annotations

import json
from typing import Any

from . import __version__
from .decision import Door
from .evidence import Evidence
from .mqtt.door import OFFLINE, ONLINE, UNCERTAIN, DoorTopics
from .mqtt.message import Message

# Some heartbeats may be lost before a value counts as unknown.
_EXPIRE_AFTER_SECONDS = 60


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says that it has started; it then wants everything said anew.

    prefix: its discovery prefix, `homeassistant` unless it was changed there.
    """
    return f"{prefix}/status"


def is_birth(payload: bytes) -> bool:
    """Whether a message under the birth topic says that Home Assistant has started."""
    return payload == b"online"


def discovery(topics: DoorTopics, prefix: str) -> list[Message]:
    """The messages that make a lock and its sensors appear; retained.

    topics: of the door.
    prefix: see `birth_topic`.
    """
    return [
        _config(topics, prefix, "lock", "lock", _lock(topics)),
        _config(topics, prefix, "sensor", "faces", _faces(topics)),
        _config(topics, prefix, "sensor", "evidence", _evidence(topics)),
        _config(topics, prefix, "binary_sensor", "connected", _connected(topics)),
    ]


def _config(
    topics: DoorTopics, prefix: str, platform: str, name: str, entity: dict[str, Any]
) -> Message:
    entity_name = topics.slug if name == platform else f"{topics.slug}_{name}"
    content = {
        "name": None if name == platform else name.capitalize(),
        "unique_id": f"{topics.slug}_{name}",
        "default_entity_id": f"{platform}.{entity_name}",
        "qos": 1,
        **entity,
        "device": {
            "identifiers": [topics.slug],
            "name": topics.slug.replace("_", " ").capitalize(),
            "manufacturer": "maskgate",
            "model": "Camera at a door",
            "sw_version": __version__,
        },
        "origin": {"name": "maskgate", "sw_version": __version__},
    }
    topic = f"{prefix}/{platform}/{topics.slug}/{name}/config"
    return Message(topic, json.dumps(content), retained=True)


def _lock(topics: DoorTopics) -> dict[str, Any]:
    return {
        "state_topic": topics.state,
        "value_template": "{{ value_json.door }}",
        "state_locked": str(Door.LOCKED),
        "state_unlocked": str(Door.UNLOCKED),
        # It then shows neither of the two, but that the state is unknown.
        "payload_reset": UNCERTAIN,
        "json_attributes_topic": topics.state,
        # Home Assistant has no lock without a topic for commands. Nobody listens to this one: its
        # buttons do nothing, and without optimism they do not seem to either.
        "command_topic": topics.ignored,
        "optimistic": False,
        **_availability(topics),
    }


def _faces(topics: DoorTopics) -> dict[str, Any]:
    return {
        "state_topic": topics.state,
        "value_template": "{{ value_json.faces }}",
        "state_class": "measurement",
        "icon": "mdi:account-group",
        "expire_after": _EXPIRE_AFTER_SECONDS,
        **_availability(topics),
    }


def _evidence(topics: DoorTopics) -> dict[str, Any]:
    return {
        "state_topic": topics.state,
        "value_template": "{{ value_json.evidence }}",
        "device_class": "enum",
        "options": [str(evidence) for evidence in Evidence],
        "icon": "mdi:face-mask",
        "expire_after": _EXPIRE_AFTER_SECONDS,
        **_availability(topics),
    }


def _connected(topics: DoorTopics) -> dict[str, Any]:
    return {
        "state_topic": topics.availability,
        "payload_on": ONLINE,
        "payload_off": OFFLINE,
        "device_class": "connectivity",
        "entity_category": "diagnostic",
    }


def _availability(topics: DoorTopics) -> dict[str, Any]:
    return {
        "availability_topic": topics.availability,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
    }
