"""Data sets written in one format and read in another: boxes, classes and negatives come back."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from conversions import FORMATS, assert_same, convert, read, target_of, words_of, write_source
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import HEIGHT_PX, WIDTH_PX, draw

from export.datasets import (
    DataSet,
    DatasetError,
    Sample,
    read_coco,
    read_csv,
    read_pascal,
    read_yolo,
)
from export.datasets.coco_plan import coco_plan
from export.datasets.csv_plan import csv_plan
from export.datasets.pascal_plan import pascal_plan
from export.datasets.yolo_plan import yolo_plan

A_BOX = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 10]}
OTHER_BOX = {"image_id": 1, "category_id": 1, "bbox": [4, 5, 6, 7]}


@pytest.mark.parametrize("via", FORMATS)
@pytest.mark.parametrize("copy", [(), ("--copy",)], ids=["referring", "copying"])
def test_data_set_comes_back_from_every_format(
    tmp_path: Path, via: str, copy: tuple[str, ...]
) -> None:
    source = write_source(tmp_path / "source")
    there, back = tmp_path / "there", tmp_path / "deep" / "back"
    before = read(words_of("csv", source))
    copied = copy if via != "csv" else ()
    convert(*words_of("csv", source), *target_of(via, there), *copied)
    assert_same(read(words_of(via, there)), before)
    convert(*words_of(via, there), *target_of("csv", back))
    after = read(words_of("csv", back))
    assert_same(after, before)
    assert after.classes == before.classes
    if copied:
        assert not any(path.is_symlink() for path in there.rglob("*"))
        assert {sample.path.parents[-2] for sample in after.samples} == {there.parents[-2]}


@pytest.mark.parametrize(
    ("in_val", "kept"),
    [
        # the same, in another order
        ([OTHER_BOX, A_BOX], True),
        # fewer, none, of another class, or elsewhere
        ([A_BOX], False),
        ([], False),
        ([A_BOX, {**OTHER_BOX, "category_id": 2}], False),
        ([A_BOX, {**OTHER_BOX, "bbox": [4, 5, 6, 8]}], False),
    ],
)
@pytest.mark.parametrize("kind", ["pascal", "csv"])
def test_no_box_of_a_picture_on_two_lists_is_lost(
    tmp_path: Path, kind: str, in_val: list[dict], kept: bool
) -> None:
    draw(tmp_path / "images" / "a.jpg")
    (tmp_path / "annotations").mkdir()
    for title, boxes in (("train", [A_BOX, OTHER_BOX]), ("val", in_val)):
        content = {
            "images": [{"id": 1, "file_name": "a.jpg"}],
            "annotations": boxes,
            "categories": [{"id": 1, "name": "mask"}, {"id": 2, "name": "no mask"}],
        }
        (tmp_path / "annotations" / f"instances_{title}.json").write_text(json.dumps(content))
    words = ["coco", tmp_path, *target_of(kind, tmp_path / "there")]
    if kept:
        convert(*words)
        (sample,) = read(words_of(kind, tmp_path / "there")).samples
        assert sample.labels == ("mask", "mask")
    else:
        with pytest.raises(DatasetError, match=r"a\.jpg: found other boxes .* val than .* train"):
            convert(*words)
        assert not (tmp_path / "there").exists()


@st.composite
def labelled_pictures(draw_from: st.DrawFn) -> tuple[list[tuple[list, list[int]]], list[str]]:
    """[(boxes, class indices)] for up to four pictures, and the class names."""
    letters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn"))
    name = st.text(letters, min_size=1, max_size=8).map(str.strip).filter(bool)
    names = draw_from(st.lists(name, min_size=1, max_size=4, unique=True))
    corner = st.tuples(st.floats(0, WIDTH_PX - 2, width=32), st.floats(0, HEIGHT_PX - 2, width=32))
    side = st.tuples(st.floats(1.5, WIDTH_PX, width=32), st.floats(1.5, HEIGHT_PX, width=32))
    box = st.tuples(corner, side).map(
        lambda b: [*b[0], min(b[0][0] + b[1][0], WIDTH_PX), min(b[0][1] + b[1][1], HEIGHT_PX)]
    )
    thing = st.tuples(box, st.integers(0, len(names) - 1))
    pictures = draw_from(st.lists(st.lists(thing, max_size=3), min_size=1, max_size=4))
    return [([b for b, _ in things], [i for _, i in things]) for things in pictures], names


@settings(max_examples=40)
@given(labelled_pictures())
def test_boxes_and_classes_come_back_whatever_they_are(
    labelled: tuple[list[tuple[list, list[int]]], list[str]],
) -> None:
    pictures, names = labelled
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        samples = tuple(
            Sample(
                draw(root / f"{number}.png"),
                np.asarray(boxes, np.float32).reshape(-1, 4),
                tuple(names[index] for index in indices),
            )
            for number, (boxes, indices) in enumerate(pictures)
        )
        before = DataSet(samples, tuple(names))
        data, class_file, coco = root / "data.csv", root / "classes.csv", root / "coco.json"
        for plan in (
            csv_plan({data: samples}, names, class_file),
            pascal_plan({None: samples}, root / "voc"),
            coco_plan({None: samples}, names, coco, copy=False),
            yolo_plan({None: samples}, names, root / "yolo"),
        ):
            plan.carry_out(force=False, copy=False)
        found = [read_csv(data, class_file), read_coco(coco), read_yolo(root / "yolo/data.yaml")]
        for after in found:
            assert_same(after.usable("refuse"), before)
            assert after.classes == before.classes
        assert_same(read_pascal(root / "voc").usable("refuse"), before)
