"""To ONNX: `python -m export onnx`, from a snapshot to the one file that the monitor runs."""

from __future__ import annotations

import argparse
import sys
from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

from onnx import ModelProto

from monitor import __version__
from monitor.contract import SCORE_FLOOR, Contract, ResizeRule
from monitor.detector import Detector
from monitor.errors import UsageError
from monitor.replacing import replacing

from .arguments.resize import add_resize, read_asked_resize
from .arguments.retired import add_retired
from .checkpoint import load_network, resize_rule
from .figures.measured import Measured, read_measured
from .graph.centring import folded
from .graph.frame_detector import FrameDetector
from .graph.onnx_graph import half_precision, same_graph, save_model, trace
from .graph.parity import TOLERANCES, ExportError, answers, compare, views
from .graph.quantize import calibration_pictures, quantise
from .graph.stem import on_bytes
from .graph.widening import widened
from .output_files import make_folders, write_json
from .postprocess import PostprocessConfig
from .retinanet import RetinaNet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `onnx`."""
    add = parser.add_argument
    usual = PostprocessConfig()
    add("--no-nms", action="store_true", help="suppress nothing")
    add(
        "--nms-threshold",
        type=float,
        default=usual.iou,
        metavar="IOU",
        help="overlap that suppresses",
    )
    add(
        "--score-threshold",
        type=float,
        default=usual.score_threshold,
        metavar="T",
        help=f"rows that score less are zeros; the monitor drops what is below {SCORE_FLOOR}",
    )
    add(
        "--max-detections",
        type=int,
        default=usual.detections,
        metavar="K",
        help="rows of the output",
    )
    add(
        "--candidates",
        type=int,
        default=usual.candidates,
        metavar="K",
        help="anchors that reach suppression, at least --max-detections; with --int8 all do",
    )
    add(
        "--class-specific-filter",
        action=BooleanOptionalAction,
        default=usual.class_specific,
        help="let a detection suppress only others of its own class",
    )
    add_resize(parser, default=False)
    add("--fp16", action="store_true", help="backbone and heads in float16, for a GPU")
    add("--int8", action="store_true", help="convolutions in int8, for a processor")
    add("--calibration", type=Path, metavar="DIR", help="folder of pictures for --int8")
    add("--report", type=Path, metavar="OUT.json", help="write how far the file is from torch")
    add(
        "--measured",
        type=Path,
        metavar="REPORT.json",
        help="store the figures of `evaluate --report` and, for a door, thresholds chosen by its "
        "curve; of the snapshot, or of OUT.onnx as it was made before with the same options",
    )
    stored = "default threshold stored in the file; else the measured one, else"
    add("--grant", type=float, help=f"{stored} {Contract.grant}")
    add("--deny", type=float, help=f"{stored} {Contract.deny}")
    add_retired(parser, "onnx")
    add("checkpoint", type=Path, metavar="SNAPSHOT.pt")
    add("output", type=Path, metavar="OUT.onnx")


def run(options: argparse.Namespace) -> int:
    """Carry out `onnx`; returns the exit code."""
    check_options(options)
    make_folders(files=(options.output, options.report))
    network, content = load_network(options.checkpoint)
    config, tolerance = postprocess_config(options), TOLERANCES[precision(options)]
    resize = read_asked_resize(options).rule(resize_rule(content))
    measured = Measured.of_training(content)
    if options.measured:
        earlier = [options.output] if options.output.is_file() else []
        measured = read_measured(options.measured, [options.checkpoint, *earlier], resize)
    thresholds, metrics = measured.thresholds(options.grant, options.deny), measured.metrics
    if options.score_threshold > thresholds[1]:
        # what scores less would be a bare face that the file never tells of
        raise UsageError(
            f"--score-threshold {options.score_threshold:g} found, expected at most the deny of "
            f"{thresholds[1]:g} that the file states"
        )
    if measured.no_thresholds:
        stored = "grant {:g} and deny {:g} go into the file".format(*thresholds)
        print(f"{options.measured}: {measured.no_thresholds}; {stored}", file=sys.stderr)
    pictures = list(views(content["pictures"]))
    expected = answers(FrameDetector(network, config, resize), pictures, tolerance.counted_from)
    model, made = make_model(network, config, resize, options)
    check_measured(measured, model, options)

    def contract() -> Contract:
        return describe(network, resize, thresholds, content, made, metrics)

    try:
        with replacing(options.output) as partial:
            save_model(model, contract(), partial)
            detect = Detector(partial, device="cpu", resize_on_host=False)
            parity = compare(expected, detect, pictures, tolerance.counted_from, config.detections)
            if options.report:
                values = {"file": options.output.name, "export": made, "parity": parity.to_dict()}
                write_json(options.report, values, "the report")
            parity.check(tolerance)
            metrics["parity"] = parity.to_dict()
            save_model(model, contract(), partial)
    except OSError as error:
        raise ExportError(
            f"{error.filename or options.output}: cannot be written: {error.strerror}"
        ) from None
    size = f"{options.output.stat().st_size / 1e6:.1f} MB"
    print(f"{options.output}: {size}, {precision(options)}; against torch: {parity}")
    return 0


def check_options(options: argparse.Namespace) -> None:
    """Raise UsageError for every option that is out of its range, at once."""
    wrong = [
        f"{name} {value} found, expected {expected}"
        for name, value, fine, expected in (
            ("--nms-threshold", options.nms_threshold, 0 < options.nms_threshold <= 1, "0 to 1"),
            (
                "--score-threshold",
                options.score_threshold,
                0 <= options.score_threshold < 1,
                "0 to less than 1",
            ),
            ("--max-detections", options.max_detections, options.max_detections > 0, "1 or more"),
            ("--candidates", options.candidates, options.candidates > 0, "1 or more"),
            ("OUT.onnx", options.output, options.output.suffix == ".onnx", "a name in .onnx"),
        )
        if not fine
    ]
    if options.fp16 and options.int8:
        wrong.append("--fp16 and --int8 found, expected one of them")
    if options.int8 != bool(options.calibration):
        wrong.append("--int8 and --calibration DIR need each other, found only one of them")
    if wrong:
        raise UsageError("; ".join(wrong))


def postprocess_config(options: argparse.Namespace) -> PostprocessConfig:
    """What the options say of the graph's end."""
    return PostprocessConfig(
        candidates=max(options.candidates, options.max_detections),
        detections=options.max_detections,
        iou=options.nms_threshold,
        score_threshold=options.score_threshold,
        nms=not options.no_nms,
        class_specific=options.class_specific_filter,
    )


