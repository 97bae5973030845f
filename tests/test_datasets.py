"""PASCAL VOC data sets and their pictures: what is taken, and that every fault is named."""

from __future__ import annotations

import logging
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.datasets import DatasetError, Sample, read_pascal, read_picture
from monitor.errors import UsageError

WIDTH_PX, HEIGHT_PX = 40, 30


def draw(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(path.suffix.lower(), np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8))
    path.write_bytes(encoded.tobytes())
    return path


def face(name: str, *edges: object) -> str:
    tags = zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)
    box = "".join(f"<{tag}>{edge}</{tag}>" for tag, edge in tags)
    return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"


def label(folder: Path, stem: str, *faces: str, suffix: str = ".jpg", size: str = "40 30") -> Path:
    """One picture with its XML, as labelImg lays them out; the path of the XML."""
    draw(folder / "JPEGImages" / f"{stem}{suffix}")
    width, height = size.split()
    xml = folder / "Annotations" / f"{stem}.xml"
    xml.parent.mkdir(exist_ok=True)
    xml.write_text(
        f"<annotation><size><width>{width}</width><height>{height}</height></size>"
        f"{''.join(faces)}</annotation>"
    )
    return xml


def split(folder: Path, name: str, text: str) -> None:
    path = folder / "ImageSets" / "Main" / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_pascal_reads_boxes_and_labels_as_they_stand(tmp_path: Path) -> None:
    label(tmp_path, "a", face("mask", 0, 1, 20, 30), face("noMask", "20.5", 2, 40, 12))
    (sample,) = read_pascal(tmp_path)
    assert sample.path == tmp_path / "JPEGImages" / "a.jpg"
    assert sample.labels == ("mask", "noMask")
    assert sample.boxes.dtype == np.float32
    assert sample.boxes.tolist() == [[0, 1, 20, 30], [20.5, 2, 40, 12]]
    assert sample.sides_px.tolist() == pytest.approx([580**0.5, 195**0.5])


def test_pascal_takes_every_picture_format_in_order_of_name(tmp_path: Path) -> None:
    for stem, suffix in (("c", ".bmp"), ("b", ".PNG"), ("a", ".JPG"), ("d", ".jpeg")):
        label(tmp_path, stem, suffix=suffix)
    names = [sample.path.name for sample in read_pascal(tmp_path)]
    assert names == ["a.JPG", "b.PNG", "c.bmp", "d.jpeg"]


def test_pascal_without_objects_is_a_negative(tmp_path: Path) -> None:
    label(tmp_path, "empty room")
    (sample,) = read_pascal(tmp_path)
    assert sample.boxes.shape == (0, 4)
    assert sample.labels == ()


def test_pascal_leaves_an_unlabelled_picture_out_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    label(tmp_path, "labelled", face("mask", 1, 1, 9, 9))
    draw(tmp_path / "JPEGImages" / "forgotten.jpg")
    with caplog.at_level(logging.WARNING):
        assert [sample.path.stem for sample in read_pascal(tmp_path)] == ["labelled"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: pictures left out because they have no XML file: 1"
    ]


def test_pascal_split_takes_the_listed_pictures_in_order(tmp_path: Path) -> None:
    for stem in ("a", "b", "c d"):
        label(tmp_path, stem)
    split(tmp_path, "val", "c d\n\na\n")
    assert [sample.path.stem for sample in read_pascal(tmp_path, "val")] == ["c d", "a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a\nghost\n", "val.txt:2: found 'ghost', expected a picture", id="missing"),
        pytest.param("a\na\n", "val.txt:2: found 'a' again, first on line 1", id="twice"),
        pytest.param("", "found no labelled picture", id="empty list"),
    ],
)
def test_pascal_refuses_a_wrong_split(tmp_path: Path, text: str, message: str) -> None:
    label(tmp_path, "a")
    split(tmp_path, "val", text)
    with pytest.raises(DatasetError, match=message):
        read_pascal(tmp_path, "val")


