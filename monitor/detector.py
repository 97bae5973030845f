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

from .contract import INPUT, OUTPUTS, SCORE_FLOOR, Contract
from .detections import Detections, FloatArray
from .errors import ModelError
from .frame import Image

Device = Literal["auto", "cpu", "cuda"]
SHIPPED_MODEL = Path(str(files("monitor"))) / "models" / "maskgate-edge.onnx"
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_log = logging.getLogger("monitor.detector")


class Detector:
    """Finds the faces in a frame and says for each class how sure it is.

    path: a file written by `python -m export onnx`; None is the model that ships with the runtime.
    device: "cpu"; "cuda", which refuses to start without one; "auto", the best that works here.
    threads: processor threads for one frame; 0 is one a core.
    resize_on_host: shrink the frame with OpenCV before it enters the graph, by the rule that the
        file states. Several times as fast on a CPU as the same resize inside the graph, which is
        what False leaves it to; the faces found are the same.

    Raises ModelError when the file cannot be used or the device is not there.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        device: Device = "auto",
        threads: int = 0,
        resize_on_host: bool = True,
    ) -> None:
        self.path = path or SHIPPED_MODEL
        if not self.path.is_file():
            raise ModelError(f"{self.path}: no such model file")
        content = self.path.read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._resize_on_host = resize_on_host
        self._session = _open_session(content, self.path.name, device, threads)
        self.provider: str = self._session.get_providers()[0]
        props = self._session.get_modelmeta().custom_metadata_map
        self.contract = Contract.from_metadata(props, self.path.name)
        self._check_graph()
        # the first run allocates, and on CUDA finds out whether the libraries really work
        self._run(np.zeros((64, 64, 3), np.uint8))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the score columns."""
        return self.contract.classes

    def __call__(self, image: Image) -> Detections:
        """Find the faces of one frame.

        image: uint8 [H, W, 3], BGR, any size.

        Returns those whose best score is at least SCORE_FLOOR, boxes in pixels of `image`.
        """
        height, width = image.shape[:2]
        rule = self.contract
        size = rule.resize.size(width, height)
        if not self._resize_on_host or size == (width, height):
            boxes, scores = self._run(np.ascontiguousarray(image))
        else:
            small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
            boxes, scores = self._run(np.asarray(small, np.uint8))
            boxes = boxes * np.tile(np.array([width / size[0], height / size[1]], np.float32), 2)
        found = scores.max(axis=1) >= SCORE_FLOOR
        return Detections(boxes[found], scores[found], rule.classes)

    def _run(self, image: Image) -> tuple[FloatArray, FloatArray]:
        """boxes float32 [K, 4] in pixels of `image`, and scores float32 [K, C]."""
        try:
            boxes, scores = self._session.run(OUTPUTS, {INPUT: image[None]})
        except Exception as error:  # the pybind layer has one exception type a status code
            raise ModelError(f"{self.path.name}: the model failed on a frame: {error}") from None
        return boxes[0], scores[0]

    def _check_graph(self) -> None:
        inputs = [(i.name, i.type, len(i.shape)) for i in self._session.get_inputs()]
        if inputs != [(INPUT, "tensor(uint8)", 4)]:
            raise ModelError(
                f"{self.path.name}: inputs {inputs} found, expected {INPUT}, uint8 [B, H, W, 3]"
            )
        outputs = tuple(o.name for o in self._session.get_outputs())
        if outputs != OUTPUTS:
            raise ModelError(f"{self.path.name}: outputs {outputs} found, expected {OUTPUTS}")


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
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    if provider == CUDA:
        ort.preload_dlls()
    session = ort.InferenceSession(content, options, providers=[provider])
    session.disable_fallback()
    if session.get_providers()[0] != provider:
        raise RuntimeError(f"{provider} is not available, found {session.get_providers()[0]}")
    return session


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
