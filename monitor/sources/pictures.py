"""A folder of pictures, played in the order of their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..errors import SourceError
from ..frame import Frame, Image
from .source import printable

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class Pictures:
    """Still pictures, each of which stands for the scene until the next.

    name: what events call the source.
    paths: the pictures in playing order.
    fps: pictures per second, above 0.
    """

    live = False
    timeline = None

    def __init__(self, name: str, paths: Sequence[Path], fps: float) -> None:
        self.name = name
        self.fps: float = fps
        self.frame_count_hint = len(paths)
        self._paths = paths

    @classmethod
    def of_folder(cls, folder: Path, fps: float) -> Pictures:
        """All pictures directly in a folder; raises SourceError when there are none."""
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise SourceError(f"{folder}: {error.strerror}, expected pictures") from None
        if not paths:
            expected = " ".join(sorted(SUFFIXES))
            raise SourceError(f"{folder}: no picture found, expected files ending in {expected}")
        return cls(printable(folder.resolve().name), paths, fps)

    def frames(self) -> Iterator[Frame]:
        """Yield every picture that decodes; a damaged one leaves a hole in time.

        Raises SourceError after the last picture, naming the damaged ones.
        """
        damaged = []
        index = 0
        for place, path in enumerate(self._paths):
            image = _read(path)
            if image is None:
                damaged.append(path)
                continue
            yield Frame(image, index, place / self.fps, lasts_seconds=1.0 / self.fps)
            index += 1
        if damaged:
            named = printable(", ".join(map(str, damaged[:5])))
            named += ", ..." if len(damaged) > 5 else ""
            raise SourceError(
                f"{named}: {len(damaged)} of {len(self._paths)} pictures empty or damaged"
            )

    def close(self) -> None:
        """Nothing to do: no picture stays open."""


def _read(path: Path) -> Image | None:
    try:
        content = np.fromfile(path, np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)
