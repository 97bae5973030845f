"""Another ONNX model, of any maker, run for nothing but its time."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ..contract import LARGEST_SIDE_PX
from ..detector import Detector
from ..errors import ForeignModel, ModelError
from ..frame import Image
from ..model_file import read_model
from ..session import open_session

CHANNELS = 3
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


def open_other(path: Path, ours: Detector) -> Detector | OtherModel:
    """What is timed against a detector: another one, or what there is of any other maker's file.

    path: a file as `Detector` takes it, or `OtherModel`.
    ours: on whose device another detector runs, and with as many threads.

    Raises ModelError for a file that is neither, or another one of this program that is damaged.
    """
    try:
        return Detector(path, device=ours.device, threads=ours.threads)
    except ForeignModel:
        return OtherModel(path, threads=ours.threads)


class OtherModel:
    """A network that takes one picture of a fixed size.

    path: an ONNX file with one input, [1, 3, H, W] or [1, H, W, 3], of float32, float16 or uint8,
        which a Detector has found to be of another program.
    threads: processor threads for one frame.

    What is timed of it is its resize and its network alone. Both write where they wrote before,
    the network is given the first picture's pixels again and again, so that turning them into
    numbers costs it nothing, and what comes out is not looked at, so that neither do decoding and
    suppression where they lie outside the file. Raises ModelError for any other file.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session = open_session(read_model(path), "cpu", threads=threads)
        try:
            inputs = [(entry.name, entry.type, entry.shape) for entry in self._session.get_inputs()]
        except UnicodeDecodeError:
            raise ModelError(f"{path}: names that are no UTF-8 found") from None
        name, kind, shape = inputs[0] if len(inputs) == 1 else ("", "", [])
        sides = [side for side in shape[1:] if side != CHANNELS]
        if (
            kind not in TYPES
            or len(shape) != 4
            or [type(side) for side in sides] != [int, int]
            or not all(1 <= side <= LARGEST_SIDE_PX for side in sides)
        ):
            raise ModelError(
                f"{path}: inputs {inputs} found, expected one picture of a fixed size, "
                f"[1, 3, H, W] or [1, H, W, 3], each side at most {LARGEST_SIDE_PX} px"
            )
        self.path = path
        self._name, self._type = str(name), TYPES[kind]
        self._channels_first = shape[1] == CHANNELS
        self.size_px = (sides[1], sides[0])
        self._small = np.empty((*sides, CHANNELS), np.uint8)
        self._batch: npt.NDArray[np.generic] | None = None

    def __call__(self, image: Image) -> None:
        """Resize a picture, uint8 [H, W, 3], to the network's size and run the network.

        Raises ModelError when the network fails.
        """
        cv2.resize(image, self.size_px, dst=self._small, interpolation=cv2.INTER_LINEAR)
        if self._batch is None:
            self._batch = self._numbers()
        try:
            self._session.run(None, {self._name: self._batch})
        except Exception as error:  # the pybind layer has one exception type a status code
            raise ModelError(f"{self.path}: the model failed on a frame: {error}") from None

    def _numbers(self) -> npt.NDArray[np.generic]:
        batch = self._small[None]
        if self._channels_first:
            batch = cv2.dnn.blobFromImage(self._small, 1 / 128, mean=(127, 127, 127), swapRB=True)
        return batch.astype(self._type)
