"""Detector: one ONNX file and the session that runs it."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
from importlib.resources import files
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import onnxruntime as ort

from .contract import INPUT, OUTPUTS, SCORE_FLOOR, Contract, ResizeRule
from .detections import Detections, FloatArray
from .errors import ModelError, NoEvidence
from .frame import Image
from .model_file import check_complete, read_model

Device = Literal["auto", "cpu", "cuda"]
SHIPPED_MODEL = Path(str(files("monitor"))) / "models" / "maskgate-edge.onnx"
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
# What a network answers can be anything. A box this far out, in pixels, or a score this much above
# 1, which rounding in int8 explains, says that it has gone astray.
_FARTHEST_PX = 1e6
_ROUNDING = 0.01
_MOST_ROWS = 10_000
_log = logging.getLogger("monitor.detector")


class Detector:
    """Finds the faces in a frame and says for each class how sure it is.

    path: a file written by `python -m export onnx`; None is the model that ships with the runtime.
    device: "cpu"; "cuda", which refuses to start without one; "auto", the best that works here.
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
        self.path = path or SHIPPED_MODEL
        content = read_model(self.path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in (None, self.sha256):
            raise ModelError(f"{self.path}: sha256 {self.sha256} found, expected {sha256}")
        check_complete(content, self.path.name)
        self._resize_on_host = resize_on_host
        # The core that is left reads and draws. A camera of 1280 x 720 px and 25 frames a second on
        # two cores: with one thread 24 of them are decided on, each 55 ms after it was taken; with
        # two threads, which wait for each other and for their turn, 12, each after 102 ms.
        self.threads = threads or max(len(os.sched_getaffinity(0)) - 1, 1)
        self._session = _open_session(content, self.path.name, device, self.threads)
        self.provider: str = self._session.get_providers()[0]
        try:
            props = self._session.get_modelmeta().custom_metadata_map
            self._check_graph()
        except UnicodeDecodeError:
            raise ModelError(f"{self.path.name}: names that are no UTF-8 found") from None
        self.contract = Contract.from_metadata(props, self.path.name)
        # the first run allocates, and on CUDA finds out whether the libraries really work
        self(np.zeros((64, 64, 3), np.uint8))

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
            boxes, scores = self._session.run(OUTPUTS, {INPUT: image[None]})
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
            and (scores >= 0.0).all()
            and (scores <= 1.0 + _ROUNDING).all()
        ):
            raise NoEvidence(f"{self.path.name}: boxes or scores that cannot be")
        found = scores.max(axis=1) >= SCORE_FLOOR
        boxes, scores = boxes[found], scores[found]
        if looked_at.shape != image.shape:
            height, width = (a / b for a, b in zip(image.shape[:2], looked_at.shape, strict=False))
            boxes = boxes * np.array([width, height, width, height], np.float32)
        return Detections(boxes, scores, self.contract.classes)

    def _check_graph(self) -> None:
        inputs = [(i.name, i.type, len(i.shape)) for i in self._session.get_inputs()]
        if inputs != [(INPUT, "tensor(uint8)", 4)]:
            raise ModelError(
                f"{self.path.name}: inputs {inputs} found, expected {INPUT}, uint8 [B, H, W, 3]"
            )
        outputs = [(o.name, o.type, o.shape) for o in self._session.get_outputs()]
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


def _open_session(content: bytes, name: str, device: Device, threads: int) -> ort.InferenceSession:
    """A session on the device that was asked for, never silently on another."""
    if device != "cpu":
        obstacle = _cuda_obstacle()
        try:
            if obstacle is None:
                return _session(content, CUDA, threads)
        except Exception as error:  # whatever keeps CUDA from starting
            obstacle = _first_line(error)
        hint = "install a driver and maskgate[cuda], or set device: cpu"
        if device == "cuda":
            raise ModelError(f"{name}: device cuda does not start: {obstacle}; {hint}")
        _log.info("device auto: cpu, because cuda does not start: %s", obstacle)
    try:
        return _session(content, CPU, threads)
    except Exception as error:  # the pybind layer has one exception type a status code
        raise ModelError(f"{name}: not a model that can be loaded: {_first_line(error)}") from None


def _cuda_obstacle() -> str | None:
    """What certainly keeps CUDA from starting, or None; asked first: onnxruntime is loud."""
    if CUDA not in ort.get_available_providers():
        return "this onnxruntime was built without CUDA; expected onnxruntime-gpu"
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no NVIDIA driver found (libcuda.so.1)"
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return "the NVIDIA driver finds no GPU"
    return None


def _session(content: bytes, provider: str, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    # between two frames its threads would wait busily, on cores that others need
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # as `check_complete` has read it
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if provider == CUDA:
        ort.preload_dlls()
    session = ort.InferenceSession(content, options, providers=[provider], enable_fallback=False)
    if session.get_providers()[0] != provider:
        raise RuntimeError(f"{provider} is not available, found {session.get_providers()[0]}")
    return session


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
