"""Evaluate: `python -m export evaluate`, a model's figures on labelled pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monitor.detections import Detections
from monitor.detector import Detector
from monitor.frame import Image

from .checkpoint import load_network
from .classes import check_labels
from .data_arguments import add_data_set, read_data_set
from .datasets import Sample
from .detections_file import write_detections
from .door_figures import DoorFigures, door_figures
from .frame_detector import FrameDetector, TorchDetector
from .metrics import AveragePrecision, SizeSlice, average_precision
from .postprocess import PostprocessConfig

Detect = Callable[[Image], Detections]


@dataclass(frozen=True)
class Figures:
    """Everything measured on one data set.

    pictures: how many there were.
    slices: average precision for all faces, and for faces of 32 px or more.
    door: see `DoorFigures`; its rates are None where the data set has only one kind of picture.
    """

    pictures: int
    slices: tuple[SizeSlice, ...]
    door: DoorFigures

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and checkpoints."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{'faces':<12}{'class':<16}{'count':>8}{'AP50':>8}{'AP':>8}"]
        for part in self.slices:
            size = f">= {part.smallest_px:g} px" if part.smallest_px else "all"
            for name, row in [*part.classes.items(), ("mean", part.mean)]:
                lines.append(f"{size:<12}{name:<16}{_cells(row)}")
        door = self.door
        lines.append(
            f"door: {door.all_masked} pictures all masked, {door.bare} with a bare face, "
            f"of {self.pictures}"
        )
        if door.auc is not None:
            lines.append(f"door AUC {door.auc:.3f}")
        if door.at_most_denials is not None:
            point = door.at_most_denials
            lines.append(
                f"false unlocks {point.false_unlocks:.3f} at {point.denials:.3f} denials "
                f"(tau {point.tau:.3f})"
            )
        return "\n".join(lines)


def _cells(row: AveragePrecision) -> str:
    rates = "".join("       -" if v is None else f"{v:8.3f}" for v in (row.ap50, row.ap))
    return f"{row.faces:>8}{rates}"


def detect_all(detect: Detect, samples: Sequence[Sample]) -> list[Detections]:
    """What a detector finds in each picture, in the same order."""
    return [detect(sample.read()) for sample in tqdm(samples, desc="detecting", unit="picture")]


def measure(samples: Sequence[Sample], found: Sequence[Detections]) -> Figures:
    """All figures of detections against labels; arguments as for `average_precision`."""
    return Figures(len(samples), average_precision(samples, found), door_figures(samples, found))


def open_detector(path: Path, long_side_px: int | None) -> Detector | TorchDetector:
    """The detector in a file.

    path: an ONNX file, run by the runtime's own detector, or a checkpoint, run by torch.
    long_side_px: for a checkpoint: longer side of the network's input; None takes what its training
        validated with.

    Raises ModelError when the file is neither.
    """
    if path.suffix == ".onnx":
        return Detector(path)
    network, content = load_network(path)
    side = long_side_px or content["arguments"]["long_side"]
    return TorchDetector(FrameDetector(network, PostprocessConfig(), side))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `evaluate`."""
    add = parser.add_argument
    add("--model", type=Path, required=True, help="ONNX file or checkpoint")
    add("--split", help="a list of the data set; without it all pictures")
    add("--long-side", type=int, metavar="PX", help="of a checkpoint's network input")
    add("--detections", type=Path, metavar="OUT.json", help="write what was found")
    add_data_set(parser)


def run(options: argparse.Namespace) -> int:
    """Carry out `evaluate`; returns the exit code."""
    samples, _ = read_data_set(options, options.split)
    detector = open_detector(options.model, options.long_side)
    check_labels(samples, detector.classes)
    found = detect_all(detector, samples)
    if options.detections:
        write_detections(options.detections, samples, found)
    print(measure(samples, found))
    return 0
