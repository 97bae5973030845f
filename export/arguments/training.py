"""Training options: what `train` may be told, and the bounds of it."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from monitor.errors import UsageError

from ..backbone import BACKBONES
from ..engine import PRECISIONS
from ..optimisers import OPTIMISERS
from ..retinanet import IMAGENET_MEAN, IMAGENET_STD, RetinaNetConfig
from ..teacher import TEACHER_SHARE
from ..views.repeats import wrong_repeats
from .anchors import add_anchors
from .augmentation import add_augmentation, wrong_augmentation
from .data import add_data_set
from .resize import add_resize
from .retired import add_retired

NORMALISATIONS = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
SMALLEST_WIDTH, LARGEST_WIDTH = 0.25, 4.0
MOST_SCENES = 1000
# options that change nothing of what is learnt, or may differ when a training is continued
NOT_LEARNT = frozenset(
    {
        "cache_megabytes",
        "compute_val_loss",
        "damaged",
        "early_stop",
        "epochs",
        "evaluation",
        "gpu",
        "initial_epoch",
        "snapshot",
        "snapshot_path",
        "snapshot_seconds",
        "snapshots",
        "tensorboard_dir",
        "validate_every",
        "workers",
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `train`, keras-retinanet's among them under their own names."""
    _add_start(parser)
    _add_network(parser)
    _add_course(parser)
    _add_pictures(parser)
    _add_files(parser)
    add_retired(parser, "train")
    add_data_set(parser)


def _add_start(parser: argparse.ArgumentParser) -> None:
    add = parser.add_mutually_exclusive_group().add_argument
    add("--snapshot", type=Path, metavar="FILE", help="go on with the training in this snapshot")
    add(
        "--imagenet-weights",
        action="store_true",
        help="start from torchvision's backbone, fetched once; the default, where it can be had",
    )
    add(
        "--weights",
        type=Path,
        metavar="FILE",
        help="start from a .pth, .safetensors, .onnx or snapshot",
    )
    add("--no-weights", action="store_true", help="start from random weights")
    add = parser.add_argument
    add(
        "--normalisation",
        choices=NORMALISATIONS,
        help="of the weights; as their file says, else imagenet",
    )
    add("--teacher", type=Path, metavar="FILE", help="snapshot of a network to learn from as well")
    add("--teacher-share", type=float, help=f"its weight beside the labels; else {TEACHER_SHARE}")
    add("--freeze-backbone", action="store_true", help="leave what was loaded of it as it is")
    add("--freeze-stem", action="store_true", help="the same for what comes before stride 8")


