"""Converting onto what is there already: what the data set is made from is never lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from conversions import (
    FORMATS,
    assert_same,
    convert,
    read,
    stems,
    target_of,
    words_of,
    write_source,
)
from full_disk import full_disk
from picture_files import draw

from monitor.errors import MaskgateError, UsageError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "source")


@pytest.mark.parametrize("kind", FORMATS)
def test_existing_files_are_overwritten_only_by_force(
    tmp_path: Path, source: Path, kind: str
) -> None:
    words = [*words_of("csv", source), *target_of(kind, tmp_path / "there")]
    convert(*words)
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="expected no file, or --force"):
        convert(*words)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == kept
    convert(*words, "--force")
    assert_same(read(words_of(kind, tmp_path / "there")), read(words_of("csv", source)))


def test_pictures_of_the_source_are_never_overwritten(tmp_path: Path) -> None:
    draw(tmp_path / "x" / "a.jpg")
    mine = draw(tmp_path / "voc" / "JPEGImages" / "a.jpg", 60, 60)
    (tmp_path / "data.csv").write_text("x/a.jpg,,,,,\nvoc/JPEGImages/a.jpg,,,,,\n")
    (tmp_path / "classes.csv").write_text("mask,0\n")
    before = mine.read_bytes()
    with pytest.raises(UsageError, match="it is a picture of the source"):
        convert(*words_of("csv", tmp_path), *target_of("pascal", tmp_path), "--force")
    assert mine.read_bytes() == before


def test_pictures_that_lie_where_they_belong_stay(tmp_path: Path) -> None:
    mine = draw(tmp_path / "voc" / "JPEGImages" / "a.jpg")
    (tmp_path / "data.csv").write_text("voc/JPEGImages/a.jpg,1,2,9,9,mask\n")
    (tmp_path / "classes.csv").write_text("mask,0\n")
    convert(*words_of("csv", tmp_path), *target_of("pascal", tmp_path))
    assert not mine.is_symlink()
    assert stems(read(words_of("pascal", tmp_path))) == ["a"]


@pytest.mark.parametrize("copy", [(), ("--copy",)], ids=["referring", "copying"])
@pytest.mark.parametrize(
    ("way", "back"),
    [
        # corrected in another format, and brought back to where the pictures lie
        (("yolo", "pascal"), "yolo"),
        # through a link to a link
        (("yolo", "pascal", "coco", "yolo-2"), "yolo"),
        # to a link on the way to the pictures
        (("yolo", "pascal", "yolo-2"), "pascal"),
    ],
)
def test_labels_may_go_back_to_where_the_pictures_come_from(
    tmp_path: Path, way: tuple[str, ...], back: str, copy: tuple[str, ...]
) -> None:
    places = {name: (name.split("-")[0], tmp_path / name) for name in (*way, back)}
    first, *others = (places[name] for name in way)
    write_source(tmp_path)
    convert(*words_of("csv", tmp_path), *target_of(*first), "--copy")
    before = read(words_of(*first))
    pictures = {path: path.read_bytes() for path in first[1].rglob("images/*/*")}
    at = first
    for there in others:
        convert(*words_of(*at), *target_of(*there))
        at = there
    convert("--merge", "no mask=mask", *words_of(*at), *target_of(*places[back]), "--force", *copy)
    assert {path: path.read_bytes() for path in pictures} == pictures
    assert not any(path.is_symlink() for path in pictures)
    after = read(words_of(*places[back]))
    assert after.classes == ("mask",)
    assert stems(after) == stems(before)


def test_a_picture_behind_a_link_of_the_source_is_never_overwritten(tmp_path: Path) -> None:
    mine = draw(tmp_path / "voc" / "JPEGImages" / "b.jpg", 60, 60)
    draw(tmp_path / "x" / "b.jpg")
    (tmp_path / "x" / "a.jpg").symlink_to("../voc/JPEGImages/b.jpg")
    (tmp_path / "data.csv").write_text("x/a.jpg,,,,,\nx/b.jpg,,,,,\n")
    (tmp_path / "classes.csv").write_text("mask,0\n")
    before = mine.read_bytes()
    with pytest.raises(UsageError, match="it is a picture of the source"):
        convert(*words_of("csv", tmp_path), *target_of("pascal", tmp_path), "--force")
    assert mine.read_bytes() == before


@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_leaves_what_was_there_whole(tmp_path: Path, source: Path, kind: str) -> None:
    words = [*words_of("csv", source), *target_of(kind, tmp_path / "there")]
    convert(*words)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with full_disk(10), pytest.raises(MaskgateError, match="cannot write the file: File too large"):
        convert(*words, "--force")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_full_disk_leaves_a_picture_that_was_to_be_copied_again(tmp_path: Path) -> None:
    draw(tmp_path / "x" / "a.png", 2000, 2000)
    (tmp_path / "data.csv").write_text("x/a.png,,,,,\n")
    (tmp_path / "classes.csv").write_text("mask,0\n")
    words = [*words_of("csv", tmp_path), *target_of("pascal", tmp_path), "--copy"]
    convert(*words)
    copy = tmp_path / "voc" / "JPEGImages" / "a.png"
    before = copy.read_bytes()
    with full_disk(1000), pytest.raises(MaskgateError, match=r"a\.png: cannot write the file"):
        convert(*words, "--force")
    assert copy.read_bytes() == before
    assert list(copy.parent.iterdir()) == [copy]


def test_files_beside_what_is_written_are_left_alone(tmp_path: Path, source: Path) -> None:
    picture = source / "x" / "a.jpg"
    before = picture.read_bytes()
    (tmp_path / "data.csv.partial").write_text("mine")
    (tmp_path / "classes.csv.partial").symlink_to(picture)
    there = sorted([*tmp_path.iterdir(), tmp_path / "data.csv", tmp_path / "classes.csv"])
    convert(*words_of("csv", source), *target_of("csv", tmp_path))
    assert (tmp_path / "data.csv.partial").read_text() == "mine"
    assert picture.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == there


def test_the_name_of_one_file_may_be_that_of_the_other_and_more(
    tmp_path: Path, source: Path
) -> None:
    data, classes = tmp_path / "k.csv.partial", tmp_path / "k.csv"
    convert(*words_of("csv", source), "--csv", data, classes)
    assert_same(read(["csv", data, classes]), read(words_of("csv", source)))


def test_names_may_be_as_long_as_the_disk_takes_them(tmp_path: Path) -> None:
    name = "я" * 124  # 248 bytes, of the 255 that a name may have
    draw(tmp_path / "x" / "a.jpg").rename(tmp_path / "x" / f"{name}.jpg")
    (tmp_path / "data.csv").write_text(f"x/{name}.jpg,,,,,\n", encoding="utf-8")
    (tmp_path / "classes.csv").write_text("mask,0\n")
    convert(*words_of("csv", tmp_path), *target_of("pascal", tmp_path))
    assert stems(read(words_of("pascal", tmp_path))) == [name]


@pytest.mark.parametrize("linked", [False, True], ids=["pipe", "link-to-a-pipe"])
def test_a_pipe_is_written_to_and_stays(tmp_path: Path, source: Path, linked: bool) -> None:
    pipe = data = tmp_path / "pipe"
    os.mkfifo(pipe)
    if linked:  # as /dev/stdout is
        data = tmp_path / "data.csv"
        data.symlink_to(pipe)
    classes = tmp_path / "classes.csv"
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        convert(*words_of("csv", source), "--csv", data, classes, "--force")
        got = os.read(reader, 65536)
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert data.is_symlink() == linked
    convert(*words_of("csv", source), "--csv", tmp_path / "file.csv", classes, "--force")
    assert got == (tmp_path / "file.csv").read_bytes()


def test_a_device_stays_a_device(tmp_path: Path, source: Path) -> None:
    # A link, so that the machine keeps its own whatever happens.
    data = tmp_path / "data.csv"
    data.symlink_to(os.devnull)
    convert(*words_of("csv", source), "--csv", data, tmp_path / "classes.csv", "--force")
    assert data.is_char_device()


def test_a_folder_in_the_place_of_a_file_is_named_and_stays(tmp_path: Path, source: Path) -> None:
    data = tmp_path / "data.csv"
    data.mkdir()
    with pytest.raises(MaskgateError, match=r"data\.csv: cannot write the file: Is a directory"):
        convert(*words_of("csv", source), *target_of("csv", tmp_path), "--force")
    assert sorted(tmp_path.iterdir()) == [data, source]


def test_what_is_overwritten_keeps_its_mode(tmp_path: Path) -> None:
    mine = draw(tmp_path / "x" / "a.jpg")
    mine.chmod(0o600)
    (tmp_path / "data.csv").write_text("x/a.jpg,,,,,\n")
    (tmp_path / "classes.csv").write_text("mask,0\n")
    words = [*words_of("csv", tmp_path), *target_of("pascal", tmp_path), "--force"]
    convert(*words, "--copy")
    picture = tmp_path / "voc" / "JPEGImages" / "a.jpg"
    files = [tmp_path / "voc" / "Annotations" / "a.xml", picture]
    for path in files:
        path.chmod(0o640)
    convert(*words, "--copy")
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o640, 0o640]
    # A picture that becomes a link has no mode of its own: what it leads to keeps its.
    convert(*words)
    assert picture.is_symlink()
    assert stat.S_IMODE(mine.stat().st_mode) == 0o600
