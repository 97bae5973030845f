"""Sections of the configuration for what is told to lock and unlock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from ..fields import Arguments, Text, Topic, WebAddress
from ..schema import Section, Unshown
from ..secret import EnvSecret, FileSecret, unless

Pin = Annotated[int, Field(ge=0, le=53)]


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

    password_env, password_file: where the username's password is found; at most one of them.
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

    @field_validator("password_env", "password_file")
    @classmethod
    def _of_somebody(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # paho sends no password without a username, and says nothing of it.
        if password and info.data.get("username", "wrong") is None:
            raise Unshown("found without username, expected one beside it")
        return password


class WebhookSection(_Pulsed):
    """An actuator that posts signed JSON, see `monitor.actuators.webhook`."""

    kind: Literal["webhook"]
    name: Text
    url: WebAddress
    secret_env: EnvSecret | None = None
    secret_file: Annotated[
        FileSecret | None, unless("secret_env", required=True), Field(validate_default=True)
    ] = None
    ca_file: Text | None = None
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)

    @property
    def secret(self) -> str:
        """What requests are signed with."""
        given = self.secret_env or self.secret_file
        assert given, "one of the two is required"
        return given.get_secret_value()


class GpioSection(_Pulsed):
    """An actuator that switches a pin, see `monitor.actuators.gpio`."""

    kind: Literal["gpio"]
    name: Text
    pin: Pin
    active_high: bool = True
    deny_pin: Pin | None = None
    deny_seconds: float = Field(default=1.0, ge=0.05, le=60)

    @field_validator("deny_pin")
    @classmethod
    def _another(cls, deny_pin: int | None, info: ValidationInfo) -> int | None:
        if deny_pin is not None and deny_pin == info.data.get("pin"):
            raise ValueError("another pin than that of the lock")
        return deny_pin


ActuatorSection = Annotated[
    LogSection | CommandSection | MqttSection | WebhookSection | GpioSection,
    Field(discriminator="kind"),
]
