"""Training options: what `train` may be told, and the bounds of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch

from monitor.errors import UsageError

from .anchors import STRIDES
from .backbone import BACKBONES
from .data_arguments import add_data_set
from .retinanet import IMAGENET_MEAN, IMAGENET_STD, RetinaNetConfig

NORMALISATIONS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
SMALLEST_CROP_PX = 128
SMALLEST_WIDTH = 0.25
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
    add("--freeze-stem", action="store_true", help="leave the loaded stem as it is: faster")
    add("--normalisation", choices=NORMALISATIONS, default="imagenet", help="of the weights")
    add_data_set(parser)


def check_options(options: argparse.Namespace) -> None:
    """Raise UsageError, listing every option out of its range.

    Two of the bounds stand for faults of torch 2.13 on several threads: in bfloat16 the gradient of
    P7 is garbage where P6 is a single pixel, and the narrowest backbones corrupt memory.
    """
    checks = [
        (
            options.crop >= SMALLEST_CROP_PX and options.crop % 32 == 0,
            f"--crop: {options.crop} found, expected a multiple of 32, at least {SMALLEST_CROP_PX}",
        ),
        (
            options.width >= SMALLEST_WIDTH,
            f"--width: {options.width} found, expected at least {SMALLEST_WIDTH}",
        ),
        (
            len(options.anchor_sizes) == len(STRIDES),
            f"--anchor-sizes: {len(options.anchor_sizes)} found, expected {len(STRIDES)}",
        ),
        (
            not options.freeze_stem or options.weights is not None,
            "--freeze-stem: no --weights given; a random stem would stay random",
        ),
        (options.scenes >= 0, f"--scenes: {options.scenes} found, expected 0 or more"),
        (options.lr > 0, f"--lr: {options.lr} found, expected more than 0"),
        *(
            (
                getattr(options, name) >= least,
                f"--{name.replace('_', '-')}: expected {least} or more",
            )
            for name, least in (
                ("epochs", 1),
                ("batch_size", 1),
                ("workers", 0),
                ("validate_every", 0),
                ("long_side", 32),
                ("fpn_channels", 1),
                ("subnet_depth", 0),
            )
        ),
    ]
    wrong = [message for right, message in checks if not right]
    if wrong:
        raise UsageError("; ".join(wrong))


def network_config(options: argparse.Namespace, classes: tuple[str, ...]) -> RetinaNetConfig:
    """The network that the options describe."""
    mean, std = NORMALISATIONS[options.normalisation]
    return RetinaNetConfig(
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


def plain(options: argparse.Namespace) -> dict[str, Any]:
    """The options that decide what is learnt, as plain values for the checkpoint."""
    ignored = {"output", "resume", "workers", "validate_every", "command", "run"}
    values = {k: v for k, v in vars(options).items() if k not in ignored}
    return {k: v.name if isinstance(v, Path) else v for k, v in values.items()}
