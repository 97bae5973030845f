"""Checkpoint: a network and all that its training needs to go on, in a file never half-written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from monitor.errors import ModelError

from .retinanet import RetinaNet, RetinaNetConfig

FORMAT = 1


def save(path: Path, content: dict[str, Any]) -> None:
    """Write `content` so that `path` holds the old file or the whole new one, also after a crash.

    content: plain values and tensors, as `torch.load(weights_only=True)` accepts them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        torch.save({"format": FORMAT, **content}, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running code in it; raises ModelError when that cannot be done."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file, expected a checkpoint of `python -m export train`")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a different type for every kind of damage
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path}: not a readable checkpoint: {first}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(
            f"{path}: not a checkpoint of `python -m export train` (expected format {FORMAT})"
        )
    return content


def load_network(path: Path) -> tuple[RetinaNet, dict[str, Any]]:
    """The averaged network of a checkpoint, in evaluation mode, and the checkpoint itself."""
    content = load(path)
    try:
        network = RetinaNet(RetinaNetConfig.from_dict(content["config"]))
        network.load_state_dict(content["averaged"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: the checkpoint does not fit its own config: {error}") from None
    return network.eval(), content
