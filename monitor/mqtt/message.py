"""A message on MQTT."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What is published, at least once (QoS 1).

    topic: where.
    payload: the text.
    retained: whether the broker keeps it for whoever subscribes later.
    lasts_seconds: how long the broker may keep it for a receiver that is away; None for ever.
    """

    topic: str
    payload: str
    retained: bool = False
    lasts_seconds: float | None = None
