"""The debug command: labelled pictures with the fate of their boxes, as training sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from lint_cases import GOOD, Voc
from picture_files import draw, draw_scene

from export import debug
from export.__main__ import main
from export.datasets import read_csv
from export.drawing.labelled_views import LabelledViews
from export.drawing.matched_boxes import Fate
from export.drawing.matched_drawing import COLOURS
from export.drawing.picture_window import PictureWindow
from export.views.picture_cache import PictureCache
from export.views.training_set import TrainingSet
from monitor.contract import ResizeRule
from monitor.frame import Image

GREEN, ORANGE, RED = (COLOURS[fate] for fate in Fate)
# a multiple of 32 and so large that it is drawn pixel by pixel
SIDE_PX = 512
# the first is just one of the anchors; none is as long as the second; of the last two, which are
# too small to be told apart, the second gets all anchors
BOXES = ("128,128,192,192", "30,300,470,312", "400,400,408,408", "398,398,408,408")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a.png with BOXES, empty.png without one, and scene.jpg with one."""
    for name in ("a", "empty"):
        draw(tmp_path / "in" / f"{name}.png", SIDE_PX, SIDE_PX)
    draw_scene(tmp_path / "in" / "below" / "scene.jpg", 3)
    lines = [f"in/a.png,{box},mask" for box in BOXES]
    lines += ["in/empty.png,,,,,", "in/below/scene.jpg,40,30,80,80,Mäske rot"]
    (tmp_path / "data.csv").write_text("\n".join(lines))
    (tmp_path / "classes.csv").write_text("mask,0\nMäske rot,1\n")
    return tmp_path


def run(folder: Path, *options: object) -> int:
    """Draw the set into the folder `out`."""
    words = ["--no-gui", "--output-dir", folder / "out", *options]
    words += ["csv", folder / "data.csv", folder / "classes.csv"]
    return main(["debug", *map(str, words)])


def picture(folder: Path, name: str = "a_debug.png") -> Image:
    """The drawn picture, without what is written below it."""
    return read(folder / "out" / name)[:SIDE_PX]


def count(image: Image, colour: tuple[int, int, int]) -> int:
    return int((image == colour).all(axis=2).sum())


def read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def test_boxes_have_the_colour_of_what_training_makes_of_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--no-resize") == 0
    drawn = picture(folder)
    assert {tuple(drawn[y, x]) for y in (128, 192) for x in (128, 192)} == {GREEN}
    # the dashes of the weak ones leave gaps
    assert count(drawn[192:193, 128:193], GREEN) == 65
    assert 100 < count(drawn[312:313, 30:471], ORANGE) < 340
    assert tuple(drawn[300, 30]) == tuple(drawn[312, 470]) == ORANGE
    assert count(drawn, RED)
    lines = read(folder / "out" / "a_debug.png")[SIDE_PX:]
    assert all(count(lines, colour) > 1000 for colour in (GREEN, ORANGE, RED))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{folder}/out: 3 pictures with 5 boxes"
    fates = [line.split(":")[0].strip() for line in said[1:]]
    assert fates == ["2 green", "2 orange, dashed", "1 red"]


def test_only_the_colours_that_are_there_are_explained(folder: Path) -> None:
    (folder / "data.csv").write_text(f"in/a.png,{BOXES[0]},mask\n")
    assert run(folder, "--no-resize") == 0
    drawn = read(folder / "out" / "a_debug.png")
    assert count(drawn[SIDE_PX:], GREEN) > 1000
    assert not count(drawn, ORANGE)
    assert not count(drawn, RED)


def test_an_empty_picture_says_so_and_is_not_drawn_on(folder: Path) -> None:
    assert run(folder, "--no-resize") == 0
    assert not picture(folder, "empty_debug.png").any()
    assert read(folder / "out" / "empty_debug.png")[SIDE_PX:].any()


