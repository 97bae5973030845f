"""YOLO data sets: where files are looked for, what is taken, and that every fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from picture_files import draw

from export.datasets import DatasetError, read_yolo, yolo_lists
from monitor.errors import MaskgateError, UsageError

NAMES = "names: [person, car]\n"


def label(folder: Path, name: str, text: str | None) -> Path:
    """A picture of 40 x 30 pixels, such as train/a.jpg, with its label file; the label file."""
    draw(folder / "images" / name)
    file = (folder / "labels" / name).with_suffix(".txt")
    file.parent.mkdir(parents=True, exist_ok=True)
    if text is not None:
        file.write_text(text)
    return file


def data_file(folder: Path, text: str) -> Path:
    path = folder / "data.yaml"
    path.write_text(text)
    return path


def test_yolo_turns_fractions_into_pixels(tmp_path: Path) -> None:
    label(tmp_path, "train/a.JPG", "1 0.5 0.5 0.5 0.2\r\n0.0 0.25 0.5 0.5 1\r\n\r\n")
    found = read_yolo(data_file(tmp_path, f"train: images/train\n{NAMES}"))
    assert found.classes == ("person", "car")
    assert found.problems == ()
    (sample,) = found.samples
    assert sample.labels == ("car", "person")
    assert sample.boxes.tolist() == [[10, 12, 30, 18], [0, 0, 20, 30]]


def test_yolo_takes_the_pictures_of_linked_folders_once(tmp_path: Path) -> None:
    label(tmp_path, "train/a.jpg", "0 0.5 0.5 0.5 0.2\n")
    draw(tmp_path / "elsewhere" / "deep" / "b.jpg")
    images = tmp_path / "images" / "train"
    (images / "more").symlink_to(tmp_path / "elsewhere")
    # back to where it lies, by itself and by way of another, and to nothing
    (images / "again").symlink_to(images)
    (tmp_path / "elsewhere" / "deep" / "again").symlink_to(images)
    (images / "loop").symlink_to(images / "loop")
    found = read_yolo(data_file(tmp_path, f"train: images/train\n{NAMES}"))
    assert found.pictures == (images / "a.jpg", images / "more" / "deep" / "b.jpg")


def test_yolo_polygon_becomes_its_bounding_box(tmp_path: Path) -> None:
    label(tmp_path, "train/a.jpg", "0 0.5 0.1 0.25 0.9 0.75 0.3\n")
    (sample,) = read_yolo(data_file(tmp_path, f"train: images/train\n{NAMES}")).samples
    assert sample.boxes.tolist() == [[10, 3, 30, 27]]


@pytest.mark.parametrize(
    ("shape", "points"),
    [
        # x, y and whether it is visible
        ("[2, 3]", "0.1 0.1 2 0.9 0.9 0"),
        # x and y, as many numbers as of a polygon of six corners
        ("[4, 2]", "0.1 0.1 0.9 0.9 0.2 0.2 0 0"),
        # three of them, an odd count
        ("[1, 3]", "0.1 0.1 2"),
    ],
)
def test_yolo_box_before_key_points_is_taken(tmp_path: Path, shape: str, points: str) -> None:
    label(tmp_path, "train/a.jpg", f"1 0.5 0.5 0.5 0.2 {points}\n")
    text = f"train: images/train\nkpt_shape: {shape}\n{NAMES}"
    (sample,) = read_yolo(data_file(tmp_path, text)).samples
    assert sample.labels == ("car",)
    assert sample.boxes.tolist() == [[10, 12, 30, 18]]


@pytest.mark.parametrize(
    "numbers",
    [
        # none of the key points
        "0.5 0.5 0.5 0.2",
        # one of two
        "0.5 0.5 0.5 0.2 0.1 0.1 2",
        # a polygon
        "0.1 0.1 0.9 0.1 0.9 0.9 0.1 0.9",
    ],
)
def test_yolo_line_with_another_count_of_key_points_is_a_fault(
    tmp_path: Path, numbers: str
) -> None:
    file = label(tmp_path, "train/a.jpg", f"0 {numbers}\n")
    text = f"train: images/train\nkpt_shape: [2, 3]\n{NAMES}"
    (problem,) = read_yolo(data_file(tmp_path, text)).problems
    assert (problem.kind, problem.where) == ("malformed line", f"{file}:1")
    assert "expected class cx cy width height and 6 numbers of key points" in problem.what


def test_yolo_picture_with_empty_or_without_label_file_is_a_negative(tmp_path: Path) -> None:
    label(tmp_path, "train/a.jpg", "0 0.5 0.5 0.5 0.5\n")
    label(tmp_path, "train/b.jpg", "")
    label(tmp_path, "train/c.jpg", None)
    found = read_yolo(data_file(tmp_path, f"train: images/train\n{NAMES}"))
    assert [sample.labels for sample in found.samples] == [("person",), (), ()]


@pytest.mark.parametrize("shape", ["5", "[5]", "[5, 4]", "[0, 2]", "[x, 2]", "[[5], 2]"])
def test_yolo_key_points_of_no_known_shape_are_refused(tmp_path: Path, shape: str) -> None:
    label(tmp_path, "train/a.jpg", "0 0.5 0.5 0.5 0.5\n")
    path = data_file(tmp_path, f"train: images/train\nkpt_shape: {shape}\n{NAMES}")
    with pytest.raises(DatasetError, match=r"found the kpt_shape .*, expected \[COUNT, 2 or 3\]"):
        read_yolo(path)


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        pytest.param("names: {0: person, 1: car}", ("person", "car"), id="numbered"),
        pytest.param("names:\n  1: car\n  0: person", ("person", "car"), id="out of order"),
        pytest.param("names: [no, 1e-3]", ("no", "1e-3"), id="every name is text"),
    ],
)
def test_yolo_names_are_a_list_or_numbered(
    tmp_path: Path, names: str, classes: tuple[str, ...]
) -> None:
    label(tmp_path, "train/a.jpg", "1 0.5 0.5 0.5 0.5\n")
    found = read_yolo(data_file(tmp_path, f"train: images/train\n{names}\n"))
    assert found.classes == classes
    assert found.samples[0].labels == (classes[1],)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("train: images/train\n", id="a folder"),
        pytest.param("path: .\ntrain: [images/train/x, images/train/y]\n", id="several folders"),
        pytest.param("path: ..\ntrain: set/images\n", id="relative to path"),
        pytest.param("train: train.txt\nval:\n", id="a list, and an empty entry"),
        pytest.param("train: ../images/train\n", id="as Roboflow writes it"),
    ],
)
def test_yolo_finds_pictures_where_the_data_file_says(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "set"
    label(folder, "train/x/a.jpg", "0 0.5 0.5 0.5 0.5\n")
    label(folder, "train/y/b.png", "1 0.5 0.5 0.5 0.5\n")
    (folder / "train.txt").write_text("./images/train/x/a.jpg\n\nimages/train/y/b.png\n")
    path = data_file(folder, text + NAMES)
    assert yolo_lists(path) == ("train",)
    for split in ("train", None):
        found = read_yolo(path, split)
        assert [sample.path.name for sample in found.samples] == ["a.jpg", "b.png"]
        assert [sample.labels for sample in found.samples] == [("person",), ("car",)]


def test_yolo_lists_are_read_apart_or_together(tmp_path: Path) -> None:
    for name in ("train/a.jpg", "val/b.jpg"):
        label(tmp_path, name, "0 0.5 0.5 0.5 0.5\n")
    path = data_file(tmp_path, f"val: images/val\ntrain: images/train\n{NAMES}")
    assert yolo_lists(path) == ("train", "val")
    assert [sample.path.stem for sample in read_yolo(path, "val").samples] == ["b"]
    assert [sample.path.stem for sample in read_yolo(path).samples] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        pytest.param("0 0.5 0.5 0.5", "malformed line", "class cx cy width", id="four"),
        pytest.param("0 0.5 0.5 0.5 0.5 0.9", "malformed line", "class cx cy", id="confidence"),
        pytest.param("0 0.5 0.5 0.5 x", "malformed line", "0 0.5 0.5 0.5 x", id="word"),
        pytest.param("0 nan 0.5 0.5 0.5", "malformed line", "found '0 nan", id="nan"),
        pytest.param("2 0.5 0.5 0.5 0.5", "unknown class", "expected one of 0 person", id="class"),
        pytest.param("0.5 0.5 0.5 0.5 0.5", "unknown class", "the class 0.5", id="half a class"),
        pytest.param("0 0.5 0.5 1.2 0.5", "box outside", "below 0", id="outside"),
        pytest.param("0 20 15 9 9", "box outside", "picture of 40 x 30", id="pixels"),
        pytest.param("0 0.5 0.5 0 0.5", "inverted box", "expected x1 < x2", id="no width"),
    ],
)
def test_yolo_names_file_line_and_fault(tmp_path: Path, line: str, kind: str, message: str) -> None:
    file = label(tmp_path, "train/a.jpg", f"0 0.5 0.5 0.5 0.5\n{line}\n")
    label(tmp_path, "train/b.jpg", "1 0.5 0.5 0.5 0.5\n")
    found = read_yolo(data_file(tmp_path, f"train: images/train\n{NAMES}"))
    (problem,) = found.problems
    assert (problem.kind, problem.where) == (kind, f"{file}:2")
    assert message in problem.what
    assert [sample.path.stem for sample in found.samples] == ["b"]


def test_yolo_names_missing_and_unreadable_pictures_and_labels(tmp_path: Path) -> None:
    label(tmp_path, "a.jpg", "0 0.5 0.5 0.5 0.5\n").write_bytes(b"\xff")
    label(tmp_path, "b.jpg", "0 0.5 0.5 0.5 0.5\n")
    (tmp_path / "images" / "b.jpg").write_bytes(b"no picture")
    listed = "images/a.jpg\nimages/b.jpg\nimages/ghost.jpg\n"
    (tmp_path / "train.txt").write_text(listed)
    found = read_yolo(data_file(tmp_path, f"train: train.txt\n{NAMES}"))
    assert found.samples == ()
    assert [problem.kind for problem in found.problems] == [
        "unreadable annotation",
        "unreadable picture",
        "missing picture",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "found no keys", id="empty"),
        pytest.param("train: [", "cannot read the file as YAML", id="not YAML"),
        pytest.param("train: images/train\n", "found no names", id="no names"),
        pytest.param("names: [a, a]\n", "found the name 'a'", id="name twice"),
        pytest.param("names: {x: a}\n", "found the class number 'x'", id="no number"),
        pytest.param(f"train: images\n{NAMES}", "found no label file for any of 1", id="labels"),
    ],
)
def test_yolo_refuses_a_wrong_data_file(tmp_path: Path, text: str, message: str) -> None:
    label(tmp_path, "train/a.jpg", None)
    with pytest.raises(DatasetError, match=message):
        read_yolo(data_file(tmp_path, text))


def test_yolo_missing_file_folder_or_list_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.yaml: cannot read the file"):
        read_yolo(tmp_path / "data.yaml")
    path = data_file(tmp_path, f"train: nowhere\n{NAMES}")
    with pytest.raises(UsageError, match="train: found no folder or list"):
        read_yolo(path)
    with pytest.raises(UsageError, match="found no list 'val'"):
        read_yolo(path, "val")
    path.write_text(f"path: nowhere\ntrain: images\n{NAMES}")
    with pytest.raises(UsageError, match="path: found no folder"):
        read_yolo(path)


CELL = st.sampled_from(["0", "1", "0.5", "1e308", "-0.1", "nan", "x"]) | st.text(max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=40) | st.just(f"train: images\n{NAMES}"),
    st.lists(st.lists(CELL, max_size=8).map(" ".join)).map("\n".join),
    st.text(max_size=20),
)
# a folder that has no name
@example(yaml="train: images\n" + NAMES, labels="", listed="/")
def test_yolo_lets_nothing_out_but_clear_errors(
    tmp_path: Path, yaml: str, labels: str, listed: str
) -> None:
    label(tmp_path, "a.jpg", None).write_bytes(labels.encode(errors="replace"))
    (tmp_path / "list.txt").write_bytes(f"images/a.jpg\n{listed}".encode(errors="replace"))
    path = tmp_path / "data.yaml"
    for text in (yaml, f"{yaml}\ntrain: list.txt\n{NAMES}", f"train: list.txt\n{NAMES}"):
        path.write_bytes(text.encode(errors="replace"))
        try:
            found = read_yolo(path)
        except MaskgateError:
            continue
        for sample in found.samples:
            sample.read()