def test_pascal_missing_folder_or_list_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="JPEGImages: no such folder"):
        read_pascal(tmp_path)
    label(tmp_path, "a")
    with pytest.raises(UsageError, match=r"train\.txt: cannot read the list"):
        read_pascal(tmp_path, "train")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param(face("mask", 9, 1, 9, 9), "expected x1 < x2", id="no width"),
        pytest.param(face("mask", 1, 9, 9, 2), "expected x1 < x2 and y1 < y2", id="upside down"),
        pytest.param(face("mask", -1, 1, 9, 9), "expected no coordinate below 0", id="left of it"),
        pytest.param(face("mask", 1, 1, 41, 9), "inside the picture of 40 x 30 px", id="right"),
        pytest.param(face("mask", 1, 1, 9, 31), "found x 1 to 9, y 1 to 31", id="below it"),
        pytest.param(face("mask", 1, 1, "x", 9), "<xmax> 'x', expected a number", id="word"),
        pytest.param(face("mask", 1, 1, "nan", 9), "<xmax> 'nan', expected a number", id="nan"),
        pytest.param(face(" ", 1, 1, 9, 9), "found no <name>", id="no name"),
        pytest.param("<object><name>mask</name></object>", "<bndbox> with <xmin>", id="no box"),
    ],
)
def test_pascal_names_file_object_and_fault(tmp_path: Path, bad: str, message: str) -> None:
    xml = label(tmp_path, "a", face("mask", 1, 1, 40, 30), bad)
    with pytest.raises(DatasetError) as caught:
        read_pascal(tmp_path)
    assert str(caught.value).startswith(f"{xml}: object 2: ")
    assert message in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("size", ["0 0", "?? ??"])
def test_pascal_without_a_stated_size_measures_the_picture(tmp_path: Path, size: str) -> None:
    label(tmp_path, "a", face("mask", 1, 1, 41, 9), size=size)
    with pytest.raises(DatasetError, match="inside the picture of 40 x 30 px"):
        read_pascal(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "cannot parse the XML", id="empty file"),
        pytest.param("<annotation><object>", "cannot parse the XML", id="cut short"),
        pytest.param("<svg/>", "found <svg>, expected <annotation>", id="another format"),
    ],
)
def test_pascal_refuses_what_is_not_an_annotation(tmp_path: Path, text: str, message: str) -> None:
    label(tmp_path, "a").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_pascal(tmp_path)


def test_pascal_lists_the_first_twenty_problems_of_all_files(tmp_path: Path) -> None:
    for stem in ("a", "b"):
        label(tmp_path, stem, *[face("mask", 9, 1, 1, 9)] * 15)
    with pytest.raises(DatasetError) as caught:
        read_pascal(tmp_path)
    lines = str(caught.value).splitlines()
    assert "a.xml: object 1:" in lines[0]
    assert "b.xml: object 5:" in lines[19]
    assert lines[20:] == ["... and 10 more"]


def test_pascal_refuses_two_pictures_for_one_annotation(tmp_path: Path) -> None:
    label(tmp_path, "a")
    draw(tmp_path / "JPEGImages" / "a.png")
    with pytest.raises(DatasetError, match=r"a\.png: found the name of a\.jpg again"):
        read_pascal(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "cannot read the picture", id="no file"),
        pytest.param(b"", "found an empty file", id="zero bytes"),
        pytest.param(b"hello", "cannot decode the picture", id="not a picture"),
    ],
)
def test_picture_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_picture(path)
    assert str(path) in str(caught.value)


def test_picture_is_turned_upright_by_its_exif_orientation(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.jpg")
    quarter_turn = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    body = b"Exif\0\0" + quarter_turn
    exif = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    jpeg = path.read_bytes()
    path.write_bytes(jpeg[:2] + exif + jpeg[2:])
    assert read_picture(path).shape == (WIDTH_PX, HEIGHT_PX, 3)


def test_sample_reads_its_picture_and_checks_its_boxes_against_it(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.png")
    boxes = np.array([[0, 0, 40, 30], [0, 0, 41, 30]], np.float32)
    image = Sample(path, boxes[:1], ("mask",)).read()
    assert image.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert image.dtype == np.uint8
    with pytest.raises(DatasetError, match=r"a\.png: box 2: .* of 40 x 30 px"):
        Sample(path, boxes, ("mask", "mask")).read()


def test_sample_refuses_boxes_and_labels_of_different_number() -> None:
    with pytest.raises(ValueError, match=r"found shape \(1, 4\), expected \(0, 4\)"):
        Sample(Path("a.jpg"), np.zeros((1, 4), np.float32), ())
