"""Training: everything that is learnt and known at one moment, and its snapshot on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from monitor.contract import ResizeRule
from monitor.errors import UsageError

from . import checkpoint
from .datasets import Sample
from .engine import EpochProgress
from .retinanet import RetinaNet

KEPT_PICTURES = 6
# where a training started; one that is continued started where its snapshot says
START = frozenset({"imagenet_weights", "weights", "no_weights"})


@dataclass
class Training:
    """A training under way: everything that a snapshot holds.

    scaler: of float16 gradients; idle otherwise.
    resize: the size at which the network looks at pictures.
    arguments: the options that decide what is learnt.
    history: one entry an epoch: losses and, where validated, figures.
    loaded: names of the tensors that training did not start with at random.
    pictures: a few encoded pictures, uint8 [bytes] each, on which the exported file is compared
        with the network; they make the snapshot enough for `python -m export onnx`.
    epoch: the epoch under way, from 0.
    progress: how far it has come.
    """

    network: RetinaNet
    average: AveragedModel
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    resize: ResizeRule
    arguments: dict[str, Any]
    loaded: frozenset[str]
    pictures: list[Tensor] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    epoch: int = 0
    progress: EpochProgress = field(default_factory=EpochProgress)

    def save(self, path: Path) -> None:
        """Write the snapshot."""
        rule = self.resize
        checkpoint.save(
            path,
            {
                "config": self.network.config.to_dict(),
                "resize": {
                    "min_side_px": rule.min_side_px,
                    "max_side_px": rule.max_side_px,
                    "multiple_px": rule.multiple_px,
                },
                "arguments": self.arguments,
                "loaded": sorted(self.loaded),
                "history": self.history,
                "epoch": self.epoch,
                "progress": self.progress.to_dict(),
                "pictures": self.pictures,
                "network": self.network.state_dict(),
                "averaged": self.average.module.state_dict(),
                "steps_averaged": self.average.n_averaged,
                "optimiser": self.optimiser.state_dict(),
                "scaler": self.scaler.state_dict(),
            },
        )

    def restore(self, path: Path) -> None:
        """Go on from a snapshot; raises UsageError when it belongs to no training, or another."""
        content = checkpoint.load(path)
        if "optimiser" not in content:
            raise UsageError(
                f"--snapshot {path}: a mean of snapshots found, expected one of a training; "
                "--weights starts one from it"
            )
        differing = [
            f"{name}: {content['arguments'].get(name)} there, {value} here"
            for name, value in self.arguments.items()
            if name not in START and content["arguments"].get(name) != value
        ]
        if differing:
            raise UsageError(
                f"--snapshot {path}: from a training with other options: {'; '.join(differing)}; "
                "expected the same, or --weights to start another training from it"
            )
        self.arguments |= {name: content["arguments"].get(name) for name in START}
        self.network.load_state_dict(content["network"])
        self.average.module.load_state_dict(content["averaged"])
        self.average.n_averaged.copy_(content["steps_averaged"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.scaler.load_state_dict(content["scaler"])
        self.history = content["history"]
        self.epoch = content["epoch"]
        self.progress = EpochProgress(**content["progress"])


def encoded_pictures(samples: Sequence[Sample]) -> list[Tensor]:
    """The files of a few pictures with an object, spread over the samples."""
    labelled = [sample for sample in samples if len(sample.boxes)] or list(samples)
    chosen = labelled[:: max(len(labelled) // KEPT_PICTURES, 1)][:KEPT_PICTURES]
    return [torch.frombuffer(bytearray(s.path.read_bytes()), dtype=torch.uint8) for s in chosen]
