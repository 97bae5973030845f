"""Actuators: what is told to lock and unlock."""

from __future__ import annotations

from .actuator import Actuator
from .command import CommandActuator
from .log import LogActuator
from .sections import ActuatorSection, CommandSection, LogSection

__all__ = ["Actuator", "make"]


def make(section: ActuatorSection, *, door_name: str) -> Actuator:
    """The actuator of a section.

    door_name: what the door is called in what is sent elsewhere.

    Raises ConfigError when the section asks for what this machine lacks.
    """
    # A kind that needs a library of its own is imported in its case.
    match section:
        case LogSection():
            return LogActuator(section.name)
        case CommandSection():
            return CommandActuator(
                section.name,
                lock=section.lock,
                unlock=section.unlock,
                deny=section.deny,
                timeout_seconds=section.timeout_seconds,
            )
