"""Real clips and pictures of plain colours, and a detector that understands them."""

from __future__ import annotations

import os

# before torch is loaded: the networks here are too small for two threads to be worth their waiting
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from browser import Tab, browser
from hypothesis import settings
from mqtt_broker import RealBroker

from export.graph.frame_detector import FrameDetector
from export.graph.onnx_graph import half_precision, save_model, trace
from export.postprocess import PostprocessConfig
from export.retinanet import RetinaNet, RetinaNetConfig
from monitor import parts
from monitor.contract import Contract, ResizeRule
from monitor.detections import Detections
from monitor.errors import SourceError
from monitor.frame import Frame, Image

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
CLASSES = ("mask", "noMask")
COLOURS = {"nobody": (20, 20, 20), "masked": (220, 30, 30), "bare": (30, 30, 220)}


def picture(scene: str, width_px: int = 64, height_px: int = 48) -> Image:
    """A picture mostly of one colour: "masked" is blue, "bare" red, "nobody" nearly black."""
    image = np.full((height_px, width_px, 3), COLOURS[scene], np.uint8)
    # Lighter on the left: a lens that is not covered.
    image[:, : width_px // 2] += 15
    return image


class ColourDetector:
    """Takes a blue picture for a masked face and a red one for a bare face, as `Detector` would."""

    provider = "ColourProvider"
    bound = graph = False
    sha256 = "0" * 64
    threads = 1
    contract = Contract(classes=CLASSES, resize=ResizeRule(64, 64))
    classes = CLASSES

    def __init__(self, path: Path | None = None, *, device: str = "auto", **_: object) -> None:
        self.path = path or Path("colours.onnx")

    def __call__(self, image: Image) -> Detections:
        height_px, width_px = image.shape[:2]
        blue, _, red = image.reshape(-1, 3).mean(axis=0)
        if max(blue, red) < 120:
            return Detections.empty(CLASSES)
        box = np.array([[0, 0, width_px, height_px]], np.float32) * 0.8
        scores = np.array([[0.9, 0.05] if blue > red else [0.1, 0.8]], np.float32)
        return Detections(box, scores, CLASSES)


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
    torch.manual_seed(0)
    network = RetinaNet(
        RetinaNetConfig(CLASSES, "resnet18", width=0.125, fpn_channels=8, subnet_depth=1, prior=0.3)
    )
    with torch.no_grad():
        network.head.classification_head.get_parameter("cls_logits.weight").mul_(30)
    return network


@pytest.fixture(scope="session")
def small_model(small_network: RetinaNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real ONNX file of the exporter's, of the small network."""
    return exported(small_network, tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture(scope="session")
def half_model(small_network: RetinaNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in float16."""
    return exported(half_precision(small_network), tmp_path_factory.mktemp("model") / "half.onnx")


def exported(network: RetinaNet, path: Path) -> Path:
    """The file of a network that looks at pictures of 256 px."""
    detector = FrameDetector(network, PostprocessConfig(), ResizeRule(256, 256)).eval()
    save_model(trace(detector), Contract(CLASSES, ResizeRule(256, 256)), path)
    return path


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
