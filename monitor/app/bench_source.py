"""What a bench looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ..config import Config
from ..door_section import DoorSection
from ..errors import SourceError
from ..frame import Frame, Image
from ..parts import frames_of, make_source
from ..sources import Source, without_secrets

PICTURES = 16


@dataclass(frozen=True, slots=True)
class BenchSource:
    """The source of the first door, or another one in its place, turned as that door says.

    door: how its pictures are turned, and judged.
    spec: see `open_source`.
    """

    door: DoorSection
    spec: int | str

    @classmethod
    def of(cls, config: Config, source: str | None) -> BenchSource:
        """The source to be looked at; None is the configured one."""
        door = config.doors[0]
        return cls(door, door.source if source is None else source)

    @property
    def name(self) -> str:
        """What it is called, without secrets."""
        return without_secrets(str(self.spec))

    def opened(self) -> Source:
        """The source, open; each call opens it anew."""
        return make_source(self.door, self.spec)

    def frames(self) -> Iterator[Frame]:
        """Its frames from the beginning; each call opens it anew."""
        return frames_of(self.door, self.spec)

    def pictures(self, most: int = PICTURES) -> list[Image]:
        """Its first pictures, uint8 [H, W, 3] each; raises SourceError where there is none."""
        images = [frame.image for frame in islice(self.frames(), most)]
        if not images:
            raise SourceError(f"{self.name}: no frame found, expected at least one")
        return images

    def too_short(self) -> SourceError:
        """The error of one that ends before there is anything to time."""
        return SourceError(
            f"{self.name}: too few frames found, expected more than those of a warm-up"
        )