def test_anchors_are_drawn_and_boxes_left_out_on_request(folder: Path) -> None:
    greens = {}
    for options in ((), ("--anchors",), ("--no-show-annotations",)):
        assert run(folder, "--no-resize", *options) == 0
        greens[options] = count(picture(folder), GREEN)
    boxes, with_anchors, nothing = greens.values()
    assert with_anchors > 2 * boxes
    assert boxes > nothing == 0


def test_pictures_have_the_size_that_training_sees(folder: Path) -> None:
    assert run(folder, "--image-min-side", "600", "--image-max-side", "900") == 0
    plain = read(folder / "out" / "below" / "scene_debug.jpg")
    # 160 x 120 pixels, up to the next multiples of 32
    assert plain.shape[1] == 800
    assert run(folder, "--image-min-side", "600", "--image-max-side", "900", "--display-name") == 0
    assert read(folder / "out" / "below" / "scene_debug.jpg").shape[0] > plain.shape[0] > 608


def test_anchors_drawn_are_those_that_the_matcher_of_training_takes(folder: Path) -> None:
    (folder / "one.ini").write_text(
        "[anchor_parameters]\nsizes = 32 64 128 256 512\nstrides = 8 16 32 64 128\n"
        "ratios = 1\nscales = 1\n"
    )
    drawn = []
    for words in ((), ("--matcher", "nearest"), ("--matcher", "overlap")):
        assert run(folder, "--no-resize", "--anchors", "--config", folder / "one.ini", *words) == 0
        drawn.append(picture(folder))
    alone, nearest, overlap = drawn
    assert np.array_equal(alone, nearest)
    assert not np.array_equal(alone, overlap)


@pytest.mark.parametrize("side_px", [64, 320])
def test_pictures_are_those_that_training_takes(folder: Path, side_px: int) -> None:
    resize = ResizeRule(side_px, side_px)
    data_set = read_csv(folder / "data.csv", folder / "classes.csv")
    views = LabelledViews(data_set, resize, None, seed=0)
    pictures = PictureCache(data_set.samples, data_set.classes, resize, limit_mb=1.0)
    training = TrainingSet(pictures, data_set.classes, resize, None, scenes=0.0, seed=0)
    for number in range(len(views)):
        picture, target = training[number]
        assert np.array_equal(views[number].image, picture.numpy())
        assert np.array_equal(views[number].boxes, target.boxes.numpy())


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ([], {"a_debug.png", "empty_debug.png", "below/scene_debug.jpg"}),
        (["--flatten-output"], {"a_debug.png", "empty_debug.png", "scene_debug.jpg"}),
    ],
)
def test_files_lie_as_the_pictures_do_or_side_by_side(
    folder: Path, options: list[str], names: set[str]
) -> None:
    assert run(folder, *options) == 0
    out = folder / "out"
    assert {str(path.relative_to(out)) for path in out.rglob("*.*g")} == names


def test_names_that_would_be_one_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(folder / "in" / "below" / "a.png")
    with (folder / "data.csv").open("a") as table:
        table.write("\nin/below/a.png,,,,,")
    assert run(folder, "--flatten-output") == 2
    assert (
        "expected a name for each; rename one, or leave out --flatten-output"
        in capsys.readouterr().err
    )
    assert run(folder) == 0


def test_augmented_views_differ_by_seed_and_have_the_side_asked_for(folder: Path) -> None:
    looks = []
    for seed in ("0", "0", "1"):
        words = ["--random-transform", "--crop", "160", "--upside-down", "0.5", "--seed", seed]
        assert run(folder, *words) == 0
        looks.append(read(folder / "out" / "below" / "scene_debug.jpg"))
    first, again, other = looks
    # enlarged to be seen
    assert first.shape[1] == 480
    assert np.array_equal(first, again)
    assert not np.array_equal(first[:480], other[:480])


