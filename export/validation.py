"""Validation: what a network in training finds in pictures that it is not trained on."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import torch

from monitor.contract import ResizeRule
from monitor.errors import UsageError

from .datasets import DataSet
from .engine import batch_loss
from .evaluate import detect_all
from .figures.figures import measure
from .graph.frame_detector import FrameDetector, TorchDetector
from .matcher import Match
from .postprocess import PostprocessConfig
from .retinanet import RetinaNet
from .views.training_set import TrainingSet


def check_validation(options: argparse.Namespace, data_set: DataSet | None) -> None:
    """Raise UsageError for an option that means nothing without a validation.

    data_set: to validate on; None without one.
    """
    names = ("early_stop", "compute_val_loss")
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]
    if given and data_set is None:
        raise UsageError(
            f"{', '.join(given)}: found without a validation, expected a list val or "
            "--val-annotations, and no --no-evaluation"
        )


def validated(network: RetinaNet, resize: ResizeRule, data_set: DataSet) -> dict[str, Any]:
    """Figures of the network as it would be exported: `validation` and `ap50`, for the history.

    They are printed as a table, too.
    """
    detect = TorchDetector(FrameDetector(network, PostprocessConfig(), resize))
    figures = measure(data_set.samples, detect_all(detect, data_set.samples))
    print(figures, flush=True)
    return {"validation": figures.to_dict(), "ap50": figures.mean_ap50}


@torch.inference_mode()
def mean_loss(
    network: RetinaNet, views: TrainingSet, workers: int, device: torch.device, matcher: Match
) -> dict[str, float]:
    """`class_loss` and `box_loss` over whole pictures, each by the matched anchors of all.

    views: without augmentation; they are looked at one by one, in float32.
    workers: processes that make them.
    matcher: says which box each anchor is to predict.
    """
    network.eval()
    totals = torch.zeros(3, dtype=torch.float64)
    order = [[(number, number)] for number in range(len(views))]
    for pictures, targets in views.batches(0, order, workers):
        totals += batch_loss(
            network, pictures, targets, device, torch.float32, matcher=matcher
        ).cpu()
    class_sum, box_sum, positives = totals.tolist()
    return {
        "class_loss": class_sum / max(positives, 1),
        "box_loss": box_sum / max(positives, 1),
    }


def ap50s(history: Sequence[dict[str, Any]]) -> list[float]:
    """The mean AP50 of each validation so far."""
    return [entry["ap50"] for entry in history if entry.get("ap50") is not None]


def best_epoch(history: Sequence[dict[str, Any]]) -> int:
    """Number of the epoch that was validated best, from 1, the first of equals; 0 without one."""
    values = ap50s(history)
    return [entry.get("ap50") for entry in history].index(max(values)) + 1 if values else 0
