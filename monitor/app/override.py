"""`monitor override`: order a door of the running monitor locked or unlocked for a while."""

from __future__ import annotations

from pathlib import Path

from ..config import OverrideSection
from ..errors import UsageError
from ..override_socket import ask


def override(section: OverrideSection, *, door: str, action: str, seconds: float, by: str) -> None:
    """Ask the running monitor, and print what it did.

    Raises UsageError when it refuses or takes no overrides, MaskgateError when none is running.
    """
    if section.socket is None:
        raise UsageError("override: not enabled, expected override.socket in the configuration")
    print(ask(Path(section.socket), door=door, action=action, seconds=seconds, by=by))
