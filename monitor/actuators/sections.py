"""Sections of the configuration for what is told to lock and unlock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..fields import Arguments, Text
from ..schema import Section


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


ActuatorSection = Annotated[LogSection | CommandSection, Field(discriminator="kind")]
