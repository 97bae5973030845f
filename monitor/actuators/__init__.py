"""Actuators: what is told to lock and unlock."""

from __future__ import annotations

from .actuator import Actuator
from .command import CommandActuator
from .gpio import GpioActuator
from .log import LogActuator
from .sections import (
    ActuatorSection,
    CommandSection,
    GpioSection,
    LogSection,
    MqttSection,
    WebhookSection,
)
from .webhook import WebhookActuator

__all__ = ["Actuator", "make"]


def make(section: ActuatorSection, *, door_name: str, reports: bool = True) -> Actuator:
    """The actuator of a section.

    door_name: what the door is called in what is sent elsewhere.
    reports: whether the door is reported where that goes with the actuator; not beside a monitor
        that may be running and does.

    Raises ConfigError when the section asks for what this machine lacks.
    """
    match section:
        case LogSection():
            return LogActuator(section.name)
        case CommandSection():
            return CommandActuator(
                section.name,
                lock=section.lock,
                unlock=section.unlock,
                deny=section.deny,
                door_name=door_name,
                timeout_seconds=section.timeout_seconds,
            )
        case MqttSection():
            from .mqtt import MqttActuator  # here, because its library is an extra

            return MqttActuator(
                section.name,
                host=section.host,
                port=section.port,
                topic=section.topic,
                tls=section.tls,
                ca_file=section.ca_file,
                username=section.username,
                password=section.password_env or section.password_file,
                commands=section.commands,
                home_assistant=section.home_assistant,
                reports=reports,
                timeout_seconds=section.timeout_seconds,
            )
        case WebhookSection():
            return WebhookActuator(
                section.name,
                url=section.url,
                secret=section.secret,
                door_name=door_name,
                timeout_seconds=section.timeout_seconds,
                ca_file=section.ca_file,
            )
        case GpioSection():
            return GpioActuator(
                section.name,
                pin=section.pin,
                active_high=section.active_high,
                deny_pin=section.deny_pin,
                deny_seconds=section.deny_seconds,
            )
