"""Evaluate: `python -m export evaluate`, a model's figures on labelled pictures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from monitor.contract import SCORE_FLOOR, Contract
from monitor.detections import Detections
from monitor.detector import Detector
from monitor.errors import UsageError
from monitor.frame import Image

from .arguments.data import add_data_set, lists, read_data_set
from .arguments.resize import AskedResize, add_resize, read_asked_resize
from .arguments.retired import add_retired
from .checkpoint import load_network, resize_rule
from .classes import check_labels
from .datasets import DatasetError, Sample
from .drawing.drawn_pictures import DrawnPictures
from .drawing.evaluation_drawing import draw_evaluated
from .figures.detections_file import write_detections
from .figures.evaluation_report import Evaluation, write_report
from .figures.figures import measure
from .figures.labels import LabelFigures, labels_table, measure_by_label
from .figures.sources import measure_by_source, sources_table
from .figures.thresholds import Thresholds
from .graph.frame_detector import FrameDetector, TorchDetector
from .output_files import make_folders
from .postprocess import PostprocessConfig
from .process_group import chosen_device

Detect = Callable[[Image], Detections]
ONNX_SUFFIX = ".onnx"
ALL_ITS_OWN = AskedResize()


def open_detector(
    path: Path,
    resize: AskedResize = ALL_ITS_OWN,
    postprocess: PostprocessConfig | None = None,
    *,
    gpu: str | None = None,
) -> Detector | TorchDetector:
    """The detector in a file.

    path: an ONNX file, run by the runtime's own detector, or a snapshot, run by torch.
    resize, postprocess: for a snapshot, which is looked at as in training and ends as an export
        does without them; an ONNX file has its own.
    gpu: number of the GPU to use; None takes one if there is one.

    Raises ModelError when the file is neither, UsageError when it cannot be run so.
    """
    if path.suffix.lower() == ONNX_SUFFIX:
        if resize != ALL_ITS_OWN or postprocess:
            raise UsageError(
                f"{path.name}: an ONNX file has its own size and postprocessing; expected a "
                "snapshot, or none of these options"
            )
        if gpu is None:
            return Detector(path)
        # onnxruntime numbers what is left visible, and reads this when it first starts CUDA
        os.environ |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": gpu}
        return Detector(path, device="cuda")
    device = chosen_device(gpu)
    network, content = load_network(path)
    rule = resize.rule(resize_rule(content))
    graph = FrameDetector(network, postprocess or PostprocessConfig(), rule)
    return TorchDetector(graph.to(device))


def detect_each(
    detect: Detect,
    samples: Sequence[Sample],
    *,
    damaged: Callable[[DatasetError], None] | None = None,
) -> Iterator[tuple[Sample, Image, Detections]]:
    """Each picture, its pixels and what a detector finds in it.

    damaged: called with the error of each picture that cannot be read, which is then left out; None
        raises it.
    """
    for sample in tqdm(samples, desc="detecting", unit="picture"):
        try:
            image = sample.read()
        except DatasetError as error:
            if damaged is None:
                raise
            damaged(error)
            continue
        yield sample, image, detect(image)


def detect_all(detect: Detect, samples: Sequence[Sample]) -> list[Detections]:
    """What a detector finds in each picture, in the same order."""
    return [found for _, _, found in detect_each(detect, samples)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `evaluate`, keras-retinanet's among them under their own names."""
    add = parser.add_argument
    add("--model", type=Path, metavar="FILE", help="snapshot or ONNX file; or name it last")
    add("--split", metavar="NAME", help="a list of the data set; without it all pictures")
    add(
        "--score-threshold",
        type=float,
        default=SCORE_FLOOR,
        metavar="SCORE",
        help="detections below it count in no average precision",
    )
    add(
        "--iou-threshold",
        type=float,
        default=Thresholds().overlap,
        metavar="IOU",
        help="overlap of a right detection, in a column of its own beside AP50 and AP",
    )
    add(
        "--max-detections",
        type=int,
        metavar="N",
        help="of one picture, best first; else all that the model gives, of a snapshot those of "
        f"{PostprocessConfig.detections} boxes",
    )
    add_resize(parser, default=False)
    add("--gpu", metavar="N", help="number of the GPU to use")
    add("--save-path", type=Path, metavar="DIR", help="draw what counts into this folder")
    add("--detections", type=Path, metavar="OUT.json", help="write all that was found")
    add(
        "--report",
        type=Path,
        metavar="OUT.json",
        help="write all figures, and beside them precision-recall curves as OUT.png and whether "
        "scores are probabilities as OUT_reliability.png",
    )
    add(
        "--by-source",
        action="store_true",
        help="the figures also for each source: what a name says before its first underscore",
    )
    add(
        "--by-label",
        action="store_true",
        help="also what the faces of each label were taken for, by the labels before --merge, from "
        f"a score of {Contract.deny:g}",
    )
    add_retired(parser, "evaluate")
    add_data_set(parser, model=True)


