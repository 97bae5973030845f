"""On a card, CUDA and TensorRT find what the processor finds. Not yet run on one."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from export.graph.parity import TOLERANCES, compare
from monitor.binding import Binding, Bindings, bind
from monitor.detections import FloatArray
from monitor.detector import SHIPPED_MODEL, Detector
from monitor.frame import Image
from monitor.provider import CUDA, TENSORRT, Device, Environment, obstacle
from monitor.scene import training_picture
from monitor.session import Plain, Shape, open_session

NO_CUDA = obstacle("cuda", Environment.here())
NO_TENSORRT = obstacle("tensorrt", Environment.here())
FRAME_SIZES = [(640, 480), (1280, 720), (1920, 1080), (360, 640)]
CONTENT = SHIPPED_MODEL.read_bytes()

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(NO_CUDA is not None, reason=f"CUDA does not start here: {NO_CUDA}"),
]
needs_tensorrt = pytest.mark.skipif(
    NO_TENSORRT is not None, reason=f"TensorRT does not start here: {NO_TENSORRT}"
)

Network = Callable[[Image], Sequence[FloatArray]]
open_on_cuda = partial(open_session, CONTENT, "cuda", threads=1)


def pictures() -> list[Image]:
    drawn = np.random.default_rng(7)
    return [training_picture(drawn, *size_px)[0] for size_px in FRAME_SIZES for _ in range(3)]


def bound(shape: Shape) -> Binding:
    return Binding(open_on_cuda(shape=shape), shape, "cuda")


def replayed(shape: Shape) -> Binding:
    binding = bind(partial(open_on_cuda, shape=shape), shape, "cuda")
    assert binding.graph
    return binding


def agrees(detect: Callable[[Image], object], path: Path = SHIPPED_MODEL) -> None:
    """Hold a detector to what the processor finds: by detections, in the tolerance of float16.

    Convolutions on a card may round to 11 bits also where all is float32.
    """
    tolerance = TOLERANCES["fp16"]
    on_cpu = Detector(path, device="cpu")
    images = pictures()
    expected = [on_cpu(image) for image in images]
    rows = on_cpu.infer(on_cpu.shrink(images[0]))[0].shape[0]
    found = compare(expected, detect, images, tolerance.counted_from, rows)  # type: ignore[arg-type]
    assert found.detections > 0
    found.check(tolerance)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Plain(open_on_cuda()), id="plain"),
        pytest.param(lambda: Bindings(bound), id="bound"),
        pytest.param(lambda: Bindings(replayed), id="replayed"),
    ],
)
def test_however_it_runs_on_cuda_it_finds_what_the_processor_finds(
    make: Callable[[], Network],
) -> None:
    network, host = make(), Detector(device="cpu")

    def detect(image: Image) -> object:
        small = host.shrink(image)
        boxes, scores = network(small[None])
        return host.detections((boxes[0], scores[0]), small, image)

    agrees(detect)


@pytest.mark.parametrize(
    ("device", "provider"),
    [("cuda", CUDA), pytest.param("tensorrt", TENSORRT, marks=needs_tensorrt)],
)
def test_the_detector_replays_a_graph_and_finds_what_the_processor_finds(
    device: Device, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    detector = Detector(device=device)
    assert (detector.provider, detector.bound, detector.graph) == (provider, True, True)
    agrees(detector)
    if device == "tensorrt":
        assert list(tmp_path.rglob("*.engine"))


def test_a_file_in_half_precision_finds_what_it_finds_on_the_processor(half_model: Path) -> None:
    agrees(Detector(half_model, device="cuda"), half_model)


def test_auto_takes_the_card(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        detector = Detector()
    assert detector.provider == (CUDA if NO_TENSORRT else TENSORRT)
    assert ("not tensorrt" in caplog.text) == bool(NO_TENSORRT)


@pytest.mark.parametrize("bind_to", [bound, replayed])
def test_a_batch_gives_what_its_frames_give(bind_to: Callable[[Shape], Binding]) -> None:
    network = Bindings(bind_to)
    drawn = np.random.default_rng(8)
    batch = np.stack([training_picture(drawn, 512, 288)[0] for _ in range(4)])
    together = network(batch)
    for number, image in enumerate(batch):
        for one, many in zip(network(image[None]), together, strict=True):
            assert np.allclose(one[0], many[number], atol=0.5)


def test_buffers_stay_where_they_are_on_the_card() -> None:
    shape = (1, 288, 512, 3)
    binding = replayed(shape)
    addresses = binding.addresses
    for _ in range(20):
        binding(np.zeros(shape, np.uint8))
    assert binding.addresses == addresses


def test_frames_of_ever_other_sizes_do_not_fill_the_card() -> None:
    network = Bindings(bound, most=2)
    left = []
    for _ in range(4):
        for width_px in (256, 320, 384, 448):
            network(np.zeros((1, 256, width_px, 3), np.uint8))
        left.append(free_bytes())
    assert left[-1] > left[1] - 64e6


def free_bytes() -> int:
    """How much memory the card has left."""
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    runtime = Environment.here().load("libcudart.so.13")
    assert runtime.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total)) == 0
    return free.value
