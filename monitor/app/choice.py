"""Which of the configured doors a command is about."""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Config
from ..door_section import DoorSection
from ..errors import UsageError


def chosen(config: Config, door: str | None, source: str | None = None) -> Sequence[DoorSection]:
    """The doors that a command is about, the one source put in place of the configured one.

    door: name of the only one; None for all.
    source: for one door alone.

    Raises UsageError when there is no door of that name, or several are left for one source.
    """
    names = ", ".join(section.name for section in config.doors)
    doors = [section for section in config.doors if door in (None, section.name)]
    if not doors:
        raise UsageError(f"--door: {door!r} found, expected one of {names}")
    if source is None:
        return doors
    if len(doors) > 1:
        raise UsageError(f"--source: {len(doors)} doors found, expected --door with one of {names}")
    return [doors[0].model_copy(update={"source": source})]
