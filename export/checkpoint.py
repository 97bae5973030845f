"""Checkpoint: a network and all that its training needs to go on, in a file never half-written."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from monitor.contract import ResizeRule
from monitor.errors import MaskgateError, ModelError
from monitor.replacing import replacing

from .retinanet import RetinaNet, network_of

FORMAT = 2
SNAPSHOT = "a snapshot of `retinanet-train`"
# suffixes of what is given in the place of a file of torch.save, and what it is
FOREIGN = {
    ".h5": "weights of Keras",
    ".hdf5": "weights of Keras",
    ".keras": "weights of Keras",
    ".onnx": "an ONNX file",
    ".safetensors": "a safetensors file",
}


class CheckpointError(MaskgateError):
    """A snapshot could not be written."""


def save(path: Path, content: dict[str, Any]) -> None:
    """Write `content` so that `path` holds the old file or the whole new one, also after a crash.

    content: plain values and tensors, as `torch.load(weights_only=True)` accepts them.

    Raises CheckpointError when the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            torch.save({"format": FORMAT, **content}, partial)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise CheckpointError(f"{path}: cannot write the snapshot: {error}") from None


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint; raises ModelError when the file is not one."""
    content = read_torch_file(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(
            f"{path}: no snapshot of this version of `retinanet-train` (expected format {FORMAT})"
        )
    return content


def check_file(path: Path) -> None:
    """Raise ModelError where there is no file."""
    if not path.is_file():
        what = "found a folder, expected a file" if path.is_dir() else "no such file"
        raise ModelError(f"{path}: {what}")


def read_torch_file(path: Path, expected: str = SNAPSHOT) -> Any:
    """The tensors and plain values in a file of `torch.save`; code in it is never run.

    expected: what sort of file it should be, for messages.

    Raises ModelError when it cannot be read, is of another sort, or holds anything else.
    """
    check_file(path)
    if (foreign := FOREIGN.get(path.suffix.lower())) is not None:
        raise ModelError(f"{path}: {foreign} found, expected {expected}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ModelError(
            f"{path}: damaged, or more than tensors and plain values in it, which might run code; "
            f"expected {expected}"
        ) from None
    except PermissionError as error:
        raise ModelError(f"{path}: cannot read the file: {error.strerror}") from None
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        reason = (str(error) or "the file ends too early").splitlines()[0]
        raise ModelError(f"{path}: damaged: {reason}") from None
    except Exception:
        # torch takes the bytes of any file for steps to follow, and lets out what they end in
        raise ModelError(f"{path}: damaged, or no file of PyTorch; expected {expected}") from None


def load_network(path: Path) -> tuple[RetinaNet, dict[str, Any]]:
    """The averaged network of a checkpoint, in evaluation mode, and the checkpoint itself."""
    content = load(path)
    try:
        network = network_of(content["config"])
        network.load_state_dict(content["averaged"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: the checkpoint does not fit its own config: {error}") from None
    return network.eval(), content


def resize_rule(content: dict[str, Any]) -> ResizeRule:
    """At which size the network of a checkpoint was trained to look at pictures."""
    return ResizeRule(**content["resize"])