def test_a_picture_that_cannot_be_read_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = folder / "in" / "a.png"
    torn.write_bytes(torn.read_bytes()[:-20])
    assert run(folder) == 1
    # other parts of a mosaic come from sound pictures only
    assert run(folder, "--damaged", "skip", "--random-transform", "--mosaic", "1") == 0
    out, err = capsys.readouterr()
    assert out.count("2 pictures with") == 2
    assert err.count(f"left out: {torn}: found the end of the file before the picture's end") == 2
    assert not (folder / "out" / "a_debug.png").exists()
    torn.write_bytes(b"")
    assert run(folder) == 1
    assert f"error: {torn}: found an empty file" in capsys.readouterr().err


class OpenedWindow(PictureWindow):
    """Looks at every picture once, and at the first twice."""

    def __init__(self) -> None:
        self.shown: list[Image] = []

    def leaf_through(self, count: int, draw: Callable[[int], Image]) -> None:
        self.shown = [draw(number % count) for number in range(count + 1)]


def test_a_window_shows_the_pictures_and_names_what_it_cannot_show(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = folder / "in" / "a.png"
    torn.write_bytes(torn.read_bytes()[:-20])
    window = OpenedWindow()
    monkeypatch.setattr(debug, "open_window", lambda: window)
    monkeypatch.chdir(folder)
    assert main(["debug", "--no-resize", "csv", "data.csv", "classes.csv"]) == 1
    first, empty, _, again = window.shown
    assert np.array_equal(first, again)
    # grey, with a line of text below
    assert (first[:360] == 128).all()
    assert first.shape[0] > 360
    assert count(empty, (0, 0, 0)) > 0.9 * SIDE_PX**2
    assert capsys.readouterr().err.count("left out: ") == 1
    assert not list(folder.rglob("*_debug*"))


def test_each_look_at_an_augmented_picture_is_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = OpenedWindow()
    monkeypatch.setattr(debug, "open_window", lambda: window)
    (folder / "data.csv").write_text("in/below/scene.jpg,40,30,80,80,mask\n")
    words = ["csv", str(folder / "data.csv"), str(folder / "classes.csv")]
    assert main(["debug", "--random-transform", "--crop", "160", *words]) == 0
    first, second = window.shown
    assert not np.array_equal(first[:480], second[:480])


@pytest.mark.parametrize("words", [("--split", "few"), ("--pascal-set", "few")])
def test_a_list_of_the_data_set_may_be_chosen(tmp_path: Path, words: tuple[str, str]) -> None:
    voc = Voc(tmp_path / "voc")
    voc.add("other", GOOD)
    voc.list("few", "sound")
    data = ["pascal", str(voc.folder)]
    line = [*words, *data] if words[0] == "--split" else [*data, *words]
    assert main(["debug", "--no-gui", "--output-dir", str(tmp_path / "out"), *line]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sound_debug.jpg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--crop", "130", "--random-transform"], "130 found, expected a multiple of 32, at least"),
        (["--crop", "96", "--random-transform"], "96 found, expected a multiple of 32, at least"),
        (["--mosaic", "1.5", "--random-transform"], "--mosaic: 1.5 found, expected a share"),
        (["--upside-down", "nan", "--random-transform"], "--upside-down: nan found"),
        (["--seed", "-1"], "--seed: -1 found, expected 0 or more"),
        # they would change nothing
        (["--crop", "160", "--mosaic", "1"], "--crop, --mosaic: found without --random-transform"),
        (
            ["--random-transform", "--cover-share", "0.1"],
            "--cover-share: found without --cover, expected both",
        ),
        (["--image-min-side", "0"], "resize to sides of 0 to 1333 px"),
        (["--config", "none.ini"], "none.ini: cannot read the anchor config"),
        (["--split", "val"], "--split: 'val' found"),
        (["--output-dir", "data.csv/out"], "data.csv/out: the folder cannot be made"),
    ],
)
def test_wrong_usage_exits_with_2(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(folder)
    assert run(folder, *options) == 2
    assert message in capsys.readouterr().err
    assert not list(folder.rglob("*_debug*"))
