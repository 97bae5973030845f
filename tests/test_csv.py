"""CSV data sets: what is taken, and that every wrong line is named."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import draw

from export.datasets import DatasetError, read_csv
from monitor.errors import MaskgateError, UsageError


def tables(folder: Path, data: str, classes: str = "mask,0\nnoMask,1\n") -> tuple[Path, Path]:
    draw(folder / "img" / "a.jpg")
    draw(folder / "img" / "b.jpg")
    (folder / "data.csv").write_bytes(data.encode())
    (folder / "classes.csv").write_bytes(classes.encode())
    return folder / "data.csv", folder / "classes.csv"


@pytest.mark.parametrize("header", ["", "path,x1,y1,x2,y2,class\n"])
def test_csv_gathers_objects_by_picture_and_classes_by_id(tmp_path: Path, header: str) -> None:
    found = read_csv(
        *tables(
            tmp_path,
            f"{header}img/a.jpg,1,2,9,9,mask\nimg/b.jpg,,,,,\n\nimg/a.jpg,3,4,5.5,6,noMask\n",
            "noMask,1\nmask,0\n",
        )
    )
    assert found.classes == ("mask", "noMask")
    assert found.problems == ()
    first, second = found.samples
    assert [sample.path.name for sample in found.samples] == ["a.jpg", "b.jpg"]
    assert [sample.labels for sample in found.samples] == [("mask", "noMask"), ()]
    assert first.boxes.tolist() == [[1, 2, 9, 9], [3, 4, 5.5, 6]]
    assert second.boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        # as its own tests have it: a line without an object clears nothing, before or after
        pytest.param("img/a.jpg,0,1,2,3,mask\nimg/a.jpg,,,,,\n", ["mask"], id="clears nothing"),
        pytest.param("img/a.jpg,,,,,\nimg/a.jpg,0,1,2,3,mask\n", ["mask"], id="nor before"),
        pytest.param("img/a.jpg,0,1,2,3,mask,0.9,tent\n", ["mask"], id="more than six cells"),
        pytest.param("img/a.jpg,,,,,,,\n", [], id="more than six cells of a negative"),
        pytest.param("img/a.jpg,0,1,2,3,mask", ["mask"], id="no newline at the end"),
        pytest.param("img/a.jpg,0,1,2,3,mask\r\n\r\n", ["mask"], id="Windows line ends"),
        pytest.param("\ufeffimg/a.jpg,0,1,2,3,mask\n", ["mask"], id="byte order mark"),
        pytest.param(" img/a.jpg , 0,1 ,2, 3, mask \n  \n", ["mask"], id="spaces around cells"),
        pytest.param("img\\a.jpg,0,1,2,3,mask\n", ["mask"], id="Windows path"),
        pytest.param('"img/a.jpg","0","1","2","3","mask"\n', ["mask"], id="quotes"),
        pytest.param("img/a.jpg,0,1,40,30,mask\n", ["mask"], id="up to the edges"),
    ],
)
def test_csv_takes_what_keras_retinanet_takes(tmp_path: Path, data: str, labels: list[str]) -> None:
    found = read_csv(*tables(tmp_path, data))
    assert found.problems == ()
    (sample,) = found.samples
    assert sample.path.samefile(tmp_path / "img" / "a.jpg")
    assert list(sample.labels) == labels


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        # keras-retinanet's own wrong lines
        pytest.param("img/a.jpg,1,2,3,a", "malformed line", "expected path,x1", id="five cells"),
        pytest.param("img/a.jpg,a,0,1,2,mask", "malformed line", "found x1 'a'", id="x1"),
        pytest.param("img/a.jpg,0,a,1,2,mask", "malformed line", "found y1 'a'", id="y1"),
        pytest.param("img/a.jpg,0,1,a,2,mask", "malformed line", "found x2 'a'", id="x2"),
        pytest.param("img/a.jpg,0,1,2,a,mask", "malformed line", "found y2 'a'", id="y2"),
        pytest.param("img/a.jpg,0,1,2,3,g", "unknown class", "'g', expected one of mask", id="g"),
        # the box is looked at before the class
        pytest.param("img/a.jpg,1,2,1,3,g", "inverted box", "expected x1 < x2", id="no width"),
        pytest.param("img/a.jpg,9,2,5,3,g", "inverted box", "found x 9 to 5", id="inverted x"),
        pytest.param("img/a.jpg,1,2,3,2,mask", "inverted box", "found x 1 to 3", id="no height"),
        pytest.param("img/a.jpg,1,8,3,5,mask", "inverted box", "y 8 to 5", id="inverted y"),
        # and ours
        pytest.param("img/a.jpg,1,2,9", "malformed line", "expected path,x1", id="too few cells"),
        pytest.param("img/a.jpg", "malformed line", "or path,,,,,", id="path alone"),
        pytest.param(",1,2,9,9,mask", "malformed line", "expected path,x1", id="no path"),
        pytest.param("img/c.jpg,1,2,9,9,mask", "missing picture", "found no picture", id="picture"),
        pytest.param("img/a.jpg,1,2,9,9,", "unknown class", "the class ''", id="no class"),
        pytest.param("img/a.jpg,1,,9,9,mask", "malformed line", "found y1 ''", id="a hole"),
        pytest.param("img/a.jpg,1,2,inf,9,mask", "malformed line", "x2 'inf'", id="infinite"),
        pytest.param("img/a.jpg,-1,2,1,9,mask", "box outside", "no coordinate below 0", id="left"),
        pytest.param("img/a.jpg,1,2,41,9,mask", "box outside", "picture of 40 x 30 px", id="right"),
    ],
)
def test_csv_names_line_and_fault_and_leaves_that_picture_out(
    tmp_path: Path, line: str, kind: str, message: str
) -> None:
    data, classes = tables(tmp_path, f"img/b.jpg,1,2,9,9,mask\n{line}\nimg/a.jpg,1,2,9,9,mask\n")
    found = read_csv(data, classes)
    (problem,) = found.problems
    assert (problem.kind, problem.where) == (kind, f"{data}:2")
    assert message in problem.what
    sound = [sample.path for sample in found.samples]
    assert problem.picture not in sound
    assert tmp_path / "img" / "b.jpg" in sound
    with pytest.raises(DatasetError) as caught:
        found.usable("refuse")
    assert str(caught.value) == f"{data}:2: {problem.what}"


def test_csv_skips_damaged_pictures_when_asked_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, classes = tables(tmp_path, "img/a.jpg,1\nimg/a.jpg,1,2,9,9,hat\nimg/b.jpg,,,,,\n")
    (sample,) = read_csv(data, classes).usable("skip").samples
    assert sample.path.name == "b.jpg"
    named = [record.getMessage() for record in caplog.records]
    assert [text.split(": ")[:2] for text in named] == [
        ["left out", f"{data}:1"],
        ["left out", f"{data}:2"],
    ]


def test_csv_names_an_unreadable_or_missing_picture_once(tmp_path: Path) -> None:
    lines = [f"img/{name}.jpg,1,2,9,9,mask\n" for name in ("ghost", "cut")] * 3
    data, classes = tables(tmp_path, "".join(lines))
    (tmp_path / "img" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    kinds = [(problem.kind, problem.where) for problem in read_csv(data, classes).problems]
    assert kinds == [
        ("missing picture", f"{data}:1"),
        ("unreadable picture", str(tmp_path / "img" / "cut.jpg")),
    ]


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        pytest.param("a,1", ("a",), id="one, from 1"),
        pytest.param("a,1\nb,2", ("a", "b"), id="from 1"),
        pytest.param("d,10\na,1\nc,4\nb,2", ("a", "b", "c", "d"), id="gaps"),
    ],
)
def test_csv_numbers_columns_in_order_of_ids_that_start_late_or_have_gaps(
    tmp_path: Path, classes: str, names: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = read_csv(*tables(tmp_path, "img/a.jpg,,,,,\n", classes))
    assert found.classes == names
    (record,) = caplog.records
    columns = ", ".join(f"{name} {column}" for column, name in enumerate(names))
    assert record.getMessage().endswith(f"columns are numbered {columns}")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        # keras-retinanet's own wrong lines
        pytest.param("a,b,c", "classes.csv:1: found 'a,b,c', expected name,id", id="three cells"),
        pytest.param("a,1\nb,c,d", "classes.csv:2: found 'b,c,d', expected", id="on line 2"),
        pytest.param("a,b", "classes.csv:1: found the id 'b'", id="word"),
        pytest.param("a,1\nb,c", "classes.csv:2: found the id 'c'", id="word on line 2"),
        pytest.param("a,1\nb,2\na,3", "classes.csv:3: found the class 'a' again", id="name twice"),
        # and ours
        pytest.param("mask\n", "classes.csv:1: found 'mask', expected name,id", id="no id"),
        pytest.param("mask,-1\n", "found the id '-1', expected a whole number", id="negative id"),
        pytest.param("mask,0\nface,0\n", "id 0 again, .* fold two classes use --merge", id="twice"),
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
    with pytest.raises(DatasetError, match="found no usable picture"):
        read_csv(data, classes).usable("refuse")
    data.write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="as CSV in UTF-8"):
        read_csv(data, classes)


CELL = st.one_of(
    st.sampled_from(["", "img/a.jpg", "img/b.jpg", "mask", "0", "9", "1e999", "nan", "-3", "0.5"]),
    st.text(max_size=8),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL, max_size=8)), st.text(max_size=30))
def test_csv_lets_nothing_out_but_clear_errors(
    tmp_path: Path, rows: list[list[str]], classes: str
) -> None:
    text = "\n".join(",".join(row) for row in rows).encode(errors="replace").decode()
    for names in ("mask,0\n", classes):
        try:
            found = read_csv(*tables(tmp_path, text, names.encode(errors="replace").decode()))
        except MaskgateError:
            continue
        for sample in found.samples:
            sample.read()