def _add_network(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    implied = "; as the weights imply, else"
    add("--backbone", choices=BACKBONES, help=f"default{implied} {RetinaNetConfig.backbone}")
    add("--width", type=float, help=f"factor on backbone channels{implied} 1")
    add("--expansion", type=int, help=f"of each block of mobilenet_v2{implied} 6; fewer are chosen")
    add(
        "--fused",
        action="store_true",
        default=None,
        help="one convolution in place of the first four behind the stem of mobilenet_v2",
    )
    add("--fpn-channels", type=int, help=f"default{implied} {RetinaNetConfig.fpn_channels}")
    add("--subnet-depth", type=int, help=f"default{implied} {RetinaNetConfig.subnet_depth}")
    add_anchors(parser)


def _add_course(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--batch-size", type=int, default=8, help="of all processes together")
    add("--steps", type=int, metavar="N", help="batches an epoch; else one pass over the pictures")
    add("--epochs", type=int, default=50)
    add("--initial-epoch", type=int, metavar="N", help="epoch to begin with, counted from 0")
    add("--optimizer", choices=OPTIMISERS, default="adamw")
    rates = ", ".join(f"{rate:g} for {name}" for name, (_, rate, _) in OPTIMISERS.items())
    add("--lr", type=float, help=f"highest learning rate; else {rates}")
    add("--schedule", choices=("cosine", "constant"), default="cosine", help="after the warm-up")
    add("--warmup-steps", type=int, default=300, help="a tenth of the training at most")
    add(
        "--reduce-lr-patience",
        type=int,
        default=0,
        metavar="EPOCHS",
        help="epochs without a lower loss after which the rate falls; 0: never",
    )
    add("--reduce-lr-factor", type=float, default=0.1, help="by how much it then falls")
    add("--weight-decay", type=float, default=0.02)
    add("--optimizer-clipnorm", type=float, default=10.0, help="longest gradient let through")
    add("--average-decay", type=float, default=0.998, help="of the moving average, per step")
    add("--batch-norm", choices=("adapt", "frozen"), default="adapt", help="its statistics")
    add("--precision", choices=PRECISIONS, default="bf16", help="of the convolutions")
    add("--seed", type=int, default=0)
    add(
        "--early-stop",
        type=int,
        default=0,
        metavar="N",
        help="validations without 0.01 more AP50 after which training ends; 0: never",
    )


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_resize(parser)
    add_augmentation(parser)
    add("--scenes", type=float, default=0.0, help="drawn door scenes for each real picture")
    add(
        "--repeat",
        action="append",
        metavar="LABEL=N",
        help="show pictures with this label, as in their files, N times an epoch; may be repeated",
    )
    add("--workers", type=int, default=1, help="processes that prepare pictures")
    add(
        "--cache-megabytes",
        type=float,
        default=8000.0,
        help="room for decoded pictures; the rest is read again each time",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--snapshot-path", type=Path, default=Path("snapshots"), help="folder of last.pt, best.pt")
    add(
        "--snapshot-seconds",
        type=float,
        default=120.0,
        metavar="T",
        help="time between two snapshots inside an epoch; there is one after each anyway",
    )
    add("--no-snapshots", dest="snapshots", action="store_false", help="write no files at all")
    add("--no-evaluation", dest="evaluation", action="store_false", help="never validate")
    add("--validate-every", type=int, default=1, metavar="EPOCHS")
    add("--compute-val-loss", action="store_true", help="also the loss on the validation set")
    add("--tensorboard-dir", type=Path, metavar="DIR", help="log to TensorBoard too")
    add("--gpu", metavar="N", help="number of the GPU to use")


def check_options(options: argparse.Namespace) -> None:
    """Raise UsageError, listing every option out of its range.

    The least width stands for a fault of torch 2.13 on several threads: the narrowest backbones
    corrupt memory.
    """
    wrong = wrong_augmentation(options) + wrong_repeats(options.repeat or ())
    if options.teacher_share is not None and options.teacher is None:
        wrong.append("--teacher-share: found without --teacher, expected both")
    wrong += [
        f"--{name.replace('_', '-')}: {value} found, expected {expected}"
        for name, least, most, expected in (
            ("width", SMALLEST_WIDTH, LARGEST_WIDTH, f"{SMALLEST_WIDTH} to {LARGEST_WIDTH:g}"),
            ("epochs", 1, math.inf, "1 or more"),
            ("steps", 1, math.inf, "1 or more"),
            ("batch_size", 1, math.inf, "1 or more"),
            ("initial_epoch", 0, math.inf, "0 or more"),
            ("warmup_steps", 0, math.inf, "0 or more"),
            ("workers", 0, math.inf, "0 or more"),
            ("snapshot_seconds", 0, math.inf, "0 or more"),
            ("validate_every", 1, math.inf, "1 or more"),
            ("early_stop", 0, math.inf, "0 or more"),
            ("reduce_lr_patience", 0, math.inf, "0 or more"),
            ("reduce_lr_factor", 1e-6, 1 - 1e-6, "between 0 and 1"),
            ("seed", 0, math.inf, "0 or more"),
            ("lr", 1e-12, math.inf, "more than 0"),
            ("weight_decay", 0, math.inf, "0 or more"),
            ("optimizer_clipnorm", 1e-12, math.inf, "more than 0"),
            ("average_decay", 0, 1 - 1e-9, "0 or more, below 1"),
            ("scenes", 0, MOST_SCENES, f"0 to {MOST_SCENES}"),
            ("teacher_share", 0, 1, "a share of 0 to 1"),
            ("expansion", 2, math.inf, "2 or more"),
            ("fpn_channels", 1, math.inf, "1 or more"),
            ("subnet_depth", 0, math.inf, "0 or more"),
            ("cache_megabytes", 0, math.inf, "0 or more"),
        )
        if (value := getattr(options, name)) is not None and not least <= value <= most
    ]
    if wrong:
        raise UsageError("; ".join(wrong))


def plain(options: argparse.Namespace) -> dict[str, Any]:
    """The options that decide what is learnt, as plain values for the snapshot."""
    values = {k: v for k, v in vars(options).items() if k not in NOT_LEARNT}
    return {k: v.name if isinstance(v, Path) else v for k, v in values.items()}
