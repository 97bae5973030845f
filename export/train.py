"""Train: `python -m export train`, from labelled pictures to a checkpoint."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from monitor.errors import UsageError

from . import checkpoint
from .classes import check_labels, class_names
from .data_arguments import has_split, read_data_set
from .datasets import Sample
from .engine import Schedule, make_average, make_optimiser, train_epoch
from .evaluate import detect_all, measure
from .frame_detector import FrameDetector, TorchDetector
from .postprocess import PostprocessConfig
from .retinanet import RetinaNet
from .training_options import PRECISIONS, check_options, network_config, plain
from .training_set import TrainingSet
from .weights import load_weights

KEPT_PICTURES = 6


@dataclass
class Training:
    """A training under way: everything that a checkpoint holds.

    history: one entry an epoch, losses and, where validated, figures.
    pictures: a few encoded pictures, uint8 [bytes] each, on which the exported file is compared
        with the network; they make the checkpoint enough for `python -m export onnx`.
    """

    network: RetinaNet
    average: torch.optim.swa_utils.AveragedModel
    optimiser: torch.optim.Optimizer
    arguments: dict[str, Any]
    history: list[dict[str, Any]]
    pictures: list[Tensor]

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        checkpoint.save(
            path,
            {
                "config": self.network.config.to_dict(),
                "arguments": self.arguments,
                "history": self.history,
                "pictures": self.pictures,
                "network": self.network.state_dict(),
                "averaged": self.average.module.state_dict(),
                "steps_averaged": self.average.n_averaged,
                "optimiser": self.optimiser.state_dict(),
            },
        )

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint; raises UsageError when it belongs to another training."""
        content = checkpoint.load(path)
        differing = [
            f"{name}: {content['arguments'].get(name)} there, {value} here"
            for name, value in self.arguments.items()
            if content["arguments"].get(name) != value
        ]
        if differing:
            raise UsageError(f"--resume {path}: other arguments: " + "; ".join(differing))
        self.network.load_state_dict(content["network"])
        self.average.module.load_state_dict(content["averaged"])
        self.average.n_averaged.copy_(content["steps_averaged"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.history = content["history"]


def run(options: argparse.Namespace) -> int:
    """Carry out `train`; returns the exit code."""
    check_options(options)
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    samples, names = read_data_set(options, "train" if has_split(options, "train") else None)
    classes = names or class_names(samples)
    if options.scenes and not {"mask", "noMask"} <= set(classes):
        raise UsageError(
            "--scenes: drawn scenes show mask and noMask, but the classes are "
            f"{', '.join(classes)}; expected --scenes 0"
        )
    validation = read_data_set(options, "val")[0] if has_split(options, "val") else []
    check_labels(validation, classes)

    config = network_config(options, classes)
    network = RetinaNet(config).to(device, memory_format=torch.channels_last)
    if options.weights:
        print(f"{options.weights.name}: {load_weights(network, options.weights)}")
    if options.freeze_stem:
        # its normalisations still follow the data: their statistics are no parameters
        for module in network.backbone.body.stem():
            module.requires_grad_(False)
    training = Training(
        network,
        make_average(network, options.average_decay),
        make_optimiser(network, options.weight_decay),
        plain(options),
        [],
        encoded_pictures(validation or samples),
    )
    last = options.output / "last.pt"
    if options.resume and last.is_file():
        training.restore(last)
        print(f"{last}: going on after epoch {len(training.history)}")

    views = TrainingSet(
        samples, config.classes, side_px=options.crop, scenes=options.scenes, seed=options.seed
    )
    fit(training, views, validation, options, device)
    print(f"{last}: done after {len(training.history)} epochs", file=sys.stderr)
    return 0


def encoded_pictures(samples: Sequence[Sample]) -> list[Tensor]:
    """The files of a few pictures with a face, spread over the samples."""
    faces = [sample for sample in samples if len(sample.boxes)] or list(samples)
    chosen = faces[:: max(len(faces) // KEPT_PICTURES, 1)][:KEPT_PICTURES]
    return [torch.frombuffer(bytearray(s.path.read_bytes()), dtype=torch.uint8) for s in chosen]


def fit(
    training: Training,
    views: TrainingSet,
    validation: list[Sample],
    options: argparse.Namespace,
    device: torch.device,
) -> None:
    """Train the epochs that are left, with a checkpoint and a line of JSON after each."""
    for epoch in range(len(training.history), options.epochs):
        batches = views.batches(epoch, options.batch_size, options.workers)
        steps = len(batches)
        schedule = Schedule(options.lr, options.warmup_steps, options.epochs * steps)
        entry: dict[str, Any] = train_epoch(
            training.network,
            training.average,
            batches,
            training.optimiser,
            schedule,
            first_step=epoch * steps,
            device=device,
            precision=PRECISIONS[options.precision],
            clip_norm=options.clip_norm,
            title=f"epoch {epoch + 1}/{options.epochs}",
        )
        last_epoch = epoch + 1 == options.epochs
        due = options.validate_every and (epoch + 1) % options.validate_every == 0
        if validation and (last_epoch or due):
            graph = FrameDetector(training.average.module, PostprocessConfig(), options.long_side)
            figures = measure(validation, detect_all(TorchDetector(graph), validation))
            print(figures)
            entry["validation"] = figures.to_dict()
        training.history.append(entry)
        training.save(options.output / "last.pt")
        print(json.dumps({"epoch": epoch + 1, **entry}))
