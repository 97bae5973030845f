"""Sections of the configuration for what is told to lock and unlock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from ..fields import Arguments, Text, Topic
from ..schema import Section
from ..secret import EnvSecret, FileSecret, unless


class _Pulsed(Section):
    """What every actuator has.

    pulse_seconds: lock this long after each unlock; None to stay unlocked as long as leases come.
    """

    pulse_seconds: float | None = Field(default=None, ge=0.05, le=60)


class LogSection(_Pulsed):
    """An actuator that writes a line to the log for every change."""

    kind: Literal["log"] = "log"
    name: Text = "log"


class CommandSection(_Pulsed):
    """An actuator that runs a command, see `monitor.actuators.command`."""

    kind: Literal["command"]
    name: Text
    lock: Arguments
    unlock: Arguments
    deny: Arguments | None = None
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)


class MqttSection(_Pulsed):
    """An actuator that sends commands over MQTT and reports there, see `monitor.actuators.mqtt`.

    password_env, password_file: where the password is found; at most one of them.
    home_assistant: discovery prefix of Home Assistant; None to leave it alone.
    """

    kind: Literal["mqtt"]
    name: Text
    host: Text
    port: int = Field(default=1883, ge=1, le=65535)
    topic: Topic
    tls: bool = False
    ca_file: Text | None = None
    username: Text | None = None
    password_env: EnvSecret | None = None
    password_file: Annotated[FileSecret | None, unless("password_env")] = None
    commands: bool = True
    home_assistant: Topic | None = "homeassistant"
    timeout_seconds: float = Field(default=2.0, gt=0, le=60)

    @field_validator("ca_file")
    @classmethod
    def _only_with_tls(cls, ca_file: str | None, info: ValidationInfo) -> str | None:
        if ca_file and info.data.get("tls") is False:
            raise ValueError("tls: true beside it")
        return ca_file


ActuatorSection = Annotated[LogSection | CommandSection | MqttSection, Field(discriminator="kind")]
