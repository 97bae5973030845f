"""COCO data sets: where files are looked for, what is taken, and that every fault is named."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import draw

from export.datasets import DatasetError, coco_lists, read_coco
from monitor.errors import MaskgateError, UsageError

CATEGORIES = [{"id": 7, "name": "car"}, {"id": 1, "name": "person"}, {"id": 90, "name": "brush"}]


def box(*bbox: object, image: object = 1, category: object = 7, **more: object) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": list(bbox), **more}


def content(*annotations: object, name: str = "a.jpg", **more: object) -> dict[str, Any]:
    images = [{"id": 1, "file_name": name, "width": 40, "height": 30}]
    return {"images": images, "annotations": list(annotations), "categories": CATEGORIES, **more}


def one_file(folder: Path, *annotations: object, **more: object) -> Path:
    draw(folder / "a.jpg")
    file = folder / "labels.json"
    file.write_text(json.dumps(content(*annotations, **more)))
    return file


def in_folder(folder: Path, title: str, *annotations: object, **more: object) -> Path:
    draw(folder / "images" / title / "a.jpg")
    file = folder / "annotations" / f"instances_{title}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content(*annotations, **more)))
    return file


def test_coco_reads_corners_and_orders_classes_by_ids_with_gaps(tmp_path: Path) -> None:
    file = one_file(tmp_path, box(1, 2, 10, 20.5), box(0, 0, 40, 30, category=90))
    found = read_coco(file)
    assert found.classes == ("person", "car", "brush")
    assert found.problems == ()
    (sample,) = found.samples
    assert sample.path == tmp_path / "a.jpg"
    assert sample.boxes.tolist() == [[1, 2, 11, 22.5], [0, 0, 40, 30]]
    assert sample.labels == ("car", "brush")


def test_coco_picture_without_annotation_is_a_negative(tmp_path: Path) -> None:
    (sample,) = read_coco(one_file(tmp_path)).samples
    assert sample.boxes.shape == (0, 4)


def test_coco_lists_are_the_json_files_of_a_folder(tmp_path: Path) -> None:
    in_folder(tmp_path, "train2017", box(0, 0, 9, 9))
    in_folder(tmp_path, "val2017")
    assert coco_lists(tmp_path) == ("train", "val")
    (sample,) = read_coco(tmp_path, "val").samples
    assert sample.path == tmp_path / "images" / "val2017" / "a.jpg"
    assert [sample.labels for sample in read_coco(tmp_path).samples] == [("car",), ()]
    assert coco_lists(one_file(tmp_path)) == ()


@pytest.mark.parametrize(
    ("file", "picture"),
    [
        pytest.param("labels.json", "a.jpg", id="beside the file"),
        pytest.param("labels.json", "images/a.jpg", id="in images beside it"),
        pytest.param("annotations/instances_default.json", "images/default/a.jpg", id="of a list"),
        pytest.param("annotations/instances_train2017.json", "train2017/a.jpg", id="as unpacked"),
        pytest.param("annotations/instances_default.json", "images/a.jpg", id="one images folder"),
    ],
)
def test_coco_finds_pictures_where_tools_put_them(tmp_path: Path, file: str, picture: str) -> None:
    draw(tmp_path / picture)
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content()))
    (sample,) = read_coco(path).samples
    assert sample.path == tmp_path / picture


def test_coco_leaves_crowds_and_slivers_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept, crowd = box(0, 0, 1, 1), box(0, 0, 9, 9, iscrowd=1)
    file = one_file(tmp_path, crowd, kept, box(0, 0, 0.9, 9), box(0, 0, 9, 0))
    with caplog.at_level(logging.WARNING):
        found = read_coco(file)
    assert found.problems == ()
    assert found.samples[0].boxes.tolist() == [[0, 0, 1, 1]]
    (record,) = caplog.records
    assert record.getMessage().endswith("thinner than 1 px: 2")


def test_coco_cuts_what_rounding_let_stick_out(tmp_path: Path) -> None:
    (sample,) = read_coco(one_file(tmp_path, box(-0.3, 0, 40.5, 30.9))).samples
    assert sample.boxes.tolist() == [[0, 0, 40, 30]]


@pytest.mark.parametrize(
    ("bad", "kind", "message"),
    [
        pytest.param(box(1, 2, 40, 9), "box outside", "picture of 40 x 30 px", id="outside"),
        pytest.param(box(9, 2, -4, 9), "inverted box", "found x 9 to 5", id="negative width"),
        pytest.param(box(1, 2, 3, 4, category=2), "unknown class", "category_id 2", id="category"),
        pytest.param(box(1, 2, 3, 4, category=[]), "unknown class", "category_id []", id="type"),
        pytest.param(box(1, 2, 3), "unreadable annotation", "expected four numbers", id="three"),
        pytest.param(box(1, 2, 3, "x"), "unreadable annotation", "[1, 2, 3, 'x']", id="word"),
        pytest.param({"image_id": 1}, "unreadable annotation", "found bbox None", id="no box"),
        pytest.param(box(1, 2, 3, 4, image=9), "missing picture", "image_id 9", id="no image"),
    ],
)
def test_coco_names_annotation_and_fault(
    tmp_path: Path, bad: dict[str, Any], kind: str, message: str
) -> None:
    file = one_file(tmp_path, box(0, 0, 9, 9), bad)
    found = read_coco(file)
    (problem,) = found.problems
    assert (problem.kind, problem.where) == (kind, f"{file}: annotation 2")
    assert message in problem.what
    assert problem.picture not in [sample.path for sample in found.samples]


def test_coco_names_a_missing_picture(tmp_path: Path) -> None:
    file = one_file(tmp_path, name="ghost.jpg")
    (problem,) = read_coco(file).problems
    assert (problem.kind, problem.where) == ("missing picture", f"{file}: image 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "cannot read the file as JSON", id="empty"),
        pytest.param("[" * 100_000, "cannot read the file as JSON", id="too deep"),
        pytest.param("[]", "no list of objects 'images'", id="a list"),
        pytest.param('{"images": [1]}', "no list of objects 'images'", id="no objects"),
        pytest.param(
            '{"images": [], "annotations": [], "categories": []}', "found no category", id="none"
        ),
        pytest.param(
            json.dumps(content(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}])),
            "category 2: found id 1, name 'b' again",
            id="id twice",
        ),
    ],
)
def test_coco_refuses_what_is_not_its_json(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "labels.json"
    file.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_coco(file)


def test_coco_refuses_lists_of_different_classes(tmp_path: Path) -> None:
    in_folder(tmp_path, "train")
    in_folder(tmp_path, "val", categories=CATEGORIES[:2])
    with pytest.raises(DatasetError, match=r"instances_val.json: found the categories 1 person"):
        read_coco(tmp_path)


def test_coco_missing_file_or_list_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"instances_\*.json: no such file"):
        read_coco(tmp_path)
    with pytest.raises(UsageError, match="found one file, expected a folder"):
        read_coco(one_file(tmp_path), "val")
    for title in ("train2014", "train2017"):
        in_folder(tmp_path, title)
    with pytest.raises(UsageError, match=r"instances_train2014.json, instances_train2017.json"):
        read_coco(tmp_path, "train")


KEYS = st.sampled_from(["id", "name", "file_name", "image_id", "category_id", "bbox", "iscrowd"])
JSON = st.recursive(
    st.sampled_from([None, True, 0, 1, 7, 10**400, -2.5, "", "a.jpg", "car", [1, 2, 9, 9]])
    | st.floats()
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(KEYS, JSON), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, ROWS, ROWS, st.booleans())
def test_coco_lets_nothing_out_but_clear_errors(
    tmp_path: Path, images: list[Any], annotations: list[Any], categories: list[Any], sound: bool
) -> None:
    file = one_file(tmp_path)
    known = content()
    rows = {
        "images": images + known["images"] * sound,
        "annotations": annotations,
        "categories": CATEGORIES if sound else categories,
    }
    file.write_text(json.dumps(rows))
    try:
        found = read_coco(file)
    except MaskgateError:
        return
    for sample in found.samples:
        sample.read()
