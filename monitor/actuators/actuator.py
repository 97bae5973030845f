"""The actuator: something that moves a lock."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from ..result import Result
from .lease import Lease


class Actuator(ABC):
    """Something that moves a lock. Each call may block; a worker keeps it off the other threads.

    name: what it is called in messages.
    kind: which sort it is, as in the configuration.
    renews: whether the lock keeps the time of a lease by itself, so that `unlock` is called again
        for a newer one while the door is unlocked.
    is_wanted: whether an unlock that is going on still is; whoever takes long over one asks now and
        then, and gives it up where it is not.
    """

    kind: ClassVar[str]
    renews: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_wanted: Callable[[], bool] = lambda: True

    @abstractmethod
    def lock(self) -> None:
        """Lock, whether locked already or not; raises ActuatorError unless it is certainly done."""

    @abstractmethod
    def unlock(self, lease: Lease) -> None:
        """Unlock; raises ActuatorError unless it is certainly done.

        lease: what it is done for. Whatever may arrive late must carry its expiry.
        """

    def deny(self, reason: str) -> None:  # noqa: B027 - most have no light, sound or sign
        """Show at the door that someone is turned away; called on a thread of its own.

        reason: why, in words. Raises ActuatorError when it cannot be shown.
        """

    def watch(self, result: Result) -> None:  # noqa: B027 - most report nothing
        """Take note of what became of a frame; must return at once and never raise."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what it holds, after the last lock."""
