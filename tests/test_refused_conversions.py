"""Conversions that would leave another data set than was asked for: nothing is written."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from conversions import assert_same, convert, read, target_of, words_of, write_source
from picture_files import draw

from export.datasets import DatasetError
from monitor.errors import UsageError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source")


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["new", "force"])
@pytest.mark.parametrize(
    ("kind", "old"),
    [
        # held out by an earlier run, trained on now
        ("yolo", "yolo/images/train/old.jpg"),
        # readers of YOLO look into the folders of a list too
        ("yolo", "yolo/images/train/street/old.PNG"),
        ("yolo", "yolo/labels/train/old.txt"),
        ("pascal", "voc/JPEGImages/old.jpg"),
        ("pascal", "voc/Annotations/old.xml"),
        # a list, where the new data set has none
        ("pascal", "voc/ImageSets/Main/val.txt"),
    ],
)
def test_files_that_would_become_part_of_the_data_set_are_refused_and_stay(
    tmp_path: Path, source: Path, kind: str, old: str, force: tuple[str, ...]
) -> None:
    path = draw(tmp_path / old) if "mages/" in old else tmp_path / old
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=rf"found {path}; expected a folder of nothing but what"):
        convert(*words_of("csv", source), *target_of(kind, tmp_path), *force)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        # a list that data.yaml does not name
        ("yolo", "yolo/images/val/old.jpg"),
        # what Ultralytics and desktops leave
        ("yolo", "yolo/labels/train.cache"),
        ("yolo", "yolo/images/train/.DS_Store"),
        ("pascal", "voc/SegmentationClass/old.png"),
    ],
)
def test_files_that_no_reader_takes_do_not_hinder(
    tmp_path: Path, source: Path, kind: str, other: str
) -> None:
    (tmp_path / other).parent.mkdir(parents=True)
    (tmp_path / other).touch()
    convert(*words_of("csv", source), *target_of(kind, tmp_path))
    assert_same(read(words_of(kind, tmp_path)), read(words_of("csv", source)))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        # the whole way to the picture
        ("csv", "data.csv: found the name set/images/\udcfcber.jpg, which is not UTF-8"),
        ("coco", "coco.json: found the name set/images/\udcfcber.jpg, which is not UTF-8"),
        # the name alone, in an XML of its own, after another one
        ("pascal", "\udcfcber.xml: found the name \udcfcber.jpg, which is not UTF-8"),
    ],
)
def test_a_name_that_is_not_utf_8_is_refused_before_anything_is_written(
    tmp_path: Path, kind: str, problem: str
) -> None:
    first = draw(tmp_path / "set" / "images" / "a.jpg")
    first.with_name(os.fsdecode(b"\xfcber.jpg")).symlink_to(first)
    label_file = tmp_path / "set" / "labels" / "a.txt"
    label_file.parent.mkdir()
    label_file.touch()
    data_file = tmp_path / "set" / "data.yaml"
    data_file.write_text("train: images\nnames: [mask]\n")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DatasetError, match=re.escape(problem)):
        convert("yolo", data_file, *target_of(kind, tmp_path))
    assert sorted(tmp_path.rglob("*")) == before
