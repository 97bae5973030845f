"""keras-retinanet's options: each is taken by the command of its name, or says why it is gone."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import pytest
from colour_graph import draw_plain, write_colour_graph

from export.__main__ import COMMANDS, main
from export.arguments.retired import RETIRED

PASCAL = "pascal DIR"
CSV = "csv DATA CLASSES"
# by command, the options of keras-retinanet 1.0 with a value that it took, as its users write them
OPTIONS = {
    "train": (
        f"--snapshot X {CSV}",
        f"--imagenet-weights {CSV}",
        f"--weights X {CSV}",
        f"--no-weights {CSV}",
        f"--backbone resnet50 {CSV}",
        f"--batch-size 1 {CSV}",
        f"--gpu 0 {CSV}",
        f"--multi-gpu 2 {CSV}",
        f"--multi-gpu-force {CSV}",
        f"--initial-epoch 0 {CSV}",
        f"--epochs 50 {CSV}",
        f"--steps 10000 {CSV}",
        f"--lr 1e-5 {CSV}",
        f"--optimizer-clipnorm 0.001 {CSV}",
        f"--snapshot-path X {CSV}",
        f"--tensorboard-dir X {CSV}",
        f"--tensorboard-freq epoch {CSV}",
        f"--no-snapshots {CSV}",
        f"--no-evaluation {CSV}",
        f"--freeze-backbone {CSV}",
        f"--random-transform {CSV}",
        f"--image-min-side 800 {CSV}",
        f"--image-max-side 1333 {CSV}",
        f"--no-resize {CSV}",
        f"--config X {CSV}",
        f"--weighted-average {CSV}",
        f"--compute-val-loss {CSV}",
        f"--reduce-lr-patience 2 {CSV}",
        f"--reduce-lr-factor 0.1 {CSV}",
        f"--group-method ratio {CSV}",
        f"--multiprocessing {CSV}",
        f"--workers 1 {CSV}",
        f"--max-queue-size 10 {CSV}",
        f"{CSV} --val-annotations X",
        f"{PASCAL} --image-extension .png",
        "coco PATH",
    ),
    "evaluate": (
        f"--convert-model {CSV} MODEL",
        f"--backbone resnet50 {CSV} MODEL",
        f"--gpu 0 {CSV} MODEL",
        f"--score-threshold 0.05 {CSV} MODEL",
        f"--iou-threshold 0.5 {CSV} MODEL",
        f"--max-detections 100 {CSV} MODEL",
        f"--save-path X {CSV} MODEL",
        f"--image-min-side 800 {CSV} MODEL",
        f"--image-max-side 1333 {CSV} MODEL",
        f"--no-resize {CSV} MODEL",
        f"--config X {CSV} MODEL",
        f"--group-method ratio {CSV} MODEL",
        f"{PASCAL} --image-extension .png MODEL",
        "coco PATH MODEL",
    ),
    "debug": (
        f"--no-resize {CSV}",
        f"--anchors {CSV}",
        f"--display-name {CSV}",
        f"--show-annotations {CSV}",
        f"--random-transform {CSV}",
        f"--image-min-side 800 {CSV}",
        f"--image-max-side 1333 {CSV}",
        f"--config X {CSV}",
        f"--no-gui {CSV}",
        f"--output-dir X {CSV}",
        f"--flatten-output {CSV}",
        f"--group-method ratio {CSV}",
        f"{PASCAL} --pascal-set test",
        f"{PASCAL} --image-extension .png",
        "coco PATH --coco-set val2017",
    ),
    "onnx": (
        "--backbone resnet50 IN OUT",
        "--no-nms IN OUT",
        "--no-class-specific-filter IN OUT",
        "--config X IN OUT",
        "--nms-threshold 0.5 IN OUT",
        "--score-threshold 0.05 IN OUT",
        "--max-detections 300 IN OUT",
        "--parallel-iterations 32 IN OUT",
    ),
}
LINES = [(command, line) for command, lines in OPTIONS.items() for line in lines]


def parser_of(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"retinanet-{command}", allow_abbrev=False)
    importlib.import_module(f"export.{COMMANDS[command][0]}").add_arguments(parser)
    return parser


@pytest.mark.parametrize(("command", "line"), LINES, ids=[" ".join(pair) for pair in LINES])
def test_options_of_keras_retinanet_are_taken(
    command: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = parser_of(command).parse_args(line.split())
    retired = [option for option in RETIRED[command] if option in line.split()]
    notes = [
        f"retinanet-{command}: note: {option} is ignored: {RETIRED[command][option][1]}"
        for option in retired
    ]
    assert capsys.readouterr().err.splitlines() == notes
    # what is ignored leaves nothing behind
    names = {option.removeprefix("--").replace("-", "_") for option in RETIRED[command]}
    assert not names & vars(found).keys()


def test_every_retired_option_is_one_of_keras_retinanet() -> None:
    retired = {(command, option) for command in RETIRED for option in RETIRED[command]}
    assert retired <= {(command, word) for command, line in LINES for word in line.split()}


@pytest.mark.parametrize("command", RETIRED)
def test_help_says_why_an_option_is_ignored(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser_of(command).parse_args(["--help"])
    _, _, said = capsys.readouterr().out.partition("options of keras-retinanet that are ignored:")
    words = " ".join(said.split())
    for option, (_, reason) in RETIRED[command].items():
        assert option in words
        assert reason in words


def test_a_command_goes_on_without_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_plain(tmp_path / "a.png", 204)
    (tmp_path / "data.csv").write_text("a.png,0,0,64,64,mask\n")
    (tmp_path / "classes.csv").write_text("mask,0\n")
    model = write_colour_graph(tmp_path / "colours.onnx")
    options = ["--convert-model", "--backbone", "resnet50", "--group-method", "ratio"]
    words = ["csv", str(tmp_path / "data.csv"), str(tmp_path / "classes.csv"), str(model)]
    assert main(["evaluate", *options, *words]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("size")
    notes = [line for line in err.splitlines() if ": note: " in line]
    assert [line.split()[5] for line in notes] == [
        "--convert-model",
        "--backbone",
        "--group-method",
    ]
