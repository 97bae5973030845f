"""To ONNX: `python -m export onnx`, from a checkpoint to the one file that the monitor runs."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from torch import Tensor

from monitor import __version__
from monitor.contract import INPUT, OUTPUTS, Contract
from monitor.detections import Detections
from monitor.detector import Detector
from monitor.errors import MaskgateError
from monitor.frame import Image

from .checkpoint import load_network
from .frame_detector import FrameDetector, TorchDetector
from .postprocess import PostprocessConfig

OPSET = 20
CAMERA_SIZES = ((1280, 720), (640, 480))
SCORE_TOLERANCE = 2e-3
BOX_TOLERANCE = 1e-3


class ExportError(MaskgateError):
    """The exported file does not do what the network does."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `onnx`."""
    add = parser.add_argument
    defaults = PostprocessConfig()
    add("--long-side", type=int, metavar="PX", help="of the network's input; else as validated")
    add(
        "--detections",
        type=int,
        default=defaults.detections,
        metavar="K",
        help="rows of the output",
    )
    add(
        "--candidates",
        type=int,
        default=defaults.candidates,
        metavar="K",
        help="anchors suppressed",
    )
    add("--iou", type=float, default=defaults.iou, help="overlap that suppresses")
    add("--grant", type=float, default=Contract.grant, help="default threshold stored in the file")
    add("--deny", type=float, default=Contract.deny, help="default threshold stored in the file")
    add("checkpoint", type=Path, metavar="CHECKPOINT")
    add("output", type=Path, metavar="OUT.onnx")


def run(options: argparse.Namespace) -> int:
    """Carry out `onnx`; returns the exit code."""
    network, content = load_network(options.checkpoint)
    config = PostprocessConfig(options.candidates, options.detections, options.iou)
    long_side = options.long_side or content["arguments"]["long_side"]
    detector = FrameDetector(network, config, long_side).eval()
    contract = Contract(
        classes=network.config.classes,
        long_side_px=long_side,
        grant=options.grant,
        deny=options.deny,
        producer=f"maskgate {__version__}",
        training={"epochs": len(content["history"]), **content["arguments"]},
        metrics=validated(content),
    )
    pictures = list(views(content["pictures"]))
    expected = answers(detector, pictures)
    partial = options.output.with_name(options.output.name + ".partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_model(detector, contract, partial)
        worst = compare(expected, Detector(partial, device="cpu", resize_on_host=False), pictures)
        partial.replace(options.output)
    finally:
        partial.unlink(missing_ok=True)
    size = f"{options.output.stat().st_size / 1e6:.1f} MB"
    print(f"{options.output}: {size}; agrees with torch on {len(pictures)} pictures: {worst}")
    return 0


def validated(content: dict[str, Any]) -> dict[str, Any]:
    """The figures of a checkpoint's last validation and the input size they hold for, if any."""
    last = content["history"][-1] if content["history"] else {}
    if "validation" not in last:
        return {}
    return {"long_side_px": content["arguments"]["long_side"], **last["validation"]}


def write_model(detector: FrameDetector, contract: Contract, path: Path) -> None:
    """Write the graph and its metadata.

    detector: in evaluation mode, on the CPU.
    path: where the ONNX file goes.
    """
    free = torch.export.Dim.DYNAMIC
    example = torch.zeros((2, 360, 500, 3), dtype=torch.uint8)
    with quiet_exporter():
        program = torch.onnx.export(
            detector,
            (example,),
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes={"image": {0: free, 1: free, 2: free}},
            opset_version=OPSET,
            dynamo=True,
        )
    assert program is not None, "the dynamo exporter always returns a program"
    model = program.model_proto
    for dimension, name in zip(
        model.graph.input[0].type.tensor_type.shape.dim[:3], "BHW", strict=True
    ):
        dimension.dim_param = name
    # the exporter notes a stack trace at every node, with the paths of the machine it ran on
    for part in (*model.graph.node, *model.graph.value_info, model.graph):
        del part.metadata_props[:]
    onnx.helper.set_model_props(model, contract.to_metadata())
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


@contextlib.contextmanager
def quiet_exporter() -> Iterator[None]:
    """Keep torch's exporter from narrating its steps and warning of its own internals."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def views(encoded: Iterable[Tensor]) -> Iterator[Image]:
    """Each picture at its own size and at those of cameras.

    encoded: files of pictures, uint8 [bytes] each.
    """
    for file in encoded:
        picture = np.asarray(cv2.imdecode(file.numpy(), cv2.IMREAD_COLOR), np.uint8)
        yield picture
        for size in CAMERA_SIZES:
            yield np.asarray(cv2.resize(picture, size), np.uint8)


def answers(graph: FrameDetector, pictures: list[Image]) -> list[Detections]:
    """What the network itself finds in each picture.

    Raises ExportError when that is nothing at all, so that no comparison would prove anything.
    """
    detect = TorchDetector(graph)
    found = [detect(picture) for picture in pictures]
    if not any(map(len, found)):
        raise ExportError(f"the network found no face in {len(pictures)} pictures; train it longer")
    return found


def compare(
    expected: list[Detections], detect: Callable[[Image], Detections], pictures: list[Image]
) -> str:
    """Hold the exported file to the network, picture by picture.

    expected: what the network finds in each picture.
    detect: the exported file.

    Returns the largest differences in words. Raises ExportError when a face is missing, or a score
    or box differs by more than rounding.
    """
    worst_score = worst_box = 0.0
    for picture, wanted in zip(pictures, expected, strict=True):
        found = detect(picture)
        height_px, width_px = picture.shape[:2]
        if len(wanted) != len(found):
            raise ExportError(
                f"a picture of {width_px} x {height_px} px: {len(found)} faces found by ONNX, "
                f"expected torch's {len(wanted)}"
            )
        score = float(np.abs(wanted.scores - found.scores).max(initial=0))
        box = float(np.abs(wanted.boxes - found.boxes).max(initial=0)) / max(width_px, height_px)
        worst_score, worst_box = max(worst_score, score), max(worst_box, box)
    if worst_score > SCORE_TOLERANCE or worst_box > BOX_TOLERANCE:
        raise ExportError(
            f"ONNX and torch differ by {worst_score:.4f} in a score and {worst_box:.4f} of the "
            f"picture's side in a box; expected at most {SCORE_TOLERANCE} and {BOX_TOLERANCE}"
        )
    total = sum(map(len, expected))
    return f"{total} faces, score within {worst_score:.1e}, box within {worst_box:.1e} of the side"
