"""Sections of the configuration for what is told to lock and unlock."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..fields import Arguments, Text
from ..schema import Section


class LogSection(Section):
    """An actuator that writes a line to the log for every change."""

    kind: Literal["log"] = "log"
    name: Text = "log"


class CommandSection(Section):
    """An actuator that runs a command, see `monitor.actuators.command`."""

    kind: Literal["command"]
    name: Text
    lock: Arguments
    unlock: Arguments
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)


ActuatorSection = Annotated[LogSection | CommandSection, Field(discriminator="kind")]
