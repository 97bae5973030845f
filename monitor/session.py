"""Session: one ONNX file opened on one device, and never by halves on another."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort

from .contract import INPUT, OUTPUTS
from .detections import FloatArray
from .frame import Image
from .provider import CPU, CUDA, PROVIDERS, TENSORRT, Chosen

# Dimensions of the input, as the file names them.
DIMENSIONS = ("B", "H", "W")
Shape = tuple[int, ...]
# A camera's frames have one size, the pictures of a folder many; the start of a session takes as
# long as some frames do.
FAMILIAR_FROM = 5
MOST_FITTED = 8


def open_session(
    content: bytes,
    device: Chosen,
    *,
    threads: int,
    shape: Shape | None = None,
    graph: bool = False,
    engines: Path | None = None,
) -> ort.InferenceSession:
    """Open a file on a device.

    content: the file.
    threads: of the processor.
    shape: (B, H, W, ...) of every batch to come; None for batches of any shape. What has another
        shape is then refused, and the network has no shape left to compute at run time.
    graph: let the GPU replay the first run as one CUDA graph; needs a shape, and a binding.
    engines: folder in which TensorRT keeps what it compiled.

    Raises whatever onnxruntime raises, and RuntimeError where most of the network would run
    elsewhere.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    # between two frames its threads would wait busily, on cores that others need
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # as `check_complete` has read it
    options.add_session_config_entry("session.load_model_format", "ONNX")
    for name, length in zip(DIMENSIONS, shape or (), strict=False):
        options.add_free_dimension_override_by_name(name, length)
    if device != "cpu":
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    providers = _providers(device, graph, engines)
    # with fallback on, what fails on the GPU is opened on the processor, and printed
    session = ort.InferenceSession(content, options, providers=providers, enable_fallback=False)
    if session.get_providers()[0] != PROVIDERS[device]:
        raise RuntimeError(f"{PROVIDERS[device]} found no way to start")
    if device != "cpu":
        check_placement(placement(session), PROVIDERS[device])
    return session


class Plain:
    """A session as it is: for the processor, whose memory is the host's."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def __call__(self, images: Image) -> Sequence[FloatArray]:
        """What the network makes of a batch, uint8 [B, H, W, 3]: its outputs."""
        outputs: Sequence[FloatArray] = self._session.run(OUTPUTS, {INPUT: images})
        return outputs


class Fitted:
    """A session for batches of any shape, and one more for each shape that keeps coming.

    Where every shape is known, onnxruntime computes beforehand what depends on it, and joins more
    layers: of the smallest network that ships, that is a tenth of its time.

    whatever: takes every shape.
    fit: opens a session for one shape.
    """

    bound = False
    graph = False

    def __init__(
        self, whatever: ort.InferenceSession, fit: Callable[[Shape], ort.InferenceSession]
    ) -> None:
        self._whatever = Plain(whatever)
        self._fit = fit
        self._fitted: dict[Shape, Plain] = {}
        self._seen: Counter[Shape] = Counter()

    def __call__(self, images: Image) -> Sequence[FloatArray]:
        """What the network makes of a batch, uint8 [B, H, W, 3]: its outputs."""
        shape = images.shape
        if shape not in self._fitted and len(self._fitted) < MOST_FITTED:
            self._seen[shape] += 1
            if self._seen[shape] >= FAMILIAR_FROM:
                self._fitted[shape] = Plain(self._fit(shape))
        return self._fitted.get(shape, self._whatever)(images)

    def __len__(self) -> int:
        return len(self._fitted)


def placement(session: ort.InferenceSession) -> Mapping[str, int]:
    """How many nodes of the network each provider runs; of a session that records it."""
    parts = session.get_provider_graph_assignment_info()
    return Counter(part.ep_name for part in parts for _ in part.get_nodes())


def check_placement(placed: Mapping[str, int], provider: str) -> None:
    """Raise RuntimeError where a provider got less than half of the network.

    A provider that is named in a session may leave all of the network to the next one.
    """
    if 2 * placed.get(provider, 0) < sum(placed.values()):
        where = ", ".join(f"{count} on {name}" for name, count in placed.items())
        raise RuntimeError(f"{provider} takes too little of the network: {where}")


def engine_folder(sha256: str, shape: Shape) -> Path:
    """Where the engines that TensorRT compiled of a file for a shape are kept, for this user alone.

    TensorRT tells files apart by their nodes and not by their weights, and so would run a newly
    trained network with the old weights: each file has a folder.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(caches, "maskgate", "tensorrt", sha256[:16], "x".join(map(str, shape)))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _providers(
    device: Chosen, graph: bool, engines: Path | None
) -> list[tuple[str, dict[str, Any]]]:
    if device == "cpu":
        return [(CPU, {})]
    if device == "cuda":
        return [(CUDA, {"enable_cuda_graph": str(graph)})]
    options = {"trt_fp16_enable": "True", "trt_cuda_graph_enable": str(graph)}
    if engines:
        for kind in ("engine", "timing"):
            options[f"trt_{kind}_cache_enable"] = "True"
            options[f"trt_{kind}_cache_path"] = str(engines)
    # what TensorRT cannot compile must not end on the processor
    return [(TENSORRT, options), (CUDA, {})]
