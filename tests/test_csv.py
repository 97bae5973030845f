"""CSV data sets: what is taken, and that every wrong line is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from export.datasets import DatasetError, read_csv
from monitor.errors import UsageError


def draw(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    _, encoded = cv2.imencode(".jpg", np.zeros((30, 40, 3), np.uint8))
    path.write_bytes(encoded.tobytes())


def tables(folder: Path, data: str, classes: str = "mask,0\nnoMask,1\n") -> tuple[Path, Path]:
    draw(folder / "img" / "a.jpg")
    draw(folder / "img" / "b.jpg")
    (folder / "data.csv").write_text(data)
    (folder / "classes.csv").write_text(classes)
    return folder / "data.csv", folder / "classes.csv"


@pytest.mark.parametrize("header", ["", "path,x1,y1,x2,y2,class\n"])
def test_csv_gathers_faces_by_picture_and_classes_by_id(tmp_path: Path, header: str) -> None:
    samples, names = read_csv(
        *tables(
            tmp_path,
            f"{header}img/a.jpg,1,2,9,9,mask\nimg/b.jpg,,,,,\n\nimg/a.jpg,3,4,5.5,6,noMask\n",
            "noMask,1\nmask,0\n",
        )
    )
    assert names == ["mask", "noMask"]
    assert [sample.path.name for sample in samples] == ["a.jpg", "b.jpg"]
    assert [sample.labels for sample in samples] == [("mask", "noMask"), ()]
    assert samples[0].boxes.tolist() == [[1, 2, 9, 9], [3, 4, 5.5, 6]]
    assert samples[1].boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("img/a.jpg,1,2,9", "expected path,x1,y1,x2,y2,class", id="too few cells"),
        pytest.param(",1,2,9,9,mask", "expected path,x1,y1,x2,y2,class", id="no path"),
        pytest.param("img/c.jpg,1,2,9,9,mask", "found no picture", id="no such picture"),
        pytest.param("img/a.jpg,1,2,9,9,hat", "'hat', expected one of mask, noMask", id="class"),
        pytest.param("img/a.jpg,1,2,9,9,", "the class '', expected one of", id="no class"),
        pytest.param("img/a.jpg,1,,9,9,mask", "expected four numbers", id="a hole"),
        pytest.param("img/a.jpg,1,2,inf,9,mask", "expected four numbers", id="infinite"),
        pytest.param("img/a.jpg,9,2,1,9,mask", "expected x1 < x2", id="inverted"),
        pytest.param("img/a.jpg,-1,2,1,9,mask", "expected no coordinate below 0", id="outside"),
        pytest.param("img/b.jpg,,,,,", "but other lines give it some", id="contradiction"),
    ],
)
def test_csv_names_line_and_fault(tmp_path: Path, line: str, message: str) -> None:
    data, classes = tables(tmp_path, f"img/b.jpg,1,2,9,9,mask\n{line}\n")
    with pytest.raises(DatasetError) as caught:
        read_csv(data, classes)
    assert str(caught.value).startswith(f"{data}:2: ")
    assert message in str(caught.value)


def test_csv_lists_all_wrong_lines_at_once(tmp_path: Path) -> None:
    data, classes = tables(tmp_path, "img/a.jpg,1\nimg/a.jpg,1,2,9,9,hat\n")
    with pytest.raises(DatasetError) as caught:
        read_csv(data, classes)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        f"{data}:1",
        f"{data}:2",
    ]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        pytest.param("mask\n", r"classes.csv:1: found 'mask', expected name,id", id="no id"),
        pytest.param("mask,-1\n", "found 'mask,-1', expected name,id", id="negative id"),
        pytest.param("mask,0\nmask,1\n", "found the class 'mask' again", id="name twice"),
        pytest.param("mask,0\nnoMask,0\n", "each of 0 to 1 once", id="id twice"),
        pytest.param("mask,1\nnoMask,2\n", "each of 0 to 1 once", id="ids from 1"),
        pytest.param("", "found no class", id="empty file"),
    ],
)
def test_csv_refuses_a_wrong_class_file(tmp_path: Path, classes: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_csv(*tables(tmp_path, "img/a.jpg,,,,,\n", classes))


def test_csv_missing_file_is_wrong_usage_and_an_empty_one_bad_data(tmp_path: Path) -> None:
    data, classes = tables(tmp_path, "")
    with pytest.raises(UsageError, match=r"none\.csv: cannot read the file"):
        read_csv(tmp_path / "none.csv", classes)
    with pytest.raises(DatasetError, match="found no picture"):
        read_csv(data, classes)
    data.write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="as CSV in UTF-8"):
        read_csv(data, classes)
