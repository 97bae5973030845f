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
from .backbone import BACKBONES
from .classes import check_labels, class_names
from .data_arguments import add_data_set, has_split, read_data_set
from .datasets import Sample
from .engine import Schedule, make_average, make_optimiser, train_epoch
from .evaluate import detect_all, measure
from .frame_detector import TorchDetector
from .retinanet import IMAGENET_MEAN, IMAGENET_STD, RetinaNet, RetinaNetConfig
from .training_set import TrainingSet
from .weights import load_weights

NORMALISATIONS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
KEPT_PICTURES = 6
PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `train`."""
    add = parser.add_argument
    add("--output", type=Path, default=Path("runs/train"), help="folder of the checkpoints")
    add("--resume", action="store_true", help="go on from OUTPUT/last.pt where there is one")
    add("--epochs", type=int, default=20)
    add("--batch-size", type=int, default=16)
    add("--lr", type=float, default=1e-3, help="highest learning rate of AdamW")
    add("--weight-decay", type=float, default=0.02)
    add("--warmup-steps", type=int, default=300)
    add("--clip-norm", type=float, default=10.0, help="longest gradient let through")
    add("--average-decay", type=float, default=0.998, help="of the moving average, per step")
    add("--seed", type=int, default=0)
    add("--workers", type=int, default=1, help="processes that prepare pictures")
    add("--precision", choices=PRECISIONS, default="bf16")
    add("--crop", type=int, default=320, metavar="PX", help="side of a training view")
    add("--scenes", type=float, default=0.1, help="drawn scenes for each real picture")
    add("--validate-every", type=int, default=4, metavar="EPOCHS", help="0: only after the last")
    add("--long-side", type=int, default=640, metavar="PX", help="longer side at validation")
    add("--backbone", choices=BACKBONES, default=RetinaNetConfig.backbone)
    add("--width", type=float, default=RetinaNetConfig.width, help="factor on backbone channels")
    add("--fpn-channels", type=int, default=RetinaNetConfig.fpn_channels)
    add("--subnet-depth", type=int, default=RetinaNetConfig.subnet_depth)
    for name in ("sizes", "ratios", "scales"):
        default = getattr(RetinaNetConfig, f"anchor_{name}")
        add(f"--anchor-{name}", type=float, nargs="+", default=default)
    add("--weights", type=Path, help="start from this .safetensors or .pth file")
    add("--freeze-stem", action="store_true", help="leave the loaded stem as it is: twice as fast")
    add("--normalisation", choices=NORMALISATIONS, default="imagenet", help="of the weights")
    add_data_set(parser)


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
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    samples, names = read_data_set(options, "train" if has_split(options, "train") else None)
    classes = names or class_names(samples)
    validation = read_data_set(options, "val")[0] if has_split(options, "val") else []
    check_labels(validation, classes)

    mean, std = NORMALISATIONS[options.normalisation]
    config = RetinaNetConfig(
        classes=classes,
        backbone=options.backbone,
        width=options.width,
        fpn_channels=options.fpn_channels,
        subnet_depth=options.subnet_depth,
        anchor_sizes=tuple(options.anchor_sizes),
        anchor_ratios=tuple(options.anchor_ratios),
        anchor_scales=tuple(options.anchor_scales),
        mean=mean,
        std=std,
    )
    network = RetinaNet(config).to(device, memory_format=torch.channels_last)
    if options.weights:
        print(f"{options.weights.name}: {load_weights(network, options.weights)}")
    if options.freeze_stem:
        freeze_stem(network, options.weights)
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


def freeze_stem(network: RetinaNet, weights: Path | None) -> None:
    """Exclude the backbone's stem from training; its normalisations still follow the data."""
    if weights is None:
        raise UsageError("--freeze-stem: no --weights given; a random stem would stay random")
    for module in network.backbone.body.stem():
        module.requires_grad_(False)


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
            detector = TorchDetector(training.average.module, options.long_side)
            figures = measure(validation, detect_all(detector, validation))
            print(figures)
            entry["validation"] = figures.to_dict()
        training.history.append(entry)
        training.save(options.output / "last.pt")
        print(json.dumps({"epoch": epoch + 1, **entry}))


def plain(options: argparse.Namespace) -> dict[str, Any]:
    """The options that decide what is learnt, as plain values for the checkpoint."""
    ignored = {"output", "resume", "workers", "validate_every", "command", "run"}
    values = {k: v for k, v in vars(options).items() if k not in ignored}
    return {k: v.name if isinstance(v, Path) else v for k, v in values.items()}
