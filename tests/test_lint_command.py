"""The lint command: repairs, anchor configs, options and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from full_disk import full_disk
from lint_cases import GOOD, HEIGHT_PX, WIDTH_PX, Voc, an_object, lint, write_csv
from picture_files import draw_scene

from export.__main__ import main
from export.anchor_config import AnchorConfig, read_anchor_config, write_anchor_config
from export.datasets import read_picture
from monitor.errors import UsageError


def test_csv_is_linted_and_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = write_csv(
        tmp_path,
        "0.jpg,40,30,80,80,mask",
        "1.jpg,80,30,40,80,mask",
        "1.jpg,80,30,90,80,glove",
        "2.jpg,40,30,80,80,mask",
        "2.jpg,40,30,80,80,mask",
    )
    before = {"inverted box": 1, "unknown class": 1, "duplicate box": 1}
    assert lint(*words, code=1) == before
    assert lint("--fix", *words, code=1) == {"unknown class": 1}
    fixed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fixed: ")]
    data = tmp_path / "data.csv"
    assert fixed == [
        f"fixed: {data}:2: swapped x 80 and 40",
        f"fixed: {data}:5: removed, same as line 4",
    ]
    assert lint("--fix", *words) == {"unknown class": 1}
    assert "fixed: " not in capsys.readouterr().out


def test_pascal_is_fixed_and_the_rest_is_still_found(tmp_path: Path) -> None:
    voc = Voc(tmp_path / "voc")
    voc.add("inverted", an_object("mask", 80, 30, 40, 80))
    voc.add(
        "size", GOOD, size=f"<size><width>{HEIGHT_PX}</width><height>{WIDTH_PX}</height></size>"
    )
    voc.add("twice", GOOD, GOOD, an_object("mask", 40, 30, 80, 81))
    voc.add("outside", an_object("mask", 40, 30, 300, 80))
    found = lint("pascal", voc.folder)
    assert found == {"inverted box": 1, "wrong size": 1, "duplicate box": 3, "box outside": 1}
    # Two boxes a pixel apart are not certainly one.
    assert lint("--fix", "pascal", voc.folder) == {"duplicate box": 1, "box outside": 1}
    assert (voc.folder / "Annotations" / "inverted.xml.orig").is_file()
    assert not (voc.folder / "Annotations" / "sound.xml.orig").exists()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({"width": WIDTH_PX, "height": HEIGHT_PX}, {}),
        ({"width": float(WIDTH_PX), "height": HEIGHT_PX}, {}),
        # the picture was shrunk after it was labelled
        ({"width": 2 * WIDTH_PX, "height": 2 * HEIGHT_PX}, {"wrong size": 1}),
        # drawn on the picture lying, and trained on upright
        ({"width": HEIGHT_PX, "height": WIDTH_PX}, {"wrong size": 1}),
        # what some tools write instead of looking, or nothing
        ({"width": 0, "height": 0}, {}),
        ({"width": None, "height": "120"}, {}),
        ({}, {}),
    ],
)
def test_the_sizes_that_coco_states_are_those_of_the_pictures(
    tmp_path: Path, size: dict[str, object], expected: dict[str, int]
) -> None:
    draw_scene(tmp_path / "0.jpg", 0)
    box = {"image_id": 1, "category_id": 1, "bbox": [40, 30, 40, 50]}
    content = {
        "images": [{"id": 1, "file_name": "0.jpg", **size}],
        "annotations": [box],
        "categories": [{"id": 1, "name": "mask"}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(content))
    assert lint("coco", tmp_path / "labels.json") == expected


def test_a_picture_stored_turned_has_the_size_at_which_training_sees_it(tmp_path: Path) -> None:
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    pixels = read_picture(draw_scene(tmp_path / "0.jpg", 0))
    PIL.Image.fromarray(pixels).save(tmp_path / "0.jpg", exif=turned)
    upright = {"id": 1, "file_name": "0.jpg", "width": HEIGHT_PX, "height": WIDTH_PX}
    box = {"image_id": 1, "category_id": 1, "bbox": [40, 30, 40, 50]}
    content = {"images": [upright], "annotations": [box], "categories": [{"id": 1, "name": "mask"}]}
    (tmp_path / "labels.json").write_text(json.dumps(content))
    assert lint("coco", tmp_path / "labels.json") == {}


@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_fix_refuses_what_it_cannot_fix(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(word) for word in write_csv(tmp_path, "0.jpg,40,30,80,80,mask")]
    target = tmp_path / ("out.json" if kind == "coco" else "yolo")
    assert main(["convert", *words, f"--{kind}", str(target)]) == 0
    source = target if kind == "coco" else target / "data.yaml"
    assert lint(kind, source, code=0) == {}
    assert main(["lint", "--fix", kind, str(source)]) == 2
    assert f"found a {kind} data set, expected csv or pascal" in capsys.readouterr().err


def test_the_fitted_config_is_written_and_matches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    lines = [
        f"{n % 3}.jpg,{x:.0f},{y:.0f},{x + 60:.0f},{y + 12:.0f},mask"
        for n, (x, y) in enumerate(rng.uniform((0, 0), (100, 108), (30, 2)))
    ]
    words = write_csv(tmp_path, *lines)
    ini = tmp_path / "anchors.ini"
    options = ["--no-resize", "--write-config", str(ini)]
    assert lint(*options, *words, code=0).pop("no anchor matches") == 30
    assert "[anchor_parameters]" in capsys.readouterr().out
    assert max(read_anchor_config(ini).ratios) < 0.3
    assert lint("--no-resize", "--config", ini, *words, code=0).get("no anchor matches", 0) < 3


def test_an_anchor_config_is_the_old_one_or_the_whole_new_one(tmp_path: Path) -> None:
    ini, old = tmp_path / "anchors.ini", AnchorConfig(ratios=(1.0,), scales=(1.0,))
    write_anchor_config(ini, old)
    with full_disk(20), pytest.raises(UsageError, match=r"anchors\.ini: cannot write the anchor"):
        write_anchor_config(ini, AnchorConfig())
    assert read_anchor_config(ini) == old
    assert list(tmp_path.iterdir()) == [ini]


def test_where_anchors_are_matched_by_place_none_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = write_csv(tmp_path, "0.jpg,10,30,110,34,mask")
    assert lint("--no-resize", "--matcher", "overlap", *words) == {"no anchor matches": 1}
    assert "anchors match 0.0% " in capsys.readouterr().out
    assert lint("--no-resize", "--matcher", "nearest", *words) == {}
    assert "anchors match" not in capsys.readouterr().out


def test_boxes_are_matched_at_the_size_that_training_sees(tmp_path: Path) -> None:
    words = write_csv(tmp_path, "0.jpg,40,30,56,46,mask")
    assert lint(*words) == {}
    small = ["--image-min-side", "120", "--image-max-side", "160"]
    assert lint(*small, *words) == {"no anchor matches": 1}


def test_options_may_stand_after_the_words(tmp_path: Path) -> None:
    words = [str(word) for word in write_csv(tmp_path, "0.jpg,80,30,40,80,mask")]
    report = tmp_path / "after.json"
    assert main(["lint", "--no-resize", *words, "--fix", "--json", str(report)]) == 0
    assert json.loads(report.read_text())["anchors"]["present"]["config"]["sizes"][0] == 32
    assert json.loads(report.read_text())["fixed"]


def test_a_data_set_without_a_sound_picture_fails(tmp_path: Path) -> None:
    assert main(["lint", *map(str, write_csv(tmp_path))]) == 1


def test_a_config_without_boxes_to_fit_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(word) for word in write_csv(tmp_path, "0.jpg,,,,,")]
    assert main(["lint", "--write-config", str(tmp_path / "a.ini"), *words]) == 1
    assert "found no usable box" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--write-config"])
def test_a_file_that_cannot_be_written_is_named_before_anything_is_repaired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    words = [str(word) for word in write_csv(tmp_path, "1.jpg,80,30,40,80,mask")]
    assert main(["lint", "--fix", option, str(tmp_path), *words]) == 2
    output = capsys.readouterr()
    assert "found a folder, expected the name of a file to write" in output.err
    assert output.out == ""


@pytest.mark.parametrize("strides", ["8 16 32 64 inf", "8 16 32 64 nan", "8 16 32 64 127.5"])
def test_strides_that_are_no_whole_pixels_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], strides: str
) -> None:
    ini = tmp_path / "anchors.ini"
    ini.write_text(
        f"[anchor_parameters]\nsizes = 32 64 128 256 512\nstrides = {strides}\n"
        "ratios = 1\nscales = 1\n"
    )
    words = [str(word) for word in write_csv(tmp_path, "0.jpg,40,30,80,80,mask")]
    assert main(["lint", "--config", str(ini), *words]) == 2
    assert f"{ini}: strides: {strides.split()[-1]} found, expected whole" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        # no such data set
        ["pascal", "nowhere"],
        ["--config", "nowhere.ini", "csv", "a.csv", "b.csv"],
        ["--image-min-side", "900", "--image-max-side", "300", "csv", "a.csv", "b.csv"],
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", *words]) == 2
    assert "error: " in capsys.readouterr().err