def precision(options: argparse.Namespace) -> str:
    """The number format of the convolutions, a key of TOLERANCES."""
    return "int8" if options.int8 else "fp16" if options.fp16 else "fp32"


def make_model(
    network: RetinaNet, config: PostprocessConfig, resize: ResizeRule, options: argparse.Namespace
) -> tuple[ModelProto, dict[str, Any]]:
    """The graph as the options want it, and how it was made, in plain values."""
    # the weights of a folded network are too small for float16
    prepared = half_precision(network) if options.fp16 else folded(network)
    prepared = widened(on_bytes(prepared)) if options.int8 else prepared
    detector = FrameDetector(prepared, config, resize, for_processor=options.int8).eval()
    made = {
        "precision": precision(options),
        "nms": config.nms,
        "nms_threshold": config.iou,
        "class_specific_filter": config.class_specific,
        "score_threshold": config.score_threshold,
        "max_detections": config.detections,
        "candidates": detector.postprocess_config.candidates,
    }
    model = trace(detector)
    if not options.int8:
        return model, made
    pictures = calibration_pictures(options.calibration, resize)
    return quantise(model, pictures), {**made, "calibration_pictures": len(pictures)}


def check_measured(measured: Measured, model: ModelProto, options: argparse.Namespace) -> None:
    """Raise UsageError for figures of another graph; say where they are those of no int8.

    model: the graph that the figures are to go with.
    """
    report, output = options.measured, options.output
    if measured.of == output and not same_graph(model, output):
        raise UsageError(
            f"{report}: measured of {output} as it is, expected it to be what these options make"
        )
    if measured.of == options.checkpoint and options.int8:
        said = f"the figures are those of {measured.of.name} in float32, not of int8; for its own, "
        again = f"evaluate {output} and export again with that report"
        print(f"{report}: {said}{again}", file=sys.stderr)


def describe(
    network: RetinaNet,
    resize: ResizeRule,
    thresholds: tuple[float, float],
    content: dict[str, Any],
    made: dict[str, Any],
    metrics: dict[str, Any],
) -> Contract:
    """What the file says of itself.

    thresholds: grant and deny.
    content: of the snapshot.
    made: how the graph was made.
    """
    training = {**content["arguments"], "epochs": content["epoch"], "export": made}
    training["network"] = network.config.to_dict()
    return Contract(
        classes=network.config.classes,
        resize=resize,
        grant=thresholds[0],
        deny=thresholds[1],
        producer=f"maskgate {__version__}",
        training=training,
        metrics=metrics,
    )
