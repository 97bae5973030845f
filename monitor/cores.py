"""Cores: how many of the processor's this process may keep busy with one thing."""

from __future__ import annotations

import os


def all_but_one() -> int:
    """The cores this process may run on but for one, at least one: others have work to do, too."""
    return max(len(os.sched_getaffinity(0)) - 1, 1)
