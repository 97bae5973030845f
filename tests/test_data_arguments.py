"""The words that name a data set on a command line, and what they lead to."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from picture_files import draw

from export.arguments.data import add_data_set, read_data_set, read_found, read_training
from export.datasets import DatasetError
from monitor.errors import UsageError


def parse(*words: object, model: bool = False) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    add_data_set(parser, model=model)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """data.csv with a.jpg (mask) and b.jpg (hat), val.csv with c.jpg (noMask), classes.csv."""
    for name in "abc":
        draw(tmp_path / f"{name}.jpg")
    (tmp_path / "data.csv").write_text("a.jpg,1,2,9,9,mask\nb.jpg,1,2,9,9,hat\n")
    (tmp_path / "val.csv").write_text("c.jpg,1,2,9,9,noMask\n")
    (tmp_path / "classes.csv").write_text("mask,0\nnoMask,1\nhat,2\n")
    return tmp_path


def annotate(folder: Path, name: str, label: str) -> None:
    """A picture of a PASCAL VOC data set with one object."""
    draw(folder / "JPEGImages" / f"{name}.jpg")
    (folder / "Annotations").mkdir(exist_ok=True)
    (folder / "Annotations" / f"{name}.xml").write_text(
        f"<annotation><object><name>{label}</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
        "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
    )


def listed(folder: Path, **names: str) -> None:
    sets = folder / "ImageSets" / "Main"
    sets.mkdir(parents=True, exist_ok=True)
    for title, text in names.items():
        (sets / f"{title}.txt").write_text(text)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("csv", "data.csv", "classes.csv"), id="csv"),
        pytest.param(("csv", "data.csv", "classes.csv", "--val-annotations", "v"), id="csv val"),
        pytest.param(("pascal", "DIR"), id="pascal"),
        pytest.param(("pascal", "DIR", "--image-extension", ".png"), id="pascal extension"),
        pytest.param(("coco", "DIR"), id="coco"),
        pytest.param(("yolo", "data.yaml"), id="yolo"),
    ],
)
def test_model_may_come_last_where_the_command_takes_one(words: tuple[str, ...]) -> None:
    assert parse(*words, model=True).model_last is None
    assert parse(*words, "snapshot.pt", model=True).model_last == Path("snapshot.pt")
    for extra, model in (("snapshot.pt", False), ("--snapshot", True)):
        with pytest.raises(SystemExit):
            parse(*words, extra, model=model)


def test_csv_classes_are_folded_in_their_own_order(table: Path) -> None:
    words = ("csv", table / "data.csv", table / "classes.csv")
    assert read_data_set(parse(*words), None).classes == ("mask", "noMask", "hat")
    folded = read_data_set(parse("--merge", "mask=covered", *words), None)
    assert folded.classes == ("noMask", "hat", "covered")
    assert [sample.labels for sample in folded.samples] == [("covered",), ("hat",)]


def write_coco(folder: Path, title: str, label: str) -> None:
    """The list of a COCO data set with one picture and one class."""
    draw(folder / "images" / title / "a.jpg")
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 8, 8]}],
        "categories": [{"id": 1, "name": label}],
    }
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / f"instances_{title}.json").write_text(json.dumps(content))


@pytest.mark.parametrize("kind", ["csv", "pascal", "coco", "yolo"])
@pytest.mark.parametrize(
    ("merge", "known"),
    [
        ("mask=covered", True),
        # on the list val alone
        ("bare=noMask", True),
        ("masc=covered", False),
        # the classes are what is to be folded, not what it is folded into
        ("covered=mask", False),
    ],
)
def test_a_class_to_fold_is_on_some_list(
    tmp_path: Path, kind: str, merge: str, known: bool
) -> None:
    for name, label in (("train", "mask"), ("val", "bare")):
        annotate(tmp_path / "voc", name, label)
        draw(tmp_path / "images" / name / "a.jpg")
        (tmp_path / "labels" / name).mkdir(parents=True)
        (tmp_path / "labels" / name / "a.txt").write_text("0 0.5 0.5 0.4 0.4\n")
        write_coco(tmp_path / "coco", name, label)
    listed(tmp_path / "voc", train="train", val="val")
    (tmp_path / "data.csv").write_text("images/train/a.jpg,1,2,9,9,mask\n")
    (tmp_path / "classes.csv").write_text("mask,0\nbare,1\n")
    (tmp_path / "data.yaml").write_text(
        "train: images/train\nval: images/val\nnames: [mask, bare]\n"
    )
    words = {
        "csv": ("csv", tmp_path / "data.csv", tmp_path / "classes.csv"),
        "pascal": ("pascal", tmp_path / "voc"),
        "coco": ("coco", tmp_path / "coco"),
        "yolo": ("yolo", tmp_path / "data.yaml"),
    }
    options = parse("--merge", merge, *words[kind])
    if known:
        assert len(read_found(options, "train").samples) == 1
        return
    found, _ = merge.split("=")
    expected = f"--merge: found '{found}', expected a class of the data set: bare, mask"
    with pytest.raises(UsageError, match=expected):
        read_found(options, "train")


def test_csv_val_is_the_list_of_val_annotations(table: Path) -> None:
    words = ("csv", table / "data.csv", table / "classes.csv")
    options = parse(*words, "--val-annotations", table / "val.csv")
    (sample,) = read_data_set(options, "val").samples
    assert sample.labels == ("noMask",)
    assert len(read_data_set(options, "train").samples) == 2
    training, validation = read_training(options)
    assert validation is not None
    assert [len(training.samples), len(validation.samples)] == [2, 1]
    assert read_training(parse(*words))[1] is None
    for split in ("val", "test"):
        with pytest.raises(UsageError, match=f"'{split}' found, expected train, or val with"):
            read_data_set(parse(*words), split)


def test_damaged_pictures_are_refused_or_skipped(table: Path) -> None:
    (table / "a.jpg").write_bytes(b"")
    words = ("csv", table / "data.csv", table / "classes.csv")
    with pytest.raises(DatasetError, match=r"a\.jpg: found an empty file"):
        read_data_set(parse(*words), None)
    skipped = read_data_set(parse("--damaged", "skip", *words), None)
    assert [sample.path.name for sample in skipped.samples] == ["b.jpg"]


def test_training_takes_the_lists_train_and_val_and_one_set_of_classes(tmp_path: Path) -> None:
    for name, label in (("a", "mask"), ("b", "noMask"), ("c", "mask")):
        annotate(tmp_path, name, label)
    options = parse("pascal", tmp_path)
    training, validation = read_training(options)
    assert (len(training.samples), validation) == (3, None)
    listed(tmp_path, train="a\nb\n", val="c\n")
    training, validation = read_training(options)
    assert validation is not None
    assert [sample.path.stem for sample in training.samples] == ["a", "b"]
    assert [sample.path.stem for sample in validation.samples] == ["c"]
    assert training.classes == validation.classes == ("mask", "noMask")
    listed(tmp_path, train="a\n", val="b\n")
    with pytest.raises(DatasetError, match="labels noMask, expected only mask"):
        read_training(options)


def test_training_takes_trainval_but_never_a_test_list(tmp_path: Path) -> None:
    for name in "ab":
        annotate(tmp_path, name, "mask")
    listed(tmp_path, test="b\n")
    with pytest.raises(UsageError, match="found the lists test, expected a list train"):
        read_training(parse("pascal", tmp_path))
    listed(tmp_path, trainval="a\n")
    training, validation = read_training(parse("pascal", tmp_path))
    assert [sample.path.stem for sample in training.samples] == ["a"]
    assert validation is None
    # b would be trained on by one of the lists, and not by the other
    listed(tmp_path, train="a\n", trainval="a\nb\n")
    with pytest.raises(UsageError, match="found the lists train and trainval, expected both train"):
        read_training(parse("pascal", tmp_path))
