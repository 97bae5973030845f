"""PASCAL VOC data sets and their pictures: what is taken, and that every fault is named."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import draw

from export.datasets import DatasetError, read_pascal
from monitor.errors import MaskgateError, UsageError


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
    (sample,) = read_pascal(tmp_path).samples
    assert sample.path == tmp_path / "JPEGImages" / "a.jpg"
    assert sample.labels == ("mask", "noMask")
    assert sample.boxes.dtype == np.float32
    assert sample.boxes.tolist() == [[0, 1, 20, 30], [20.5, 2, 40, 12]]
    assert sample.sides_px.tolist() == pytest.approx([580**0.5, 195**0.5])


def test_pascal_takes_every_picture_format_in_order_of_name(tmp_path: Path) -> None:
    formats = (("c", ".bmp"), ("b", ".PNG"), ("a", ".JPG"), ("d", ".jpeg"), ("e", ".tif"))
    for stem, suffix in formats:
        label(tmp_path, stem, suffix=suffix)
    names = [sample.path.name for sample in read_pascal(tmp_path).samples]
    assert names == ["a.JPG", "b.PNG", "c.bmp", "d.jpeg", "e.tif"]


def test_pascal_without_objects_is_a_negative(tmp_path: Path) -> None:
    label(tmp_path, "empty room")
    (sample,) = read_pascal(tmp_path).samples
    assert sample.boxes.shape == (0, 4)
    assert sample.labels == ()


def test_pascal_leaves_an_unlabelled_picture_out_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    label(tmp_path, "labelled", face("mask", 1, 1, 9, 9))
    draw(tmp_path / "JPEGImages" / "forgotten.jpg")
    with caplog.at_level(logging.WARNING):
        assert [sample.path.stem for sample in read_pascal(tmp_path).samples] == ["labelled"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: pictures left out because they have no XML file: 1"
    ]


def test_pascal_split_takes_the_listed_pictures_in_order(tmp_path: Path) -> None:
    for stem in ("a", "b", "c d"):
        label(tmp_path, stem)
    split(tmp_path, "val", "c d\n\na\n")
    assert [sample.path.stem for sample in read_pascal(tmp_path, "val").samples] == ["c d", "a"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("a -1\nc d  1\r\n", ["a", "c d"], id="second column, Windows line ends"),
        pytest.param("\ufeffc 1\n", ["c 1"], id="a name that looks like one, byte order mark"),
    ],
)
def test_pascal_list_may_have_the_second_column_of_voc(
    tmp_path: Path, text: str, names: list[str]
) -> None:
    for stem in ("a", "c d", "c 1"):
        label(tmp_path, stem)
    split(tmp_path, "trainval", text)
    found = read_pascal(tmp_path, "trainval")
    assert [sample.path.stem for sample in found.samples] == names
    assert found.problems == ()


def test_pascal_takes_only_pictures_of_the_extension_that_is_asked_for(tmp_path: Path) -> None:
    for suffix in (".jpg", ".PNG"):
        label(tmp_path, "a", suffix=suffix)
    label(tmp_path, "b", suffix=".jpg")
    for extension in (".png", "png"):
        found = read_pascal(tmp_path, image_extension=extension)
        assert [sample.path.name for sample in found.samples] == ["a.PNG"]
        assert found.problems == ()


def test_pascal_finds_an_annotation_without_picture(tmp_path: Path) -> None:
    label(tmp_path, "a")
    xml = label(tmp_path, "b")
    (tmp_path / "JPEGImages" / "b.jpg").unlink()
    found = read_pascal(tmp_path)
    assert [sample.path.stem for sample in found.samples] == ["a"]
    assert [(p.kind, p.where) for p in found.problems] == [("missing picture", str(xml))]


def test_pascal_leaves_damaged_pictures_out_and_keeps_the_others(tmp_path: Path) -> None:
    label(tmp_path, "a", face("mask", 1, 1, 9, 9))
    label(tmp_path, "b", face("mask", 1, 1, 9, 9), face("noMask", 9, 1, 1, 9))
    label(tmp_path, "c").write_text("<annotation>")
    label(tmp_path, "d")
    (tmp_path / "JPEGImages" / "d.jpg").write_bytes(b"")
    found = read_pascal(tmp_path)
    assert [sample.path.stem for sample in found.samples] == ["a"]
    assert found.classes == ("mask",)
    assert [(problem.kind, problem.picture.stem) for problem in found.problems] == [
        ("inverted box", "b"),
        ("unreadable annotation", "c"),
        ("unreadable picture", "d"),
    ]
    assert len(found.usable("skip").samples) == 1


def test_pascal_cuts_what_rounding_let_stick_out(tmp_path: Path) -> None:
    label(tmp_path, "a", face("mask", "-0.4", 1, "40.4", "30.9"))
    (sample,) = read_pascal(tmp_path).samples
    assert sample.boxes.tolist() == [[0, 1, 40, 30]]
    sample.read()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a\nghost\n", "val.txt:2: found 'ghost', expected a picture", id="missing"),
        pytest.param("a\na\n", "val.txt:2: found 'a' again, first on line 1", id="twice"),
        pytest.param("", "found no usable picture", id="empty list"),
    ],
)
def test_pascal_refuses_a_wrong_split(tmp_path: Path, text: str, message: str) -> None:
    label(tmp_path, "a")
    split(tmp_path, "val", text)
    with pytest.raises(DatasetError, match=message):
        read_pascal(tmp_path, "val").usable("refuse")


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
        read_pascal(tmp_path).usable("refuse")
    assert str(caught.value).startswith(f"{xml}: object 2: ")
    assert message in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("size", ["0 0", "?? ??", "400 300"])
def test_pascal_measures_the_picture(tmp_path: Path, size: str) -> None:
    label(tmp_path, "a", face("mask", 1, 1, 41, 9), size=size)
    with pytest.raises(DatasetError, match="inside the picture of 40 x 30 px"):
        read_pascal(tmp_path).usable("refuse")


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
        read_pascal(tmp_path).usable("refuse")


def test_pascal_lists_the_first_twenty_problems_of_all_files(tmp_path: Path) -> None:
    for stem in ("a", "b"):
        label(tmp_path, stem, *[face("mask", 9, 1, 1, 9)] * 15)
    with pytest.raises(DatasetError) as caught:
        read_pascal(tmp_path).usable("refuse")
    lines = str(caught.value).splitlines()
    assert "a.xml: object 1:" in lines[0]
    assert "b.xml: object 5:" in lines[19]
    assert lines[20:] == ["... and 10 more"]


def test_pascal_refuses_two_pictures_for_one_annotation(tmp_path: Path) -> None:
    label(tmp_path, "a")
    draw(tmp_path / "JPEGImages" / "a.png")
    with pytest.raises(DatasetError, match=r"a\.png: found the name of a\.jpg again"):
        read_pascal(tmp_path).usable("refuse")


NODE = st.recursive(
    st.tuples(
        st.sampled_from(["name", "xmin", "ymin", "xmax", "ymax", "size"]),
        st.sampled_from(["", "mask", "1", "9", "1e999", "nan", "-1"]) | st.text(max_size=5),
    ),
    lambda inner: st.tuples(st.sampled_from(["object", "bndbox", "name"]), st.lists(inner)),
    max_leaves=12,
)


def as_xml(node: tuple[str, object]) -> str:
    tag, content = node
    text = content if isinstance(content, str) else "".join(map(as_xml, content))
    return f"<{tag}>{text}</{tag}>"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NODE).map(lambda nodes: as_xml(("annotation", nodes))) | st.text(), st.text())
def test_pascal_lets_nothing_out_but_clear_errors(tmp_path: Path, xml: str, listed: str) -> None:
    label(tmp_path, "a").write_bytes(xml.encode(errors="replace"))
    split(tmp_path, "train", "")
    (tmp_path / "ImageSets/Main/train.txt").write_bytes(f"a\n{listed}".encode(errors="replace"))
    for name in (None, "train"):
        try:
            found = read_pascal(tmp_path, name)
        except MaskgateError:
            continue
        for sample in found.samples:
            sample.read()
