"""Detector: one ONNX file and the session that runs it."""

from __future__ import annotations

import hashlib
from functools import partial
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .binding import Binding, Bindings, bind
from .contract import INPUT, OUTPUTS, SCORE_FLOOR, Contract, ResizeRule
from .cores import all_but_one
from .detections import Detections, FloatArray
from .errors import ModelError, NoEvidence
from .frame import Image
from .model_file import check_complete, read_model
from .provider import PROVIDERS, Chosen, Device, Environment, choose, first_line
from .session import Fitted, Shape, engine_folder, open_session

_MODELS = Path(str(files("monitor"))) / "models"
SHIPPED_MODELS = {name: _MODELS / f"maskgate-{name}.onnx" for name in ("edge", "full")}
SHIPPED_MODEL = SHIPPED_MODELS["edge"]
# What most cameras give. A GPU is tried with what a frame of this size becomes.
USUAL_PX = (1280, 720)
# What a network answers can be anything. A box this far out, in pixels, or a score this much above
# 1, which rounding in int8 explains, says that it has gone astray.
_FARTHEST_PX = 1e6
_ROUNDING = 0.01
_MOST_ROWS = 10_000


class Detector:
    """Finds the faces in a frame and says for each class how sure it is.

    path: a file written by `python -m export onnx`, or the name of one of SHIPPED_MODELS; None is
        the first of them, `edge`. `full` finds more far faces, in 2.5 times the time.
    device: "cpu"; "cuda" or "tensorrt", which refuse to start where they do not work; "auto", the
        best that works here.
    threads: processor threads for one frame; 0 is one a core but for one, at least one.
    resize_on_host: shrink the frame with OpenCV before it enters the graph, by the rule that the
        file states. Several times as fast on a CPU as the same resize inside the graph, which is
        what False leaves it to; the faces found are the same.
    sha256: the SHA-256 that the file must have, in hexadecimal; None takes every file.

    Raises ModelError when the file cannot be used or is another, or the device is not there.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        device: Device = "auto",
        threads: int = 0,
        resize_on_host: bool = True,
        sha256: str | None = None,
    ) -> None:
        self.path = SHIPPED_MODELS.get(str(path), path or SHIPPED_MODEL)
        content = read_model(self.path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in (None, self.sha256):
            raise ModelError(f"{self.path}: sha256 {self.sha256} found, expected {sha256}")
        check_complete(content, self.path.name)
        self._resize_on_host = resize_on_host
        # The core that is left reads and draws. A camera of 1280 x 720 px and 25 frames a second on
        # two cores: with one thread 24 of them are decided on, each 55 ms after it was taken; with
        # two threads, which wait for each other and for their turn, 12, each after 102 ms.
        self.threads = threads or all_but_one()
        plain = self._on_cpu(content)
        try:
            props = plain.get_modelmeta().custom_metadata_map
            # first, so that a file of another program is told as one, whatever its graph
            self.contract = Contract.from_metadata(props, self.path.name)
            self._check_graph(plain)
        except UnicodeDecodeError:
            raise ModelError(f"{self.path.name}: names that are no UTF-8 found") from None
        start = partial(self._start, content, plain)
        self.device = choose(device, Environment.here(), start)

    @property
    def provider(self) -> str:
        """What onnxruntime calls the device that the network runs on."""
        return PROVIDERS[self.device]

    @property
    def bound(self) -> bool:
        """Whether the network reads and writes buffers that were allocated once."""
        return self._network.bound

    @property
    def graph(self) -> bool:
        """Whether the last frame was the replay of a CUDA graph."""
        return self._network.graph

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the score columns."""
        return self.contract.classes

    @property
    def resize(self) -> ResizeRule:
        """At which size the network looks at a frame."""
        return self.contract.resize

    def __call__(self, image: Image) -> Detections:
        """Find the faces of one frame.

        image: uint8 [H, W, 3], BGR, any size.

        Returns those whose best score is at least SCORE_FLOOR, boxes in pixels of `image`. Raises
        NoEvidence when what the model gives for this frame cannot be believed, and ModelError when
        it fails.
        """
        small = self.shrink(image)
        return self.detections(self.infer(small), small, image)

    def shrink(self, image: Image) -> Image:
        """The frame as the graph is to get it, uint8 [h, w, 3]: the first third of a call."""
        size = self.contract.resize.size(image.shape[1], image.shape[0])
        if not self._resize_on_host or size == (image.shape[1], image.shape[0]):
            return np.ascontiguousarray(image)
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def infer(self, image: Image) -> tuple[FloatArray, FloatArray]:
        """The graph's outputs: boxes float32 [K, 4], pixels of `image`, and scores float32 [K, C].

        image: as `shrink` gives it.

        Raises ModelError when the model fails, or gives anything of another shape.
        """
        try:
            boxes, scores = self._network(image[None])
        except Exception as error:  # the pybind layer has one exception type a status code
            raise ModelError(f"{self.path.name}: the model failed on a frame: {error}") from None
        rows, columns = boxes.shape[1:2], len(self.contract.classes)
        shapes = [boxes.shape, scores.shape]
        if shapes != [(1, *rows, 4), (1, *rows, columns)] or rows > (_MOST_ROWS,):
            raise ModelError(
                f"{self.path.name}: boxes and scores of shapes {shapes} found, expected [1, K, 4] "
                f"and [1, K, {columns}], K at most {_MOST_ROWS}"
            )
        return boxes[0], scores[0]

    def detections(
        self, outputs: tuple[FloatArray, FloatArray], looked_at: Image, image: Image
    ) -> Detections:
        """The faces among the outputs, in pixels of `image`; `looked_at` is what the graph got.

        Raises NoEvidence when any row of the outputs, also one that scores too little, cannot be
        believed: nobody knows what it was to be, perhaps a bare face.
        """
        boxes, scores = outputs
        # NaN compares as false
        if not (
            (np.abs(boxes) <= _FARTHEST_PX).all()
            # one with its sides exchanged would count as too small to matter
            and (boxes[:, 2:] >= boxes[:, :2]).all()
            and (scores >= 0.0).all()
            and (scores <= 1.0 + _ROUNDING).all()
        ):
            raise NoEvidence(f"{self.path.name}: boxes or scores that cannot be")
        best = scores.max(axis=1)
        found = best >= SCORE_FLOOR
        # The rows are sorted; where the last one is taken, there may be more than there are rows.
        cut_off = float(best.min()) if len(best) and found.all() else 0.0
        boxes, scores = boxes[found], scores[found]
        if looked_at.shape != image.shape:
            height, width = (a / b for a, b in zip(image.shape[:2], looked_at.shape, strict=False))
            boxes = boxes * np.array([width, height, width, height], np.float32)
        return Detections(boxes, scores, self.contract.classes, cut_off)

    def _start(self, content: bytes, plain: ort.InferenceSession, device: Chosen) -> Chosen:
        self._network: Fitted | Bindings = Fitted(plain, partial(self._fit, content))
        size_px = (64, 64)
        if device != "cpu":
            self._network = Bindings(partial(self._bind, content, device))
            size_px = USUAL_PX
        # the first run allocates, and on a GPU finds out whether the libraries really work
        self(np.zeros((*reversed(size_px), 3), np.uint8))
        return device

    def _bind(self, content: bytes, device: Chosen, shape: Shape) -> Binding:
        engines = engine_folder(self.sha256, shape) if device == "tensorrt" else None
        opened = partial(open_session, content, device, threads=self.threads)
        return bind(partial(opened, shape=shape, engines=engines), shape, "cuda")

    def _fit(self, content: bytes, shape: Shape) -> ort.InferenceSession:
        return open_session(content, "cpu", threads=self.threads, shape=shape)

    def _on_cpu(self, content: bytes) -> ort.InferenceSession:
        """The session that tells what the file says of itself, whichever device is then taken."""
        try:
            return open_session(content, "cpu", threads=self.threads)
        except Exception as error:  # the pybind layer has one exception type a status code
            reason = first_line(error)
            raise ModelError(
                f"{self.path.name}: not a model that can be loaded: {reason}"
            ) from None

    def _check_graph(self, session: ort.InferenceSession) -> None:
        inputs = [(i.name, i.type, len(i.shape)) for i in session.get_inputs()]
        if inputs != [(INPUT, "tensor(uint8)", 4)]:
            raise ModelError(
                f"{self.path.name}: inputs {inputs} found, expected {INPUT}, uint8 [B, H, W, 3]"
            )
        outputs = [(o.name, o.type, o.shape) for o in session.get_outputs()]
        sizes = [size for *_, shape in outputs for size in shape if isinstance(size, int)]
        if (
            [(name, kind) for name, kind, _ in outputs] != [(n, "tensor(float)") for n in OUTPUTS]
            # found out by running it, it would have filled the memory
            or max(sizes, default=0) > _MOST_ROWS
        ):
            raise ModelError(
                f"{self.path.name}: outputs {outputs} found, expected {' and '.join(OUTPUTS)}, "
                f"float32 [B, K, 4 or C], K at most {_MOST_ROWS}"
            )
