"""What a newer configuration changes about the doors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..door_section import DoorSection

# What a door can be given while its camera goes on.
_IN_PLACE = {"zones", "zones_file", "policy", "actuators"}


@dataclass(frozen=True, slots=True)
class Difference:
    """Which doors are not as they were.

    removed: names of those that are there no more.
    changed: what is different, in words, by the names of the doors that are different.
    added: names of those that were not there.
    """

    removed: tuple[str, ...]
    changed: Mapping[str, frozenset[str]]
    added: tuple[str, ...]

    @classmethod
    def between(
        cls,
        before: Mapping[str, DoorSection],
        after: Mapping[str, DoorSection],
        *,
        waiting: Collection[str] = (),
        redrawn: Collection[str] = (),
    ) -> Difference:
        """What is different between two configurations of doors, by name.

        waiting: names of those where each frame waits until it is taken, which only a door that is
            alone may ask of the others.
        redrawn: names of those whose zones are now others than those in force.
        """
        joined = {name: len(after) > 1 and name in waiting for name in before}
        keys = {
            name: _changed(before[name], after[name], joined=joined[name], redrawn=name in redrawn)
            for name in after
            if name in before
        }
        return cls(
            tuple(name for name in before if name not in after),
            {name: changed for name, changed in keys.items() if changed},
            tuple(name for name in after if name not in before),
        )

    @property
    def begun(self) -> tuple[str, ...]:
        """Names of the doors that begin, or begin anew."""
        return (*self._anew, *self.added)

    @property
    def ended(self) -> tuple[str, ...]:
        """Names of the doors that end, or begin anew."""
        return (*self.removed, *self._anew)

    @property
    def exchanged(self) -> frozenset[str]:
        """Names of the doors that change while their cameras go on."""
        return frozenset(name for name, keys in self.changed.items() if keys <= _IN_PLACE)

    @property
    def said(self) -> dict[str, str]:
        """What is new, in words, by the names of the doors."""
        changed = {name: ", ".join(sorted(keys)) for name, keys in self.changed.items()}
        return {
            **dict.fromkeys(self.removed, "removed"),
            **changed,
            **dict.fromkeys(self.added, "added"),
        }

    @property
    def _anew(self) -> tuple[str, ...]:
        exchanged = self.exchanged
        return tuple(name for name in self.changed if name not in exchanged)


def _changed(
    before: DoorSection, after: DoorSection, *, joined: bool, redrawn: bool
) -> frozenset[str]:
    keys = {key for key in DoorSection.model_fields if getattr(before, key) != getattr(after, key)}
    if redrawn and keys.isdisjoint({"zones", "zones_file"}):
        keys.add("zones_file")
    return frozenset(keys | ({"no longer alone"} if joined else set()))
