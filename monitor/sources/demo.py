"""The drawn scene as a source."""

from __future__ import annotations

from collections.abc import Iterator

from ..frame import Frame
from ..scene import demo


class Demo:
    """A scene that the program draws itself, with a timeline it must keep."""

    name = "demo"
    live = False

    def __init__(self) -> None:
        self._scene = demo()
        self.fps: float = self._scene.fps
        self.frame_count_hint = self._scene.frame_count
        self.timeline = self._scene.timeline()

    def frames(self) -> Iterator[Frame]:
        """Yield every frame of the scene."""
        for index in range(self._scene.frame_count):
            yield Frame(self._scene.image(index), index, index / self.fps)

    def close(self) -> None:
        """Nothing to do: nothing is open."""