def run(options: argparse.Namespace) -> int:
    """Carry out `evaluate`; returns the exit code."""
    path = _model(options)
    thresholds = _thresholds(options)
    if options.report and options.report.suffix == ".png":
        raise UsageError(f"--report: {options.report} found, expected a name for the JSON")
    make_folders(options.save_path, files=(options.detections, options.report))
    resize, postprocess = read_asked_resize(options), _postprocess(path, thresholds)
    data_set = read_data_set(options, options.split)
    _say_together(options)
    detector = open_detector(path, resize, postprocess, gpu=options.gpu)
    check_labels(data_set.samples, detector.classes)
    paths = [sample.path for sample in data_set.samples]
    drawings = DrawnPictures(options.save_path, "found", paths) if options.save_path else None

    samples, found = [], []
    skip = _leave_out if options.damaged == "skip" else None
    for sample, image, detections in detect_each(detector, data_set.samples, damaged=skip):
        samples.append(sample)
        found.append(detections)
        if drawings:
            drawings.write(sample.path, draw_evaluated(image, sample, detections, thresholds))
    if not samples:
        raise DatasetError("data set: found no picture that can be read, expected at least one")
    if options.detections:
        write_detections(options.detections, samples, found)
    figures = measure(samples, found, intervals=True, thresholds=thresholds)
    print(figures)
    sources = measure_by_source(samples, found, thresholds) if options.by_source else {}
    if sources:
        print(sources_table(sources))
    labels: dict[str, LabelFigures] = {}
    if options.by_label:
        labels = measure_by_label(samples, found, score=Contract.deny, overlap=thresholds.overlap)
    if labels:
        print(labels_table(labels))
    if options.report:
        evaluation = Evaluation(
            path, options, detector.resize, samples, found, thresholds, figures, sources, labels
        )
        write_report(options.report, evaluation)
    return 0


def _model(options: argparse.Namespace) -> Path:
    given = [path for path in (options.model, options.model_last) if path is not None]
    if len(given) != 1:
        names = " and ".join(map(str, given)) or "none"
        raise UsageError(f"model: {names} found, expected one, after --model or as the last word")
    return given[0]


def _say_together(options: argparse.Namespace) -> None:
    """Say of a data set of several lists that all of it is measured."""
    # without --split, a csv data set is its ANNOTATIONS alone
    names = () if options.split or options.kind == "csv" else lists(options)
    if len(names) > 1:
        print(
            f"data set: the lists {', '.join(names)} are measured together; --split NAME measures "
            "one of them",
            file=sys.stderr,
        )


def _thresholds(options: argparse.Namespace) -> Thresholds:
    try:
        return Thresholds(options.score_threshold, options.iou_threshold, options.max_detections)
    except ValueError as error:
        options_meant = "--score-threshold, --iou-threshold, --max-detections"
        raise UsageError(f"{options_meant}: {error}") from None


def _postprocess(path: Path, thresholds: Thresholds) -> PostprocessConfig | None:
    """How a snapshot must end to give that many detections; None where no more than usual."""
    usual, asked = PostprocessConfig(), thresholds.detections or 0
    if path.suffix.lower() == ONNX_SUFFIX or asked <= usual.detections:
        return None
    # as many more candidates, or too few would be left of them once others are suppressed
    candidates = asked * usual.candidates // usual.detections
    return PostprocessConfig(candidates=candidates, detections=asked)


def _leave_out(error: DatasetError) -> None:
    tqdm.write(f"left out: {error}", file=sys.stderr)
