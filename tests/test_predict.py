"""The predict command: what a model finds, drawn onto pictures, said and written down."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from colour_graph import SIDE_PX, draw_plain, plain, write_colour_graph
from picture_files import write

from export.__main__ import main
from export.drawing.picture_drawing import class_colours
from monitor.frame import Image

# a picture of SIDE_PX is drawn enlarged by this, so that the captions can be read
SCALE = 3
MASK, NO_MASK = class_colours(2)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_colour_graph(tmp_path / "colours.onnx")


def predict(*words: object) -> int:
    return main(["predict", "--no-gui", *map(str, words)])


def test_a_picture_is_drawn_with_the_box_and_caption_of_its_best_class(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, blue, red in (("mask", 204, 153), ("bare", 51, 230), ("nobody", 0, 0)):
        draw_plain(tmp_path / "in" / f"{name}.png", blue, red)
    out = tmp_path / "out"
    assert predict("--output-dir", out, model, tmp_path / "in") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/in/bare.png: noMask 0.90",
        f"{tmp_path}/in/mask.png: mask 0.80",
        f"{tmp_path}/in/nobody.png: nothing",
        f"{out}: 3 of 3 pictures drawn",
    ]
    edge = SIDE_PX * SCALE // 2
    for name, colour in (("mask", MASK), ("bare", NO_MASK), ("nobody", (0, 0, 0))):
        drawn = read(out / f"{name}_predicted.png")
        assert drawn.shape == (SIDE_PX * SCALE, SIDE_PX * SCALE, 3)
        assert tuple(drawn[edge, edge // 2]) == tuple(drawn[edge // 2, edge]) == colour
    text = read(out / "mask_predicted.png")[:edge, :edge]
    assert (text == MASK).all(axis=2).sum() > 1000
    assert (text > 250).all(axis=2).any()


def test_what_is_found_is_written_as_json(model: Path, tmp_path: Path) -> None:
    draw_plain(tmp_path / "both.png", 102, 204)
    draw_plain(tmp_path / "nobody.png")
    pictures = [tmp_path / "both.png", tmp_path / "nobody.png"]
    report = tmp_path / "new" / "found.json"
    words = ["--output-dir", tmp_path / "out", "--json", report]
    assert predict(*words, model, *pictures) == 0
    assert json.loads(report.read_text()) == [
        {
            "image": str(pictures[0]),
            "boxes": [[0, 0, 64, 64]],
            "scores": [0.8],
            "labels": ["noMask"],
        },
        {"image": str(pictures[1]), "boxes": [], "scores": [], "labels": []},
    ]


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        # a score that is just the threshold is shown
        ("0.8", "mask 0.80"),
        ("0.81", "nothing"),
        ("0", "mask 0.80"),
    ],
)
def test_only_what_reaches_the_score_threshold_is_shown(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], threshold: str, said: str
) -> None:
    path = draw_plain(tmp_path / "a.png", 204, 102)
    out = tmp_path / "out"
    assert predict("--score-threshold", threshold, "--output-dir", out, model, path) == 0
    assert f"a.png: {said}\n" in capsys.readouterr().out
    drawn = read(out / "a_predicted.png")
    assert (drawn == MASK).all(axis=2).any() == (said != "nothing")


def test_of_a_folder_the_pictures_are_taken_once_and_nothing_else(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    for name in ("b.png", "a.bmp", "C.PNG", "below/d.png", "folder.png/e.png"):
        draw_plain(folder / name, 204)
    (folder / "notes.txt").write_text("no picture")
    words = ["--output-dir", tmp_path / "out", model, folder / "b.png", folder]
    assert predict(*words) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said[:-1]] == [
        str(folder / name) for name in ("b.png", "C.PNG", "a.bmp")
    ]


def test_pictures_of_one_name_stay_apart_and_originals_as_they_are(
    model: Path, tmp_path: Path
) -> None:
    pictures = [draw_plain(tmp_path / "in" / day / "a.png", 204) for day in ("mon", "tue")]
    before = [path.read_bytes() for path in pictures]
    words = ["--output-dir", tmp_path / "in", model, *pictures]
    assert predict(*words) == 0
    assert [path.read_bytes() for path in pictures] == before
    assert all(path.with_name("a_predicted.png").is_file() for path in pictures)


def in_colours(kind: str) -> Image:
    """A picture in which noMask 0.80 is found, or grey in which both are found alike."""
    image = plain(102, 204)
    if kind == "grey":
        return np.full(image.shape[:2], 204, np.uint8)
    if kind == "16 bit":
        return (image.astype(np.uint16) * 257).astype(np.uint16)
    return cv2.cvtColor(image, cv2.COLOR_BGR2BGRA) if kind == "alpha" else image


@pytest.mark.parametrize(
    ("kind", "suffix", "said"),
    [
        # one channel for all three colours
        ("grey", ".png", "mask 0.80"),
        ("16 bit", ".png", "noMask 0.80"),
        ("16 bit", ".tiff", "noMask 0.80"),
        # what is transparent is seen all the same
        ("alpha", ".png", "noMask 0.80"),
        ("8 bit", ".bmp", "noMask 0.80"),
    ],
)
def test_pictures_of_every_kind_are_understood(
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    suffix: str,
    said: str,
) -> None:
    path = write(tmp_path / f"a{suffix}", in_colours(kind))
    assert predict("--output-dir", tmp_path / "out", model, path) == 0
    assert f"a{suffix}: {said}\n" in capsys.readouterr().out
    assert read(tmp_path / "out" / f"a_predicted{suffix}").dtype == np.uint8


def test_what_cannot_be_read_or_written_is_left_out_and_told_of(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = draw_plain(tmp_path / "whole.png", 204)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "torn.png").write_bytes(whole.read_bytes()[:-20])
    (tmp_path / "taken.png").write_bytes(whole.read_bytes())
    (tmp_path / "out" / "taken_predicted.png").mkdir(parents=True)
    names = ("none.png", "empty.png", "torn.png", "taken.png", "whole.png")
    words = ["--output-dir", tmp_path / "out", model, *(tmp_path / name for name in names)]
    assert predict(*words) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"{tmp_path}/out: 1 of 5 pictures drawn"
    assert err.splitlines() == [
        f"left out: {tmp_path}/none.png: cannot read the picture: No such file or directory",
        f"left out: {tmp_path}/empty.png: found an empty file, expected a picture",
        f"left out: {tmp_path}/torn.png: found the end of the file before the picture's end",
        f"left out: {tmp_path}/out/taken_predicted.png: cannot write the picture: Is a directory",
    ]


def test_a_name_that_is_no_text_is_drawn_and_said_as_well_as_can_be(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_plain(tmp_path / "in" / os.fsdecode(b"f\xff.png"), 204)
    report = tmp_path / "found.json"
    assert predict("--output-dir", tmp_path, "--json", report, model, tmp_path / "in") == 0
    assert "f\\udcff.png: mask 0.80\n" in capsys.readouterr().out
    assert (tmp_path / os.fsdecode(b"f\xff_predicted.png")).is_file()
    assert json.loads(report.read_text())[0]["image"].endswith("f\udcff.png")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["colours.onnx", "bare"], "bare: found no picture in the folder, expected .bmp"),
        (["none.onnx", "a.png"], "none.onnx: no such model file"),
        (["none.pt", "a.png"], "none.pt: no such file"),
        # a snapshot in name only
        (["a.png", "a.png"], "a.png: damaged"),
        (["empty.pt", "a.png"], "empty.pt: damaged: the file ends too early"),
        (["--score-threshold", "1.5", "colours.onnx", "a.png"], "1.5 found, expected a score of 0"),
        (["--score-threshold", "nan", "colours.onnx", "a.png"], "nan found, expected a score of 0"),
        (["--image-min-side", "64", "colours.onnx", "a.png"], "an ONNX file has its own size"),
        (["--output-dir", "a.png", "colours.onnx", "a.png"], "a.png: the folder cannot be made"),
        (["--json", "a.png/x.json", "colours.onnx", "a.png"], "x.json: the folder cannot be made"),
        (["--json", "bare", "colours.onnx", "a.png"], "bare: found a folder, expected the name of"),
    ],
)
def test_wrong_usage_exits_with_2_before_anything_is_drawn(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_plain(tmp_path / "a.png", 204)
    (tmp_path / "bare").mkdir()
    (tmp_path / "empty.pt").write_bytes(b"")
    assert predict(*words) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert not out
    assert not list(tmp_path.rglob("*_predicted*"))


def read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
