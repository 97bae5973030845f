"""Actuators: what is told to lock and unlock."""

from __future__ import annotations

from typing import Any, Protocol

from .command import CommandActuator
from .log import LogActuator

__all__ = ["Actuator", "CommandActuator", "LogActuator", "make"]


class Actuator(Protocol):
    """Something that moves a lock. Each call may block; a worker keeps it off the other threads.

    name: what it is called in messages.
    kind: which sort it is, as in the configuration.
    """

    name: str
    kind: str

    def lock(self) -> None:
        """Lock, whether locked already or not; raises ActuatorError unless it is certainly done."""

    def unlock(self) -> None:
        """Unlock; raises ActuatorError unless it is certainly done."""


def make(kind: str, **options: Any) -> Actuator:
    """The actuator of a kind, `log` or `command`, from the other keys of its checked section."""
    kinds: dict[str, type[Actuator]] = {"log": LogActuator, "command": CommandActuator}
    return kinds[kind](**options)
