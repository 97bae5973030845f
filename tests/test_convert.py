"""Converting data sets: lists are kept or made, and nothing is overwritten or lost."""

from __future__ import annotations

import argparse
import csv
import logging
import shutil
from pathlib import Path

import pytest
from conversions import (
    FORMATS,
    convert,
    read,
    stems,
    target_of,
    words_of,
    write_source,
)
from picture_files import draw, draw_scene

from export.arguments.data import add_data_set, read_training
from export.datasets.plan import unique_names
from monitor.errors import MaskgateError, UsageError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A PASCAL VOC data set with the lists train (a, b), val (c), trainval and test (d)."""
    folder = tmp_path / "listed"
    for name in "abcd":
        draw(folder / "JPEGImages" / f"{name}.jpg")
        (folder / "Annotations").mkdir(exist_ok=True)
        (folder / "Annotations" / f"{name}.xml").write_text(
            "<annotation><object><name>mask</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
            "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
        )
    sets = folder / "ImageSets" / "Main"
    sets.mkdir(parents=True)
    for title, text in {"train": "a b", "val": "c", "trainval": "a b c", "test": "d"}.items():
        (sets / f"{title}.txt").write_text(text.replace(" ", "\n"))
    return folder


def test_the_tutorials_own_command_writes_the_tables_that_it_trains_on(listed: Path) -> None:
    shutil.rmtree(listed / "ImageSets")
    data, classes = listed.parent / "data.csv", listed.parent / "classes.csv"
    convert("pascal", listed, "--csv", data, classes)
    assert data.read_text().splitlines() == [
        f"listed/JPEGImages/{name}.jpg,1,1,9,9,mask" for name in "abcd"
    ]
    assert classes.read_text() == "mask,0\n"


def test_one_list_may_be_converted_by_itself(tmp_path: Path, listed: Path) -> None:
    convert("pascal", listed, *target_of("coco", tmp_path), "--split", "val")
    assert stems(read(words_of("coco", tmp_path))) == ["c"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_options_may_stand_before_or_after_the_words(source: Path, after: bool) -> None:
    options = [*target_of("coco", source), "--merge", "no mask=mask"]
    words = words_of("csv", source)
    if after:
        convert(*options[2:], *words, *options[:2])
    else:
        convert(*options, *words)
    assert read(words_of("coco", source)).classes == ("mask",)


@pytest.mark.parametrize("kind", ["pascal", "coco", "yolo"])
def test_lists_are_kept(tmp_path: Path, listed: Path, kind: str) -> None:
    target = {"pascal": tmp_path / "voc", "coco": tmp_path / "coco", "yolo": tmp_path / "yolo"}
    convert("pascal", listed, f"--{kind}", target[kind])
    words = [kind, target[kind] / "data.yaml" if kind == "yolo" else target[kind]]
    assert [stems(read(words, split)) for split in ("train", "val", "test")] == [
        ["a", "b"],
        ["c"],
        ["d"],
    ]
    data, val = tmp_path / "data.csv", tmp_path / "val.csv"
    convert(*words, "--csv", data, tmp_path / "classes.csv", "--val-annotations", val)
    csv_words = ["csv", data, tmp_path / "classes.csv", "--val-annotations", val]
    assert [stems(read(csv_words, split)) for split in ("train", "val")] == [["a", "b"], ["c"]]


@pytest.mark.parametrize("kind", ["pascal", "coco", "yolo"])
def test_trainval_alone_is_the_list_to_train_on(tmp_path: Path, listed: Path, kind: str) -> None:
    for title in ("train", "val"):
        (listed / "ImageSets" / "Main" / f"{title}.txt").unlink()
    convert("pascal", listed, f"--{kind}", tmp_path / kind)
    words = [kind, tmp_path / kind / "data.yaml" if kind == "yolo" else tmp_path / kind]
    parser = argparse.ArgumentParser()
    add_data_set(parser)
    training, _ = read_training(parser.parse_args([str(word) for word in words]))
    assert stems(training) == ["a", "b", "c"]
    assert stems(read(words, "test")) == ["d"]


@pytest.mark.parametrize("missing", ["train", "val"])
def test_trainval_beside_one_of_its_two_parts_is_refused(listed: Path, missing: str) -> None:
    (listed / "ImageSets" / "Main" / f"{missing}.txt").unlink()
    with pytest.raises(UsageError, match="and trainval, expected both train and val beside it"):
        convert("pascal", listed, *target_of("csv", listed))
    assert not (listed / "data.csv").exists()
    convert("pascal", listed, *target_of("csv", listed), "--split", "trainval")
    assert stems(read(words_of("csv", listed))) == ["a", "b", "c"]


def test_pictures_on_no_list_are_counted(listed: Path, caplog: pytest.LogCaptureFixture) -> None:
    sets = listed / "ImageSets" / "Main"
    (sets / "test.txt").unlink()
    (sets / "train.txt").write_text("a\n")
    (sets / "val.txt").write_text("b\n")
    (listed / "Annotations" / "d.xml").write_text("<annotation>")
    with caplog.at_level(logging.WARNING):
        convert("pascal", listed, *target_of("yolo", listed), "--split", "train")
        assert not caplog.records
        convert("pascal", listed, *target_of("yolo", listed), "--force")
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{listed}: pictures left out because they are on none of the lists train, val: 2"
    )


def test_files_of_no_list_are_named(
    tmp_path: Path, listed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "coco"
    convert("pascal", listed, "--coco", folder)
    annotations = folder / "annotations"
    shutil.copy(annotations / "instances_test.json", annotations / "instances_street.json")
    with caplog.at_level(logging.WARNING):
        convert("coco", folder, "--yolo", tmp_path / "street", "--split", "street")
        assert not caplog.records
        convert("coco", folder, "--yolo", tmp_path / "all")
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{folder}: files left out because they are of none of the lists train, val, test: "
        "instances_street.json"
    )


def test_pictures_without_labels_are_counted_once_and_on_a_list(
    listed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (listed / "ImageSets" / "Main" / "test.txt").unlink()
    (listed / "Annotations" / "b.xml").unlink()
    draw(listed / "JPEGImages" / "e.jpg")
    with caplog.at_level(logging.WARNING):
        convert("pascal", listed, *target_of("yolo", listed))
    assert [record.getMessage() for record in caplog.records] == [
        f"{listed}: pictures left out because they have no XML file: 1",
        f"{listed}: pictures left out because they are on none of the lists train, val: 1",
    ]


def test_pictures_of_another_kind_are_not_counted_as_on_no_list(
    listed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (listed / "JPEGImages" / "d.jpg").unlink()
    draw(listed / "JPEGImages" / "d.png")
    (listed / "ImageSets" / "Main" / "test.txt").unlink()
    with caplog.at_level(logging.WARNING):
        convert("pascal", listed, "--image-extension", "jpg", *target_of("yolo", listed))
    assert not caplog.records


def test_csv_without_a_place_for_lists_takes_them_all_and_says_so(
    listed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        convert("pascal", listed, *target_of("csv", listed))
    assert stems(read(words_of("csv", listed))) == ["a", "b", "c", "d"]
    (record,) = caplog.records
    assert "holds the lists train, val, test as one; see --val-annotations" in record.getMessage()


@pytest.mark.parametrize("kind", FORMATS)
def test_held_out_pictures_become_the_list_val(tmp_path: Path, kind: str) -> None:
    lines = []
    for seed in range(10):
        draw_scene(tmp_path / f"{seed}.png", seed)
        lines.append(f"{seed}.png,1,2,20,30,mask\n")
    (tmp_path / "data.csv").write_text("".join(lines))
    (tmp_path / "classes.csv").write_text("mask,0\n")
    there = tmp_path / "there"
    options: dict[str, list[object]] = {
        "csv": [*target_of("csv", there), "--val-annotations", there / "val.csv"],
        "coco": ["--coco", there],
    }
    target = options.get(kind, target_of(kind, there))
    convert(*words_of("csv", tmp_path), *target, "--val-share", 0.2, "--seed", 3)
    words = ["coco", there] if kind == "coco" else words_of(kind, there)
    words += ["--val-annotations", there / "val.csv"] if kind == "csv" else []
    parts = [stems(read(words, split)) for split in ("train", "val")]
    assert [len(part) for part in parts] == [8, 2]
    assert sorted(parts[0] + parts[1]) == [str(seed) for seed in range(10)]


def test_one_list_alone_is_no_division(tmp_path: Path, listed: Path) -> None:
    for title in ("val", "trainval", "test"):
        (listed / "ImageSets" / "Main" / f"{title}.txt").unlink()
    convert("pascal", listed, *target_of("coco", tmp_path))
    assert stems(read(words_of("coco", tmp_path))) == ["a", "b"]


def test_integers_are_whole_and_never_empty(tmp_path: Path, source: Path) -> None:
    (source / "data.csv").write_text("x/a.jpg,1.4,2.5,20.6,29.9,mask\nx/a.jpg,3.1,4,3.4,40,mask\n")
    draw(source / "x" / "a.jpg", 50, 50)
    convert("--integers", *words_of("csv", source), *target_of("csv", tmp_path))
    with (tmp_path / "data.csv").open() as file:
        rows = list(csv.reader(file))
    assert [row[1:5] for row in rows] == [["1", "2", "21", "30"], ["3", "4", "4", "40"]]


def test_pictures_of_the_same_name_get_a_number(tmp_path: Path) -> None:
    for name in ("x/a.jpg", "y/a.jpg", "y/A.png", "y/a-2.jpg"):
        draw(tmp_path / name)
    paths = [tmp_path / name for name in ("x/a.jpg", "y/a.jpg", "y/A.png", "y/a-2.jpg", "x/a.jpg")]
    assert list(unique_names(paths).values()) == ["a.jpg", "a-2.jpg", "A-3.png", "a-2-2.jpg"]


def test_links_survive_moving_the_whole(tmp_path: Path, source: Path) -> None:
    convert(*words_of("csv", source), *target_of("yolo", source))
    source.rename(tmp_path / "moved")
    assert len(read(words_of("yolo", tmp_path / "moved")).samples) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param([], "found none; expected one of --csv", id="no target"),
        pytest.param(["--yolo", "y", "--pascal", "p"], "found --pascal, --yolo", id="two"),
        pytest.param(["--yolo", "y", "--val-share", "1"], "--val-share: found 1", id="all of it"),
        pytest.param(["--yolo", "y", "--seed", "-1"], "--seed: found -1", id="seed"),
        pytest.param(["--csv", "d", "c", "--val-share", "0.2"], "expected --val-ann", id="no file"),
        pytest.param(["--csv", "d", "c", "--copy"], "names pictures where they lie", id="copy"),
        pytest.param(["--csv", "d", "c", "--val-annotations", "v"], "found no list", id="no list"),
        pytest.param(["--csv", "d", "./d"], "found the files d, d to write", id="one file"),
        pytest.param(
            ["--csv", "d", "c", "--val-annotations", "x/../d", "--val-share", "0.5"],
            "found the files d, c, x/../d to write, expected each once",
            id="one file for training and validation",
        ),
        pytest.param(["--coco", "folder"], "found folder, expected FILE.json", id="coco folder"),
        pytest.param(
            ["--coco", "f.json", "--val-share", "0.5"], "expected a folder for", id="coco file"
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, options: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in range(4):
        draw_scene(tmp_path / f"{seed}.png", seed)
    (tmp_path / "data.csv").write_text("".join(f"{s}.png,1,2,20,30,mask\n" for s in range(4)))
    (tmp_path / "classes.csv").write_text("mask,0\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match=message):
        convert("csv", "data.csv", "classes.csv", *options)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("missing", ["train", "val"])
def test_two_tables_are_not_written_where_the_source_lacks_the_list_of_one(
    tmp_path: Path, listed: Path, missing: str
) -> None:
    for title in (missing, "trainval"):
        (listed / "ImageSets" / "Main" / f"{title}.txt").unlink()
    files = [tmp_path / name for name in ("data.csv", "classes.csv", "val.csv")]
    options = ["--csv", *files[:2], "--val-annotations", files[2]]
    with pytest.raises(UsageError, match=f"in the data set, expected a list {missing}; or "):
        convert("pascal", listed, *options)
    assert not any(file.exists() for file in files)


def test_lists_of_the_source_are_not_divided_again(listed: Path) -> None:
    with pytest.raises(UsageError, match="found the lists train, val, test, expected none"):
        convert("pascal", listed, "--yolo", listed / "yolo", "--val-share", "0.2")
    with pytest.raises(UsageError, match="--val-annotations: found without a CSV"):
        convert("pascal", listed, "--yolo", listed / "yolo", "--val-annotations", "v.csv")


def test_folder_that_is_a_file_is_named(tmp_path: Path, source: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MaskgateError, match=r"file/data\.csv: cannot write the file: "):
        convert(*words_of("csv", source), *target_of("csv", tmp_path / "file"))
