"""What a newer configuration changes about the doors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..door_section import DoorSection

# What a door can be given while its camera goes on.
_IN_PLACE = {"zones", "zones_file", "policy", "actuators"}


@dataclass(frozen=True, slots=True)
class Difference:
    """Which doors are not as they were; as text, what is new about each.

    removed: names of those that are there no more.
    changed: the keys that have other values now, by the names of the doors that have such.
    added: names of those that were not there.
    """

    removed: tuple[str, ...]
    changed: Mapping[str, frozenset[str]]
    added: tuple[str, ...]

    @classmethod
    def between(
        cls, before: Mapping[str, DoorSection], after: Mapping[str, DoorSection]
    ) -> Difference:
        """What is different between two configurations of doors, by name."""
        keys = {name: _changed(before[name], after[name]) for name in after if name in before}
        return cls(
            tuple(name for name in before if name not in after),
            {name: changed for name, changed in keys.items() if changed},
            tuple(name for name in after if name not in before),
        )

    @property
    def begun(self) -> tuple[str, ...]:
        """Names of the doors that begin, or begin anew."""
        exchanged = self.exchanged
        return (*(name for name in self.changed if name not in exchanged), *self.added)

    @property
    def exchanged(self) -> frozenset[str]:
        """Names of the doors that change while their cameras go on."""
        return frozenset(name for name, keys in self.changed.items() if keys <= _IN_PLACE)

    def __str__(self) -> str:
        return "; ".join(
            [
                *(f"{name}: removed" for name in self.removed),
                *(f"{name}: {', '.join(sorted(keys))}" for name, keys in self.changed.items()),
                *(f"{name}: added" for name in self.added),
            ]
        )


def _changed(before: DoorSection, after: DoorSection) -> frozenset[str]:
    keys = DoorSection.model_fields
    return frozenset(key for key in keys if getattr(before, key) != getattr(after, key))
