"""Real clips, small networks, a broker and a browser, for the tests that ask for them."""

from __future__ import annotations

import os

# before torch is loaded: the networks here are too small for two threads to be worth their waiting
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest
from browser import Tab, browser
from colours import ColourDetector, picture
from hypothesis import settings
from mqtt_broker import RealBroker

from monitor import parts
from monitor.errors import SourceError
from monitor.frame import Frame

if TYPE_CHECKING:
    from export.retinanet import RetinaNet

# How long an example takes says something about the machine, not about what is tested.
settings.register_profile("maskgate", deadline=None)
settings.load_profile("maskgate")

# Secrets that are set for the service and nobody else.
OF_THE_SERVICE_ALONE = """
web: {host: 0.0.0.0, token_env: MASKGATE_TOKEN_OF_THE_SERVICE}
doors:
  - name: front
    actuators:
      - {kind: webhook, name: lock, url: "https://lock.example/", secret_file: /nonexistent/secret}
"""


class FrameSource:
    """A source of frames made in memory; each call of `frames` plays the next list.

    An exception in a list is raised in its place, and a callable is called: it may block.
    """

    name = "frames"
    fps = 10.0
    frame_count_hint = None
    timeline = None

    def __init__(
        self, *plays: Sequence[Frame | Exception | Callable[[], None]], live: bool = False
    ) -> None:
        self.live = live
        self.closed = 0
        self._plays = iter(plays)

    def frames(self) -> Iterator[Frame]:
        for item in next(self._plays, [SourceError("frames: nothing left to play")]):
            if isinstance(item, Exception):
                raise item
            if isinstance(item, Frame):
                yield item
            else:
                item()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="session")
def small_network() -> RetinaNet:
    """A small network with random weights that sees much."""
    # not at the top: most files of tests need no torch, which takes seconds to load
    import small_networks

    return small_networks.small_network()


@pytest.fixture(scope="session")
def small_model(small_network: RetinaNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real ONNX file of the exporter's, of the small network."""
    import small_networks

    return small_networks.exported(small_network, tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture(scope="session")
def half_model(small_network: RetinaNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in float16."""
    import small_networks

    path = tmp_path_factory.mktemp("model") / "half.onnx"
    return small_networks.exported(small_networks.half_precision(small_network), path)


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """Writes a real video of plain colours: clip("door", [("bare", 10), ("masked", 30)])."""

    def write(name: str, scenes: Sequence[tuple[str, int]], fps: float = 10.0) -> Path:
        path = tmp_path / f"{name}.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (64, 48))
        assert writer.isOpened()
        for scene, count in scenes:
            for _ in range(count):
                writer.write(picture(scene))
        writer.release()
        return path

    return write


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RealBroker]:
    """A real MQTT broker that lets everyone do everything."""
    with RealBroker(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A tab of a real browser."""
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def colour_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every command use the colour detector, so that no trained model is needed."""
    monkeypatch.setattr(parts, "Detector", ColourDetector)
