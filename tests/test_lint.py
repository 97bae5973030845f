"""Lint: every fault that was put into a data set is found, counted and placed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lint_cases import GOOD, Voc, an_object, lint, write_csv
from picture_files import write

from export.__main__ import main
from export.datasets import read_picture


@pytest.fixture
def voc(tmp_path: Path) -> Voc:
    return Voc(tmp_path / "voc")


def put_sound(voc: Voc) -> None:
    voc.add("another", an_object("mask", 10, 20, 60, 90))


def put_truncated(voc: Voc) -> None:
    path = voc.add("cut", GOOD)
    path.write_bytes(path.read_bytes()[:-500])


def put_empty(voc: Voc) -> None:
    voc.add("empty", GOOD).write_bytes(b"")


def put_text(voc: Voc) -> None:
    voc.add("text", GOOD).write_text("no picture")


def put_missing(voc: Voc) -> None:
    voc.add("gone", GOOD).unlink()


def put_bad_xml(voc: Voc) -> None:
    voc.add("bad", GOOD)
    voc.label("bad", "<annotation><obj")


def put_outside(voc: Voc) -> None:
    voc.add("outside", an_object("mask", 40, 30, 300, 80))


def put_inverted(voc: Voc) -> None:
    voc.add("inverted", an_object("mask", 80, 30, 40, 80))


def put_wrong_size(voc: Voc) -> None:
    voc.add("size", GOOD, size="<size><width>500</width><height>400</height></size>")


def put_no_label(voc: Voc) -> None:
    voc.add("nothing")


def put_no_xml(voc: Voc) -> None:
    voc.add("unlabelled")
    (voc.folder / "Annotations" / "unlabelled.xml").unlink()


def put_copy(voc: Voc) -> None:
    path = voc.add("copy", GOOD)
    path.write_bytes((voc.folder / "JPEGImages" / "sound.jpg").read_bytes())


def put_mirrored(voc: Voc) -> None:
    original = voc.add("original", GOOD, suffix=".png")
    pixels = np.ascontiguousarray(read_picture(original)[4:, ::-1][:, 5:])
    write(voc.folder / "JPEGImages" / "mirrored.jpg", pixels)
    voc.label("mirrored", f"<annotation>{GOOD}</annotation>")


def put_box_twice(voc: Voc) -> None:
    voc.add("twice", GOOD, an_object("mask", 40, 30, 80, 81))


def put_two_classes(voc: Voc) -> None:
    voc.add("both", GOOD, an_object("no mask", 40, 30, 80, 80))


def put_similar_class(voc: Voc) -> None:
    voc.add("Mask", an_object("Mask", 10, 20, 60, 90))


def put_tiny(voc: Voc) -> None:
    voc.add("tiny", an_object("mask", 40, 30, 40.5, 30.5))


def put_elongated(voc: Voc) -> None:
    voc.add("long", an_object("mask", 5, 30, 155, 45))


@pytest.mark.parametrize(
    ("put", "kinds"),
    [
        (put_sound, {}),
        (put_truncated, {"truncated picture": 1}),
        (put_empty, {"unreadable picture": 1}),
        (put_text, {"unreadable picture": 1}),
        (put_missing, {"missing picture": 1}),
        (put_bad_xml, {"unreadable annotation": 1}),
        (put_outside, {"box outside": 1}),
        (put_inverted, {"inverted box": 1}),
        (put_wrong_size, {"wrong size": 1}),
        (put_no_label, {"no label": 1}),
        (put_no_xml, {"no annotation": 1}),
        (put_copy, {"duplicate": 1}),
        (put_mirrored, {"near duplicate": 1}),
        (put_box_twice, {"duplicate box": 1}),
        (put_two_classes, {"contradicting boxes": 1}),
        (put_similar_class, {"similar classes": 1}),
        (put_tiny, {"tiny box": 1, "no anchor matches": 1}),
        (put_elongated, {"no anchor matches": 1}),
    ],
)
def test_each_fault_is_found_and_nothing_else(
    put: Callable[[Voc], None], kinds: dict[str, int], voc: Voc
) -> None:
    put(voc)
    assert lint("pascal", voc.folder) == kinds


ERRORS = (put_truncated, put_empty, put_missing, put_bad_xml, put_outside, put_wrong_size)


@pytest.mark.parametrize("put", ERRORS)
def test_errors_exit_with_1(put: Callable[[Voc], None], voc: Voc) -> None:
    put(voc)
    lint("pascal", voc.folder, code=1)


@pytest.mark.parametrize("put", [put_copy, put_mirrored, put_no_label, put_tiny])
def test_warnings_exit_with_0(put: Callable[[Voc], None], voc: Voc) -> None:
    put(voc)
    lint("pascal", voc.folder, code=0)


@pytest.mark.parametrize(
    ("put", "stems", "kind"),
    [
        (put_copy, ("sound", "copy"), "duplicate across lists"),
        (put_mirrored, ("original", "mirrored"), "near duplicate across lists"),
        # the very same picture on both lists
        (put_sound, ("sound", "sound"), "duplicate across lists"),
    ],
)
def test_duplicates_across_the_split_are_errors(
    put: Callable[[Voc], None], stems: tuple[str, str], kind: str, voc: Voc
) -> None:
    put(voc)
    everything = {path.stem for path in (voc.folder / "JPEGImages").iterdir()}
    voc.list("val", stems[1])
    voc.list("train", stems[0], *(everything - set(stems)))
    voc.list("trainval", *everything)
    assert lint("pascal", voc.folder, code=1) == {kind: 1}


def test_a_class_that_only_validation_has_is_unknown(voc: Voc) -> None:
    voc.add("glove", an_object("glove", 10, 20, 60, 90))
    voc.list("train", "sound")
    voc.list("val", "glove")
    assert lint("pascal", voc.folder, code=1) == {"unknown class": 1}


def test_faults_outside_the_lists_are_found_too(voc: Voc) -> None:
    put_outside(voc)
    voc.list("train", "sound")
    assert lint("pascal", voc.folder, code=1) == {"box outside": 1}


def test_the_table_names_kinds_counts_and_places(
    voc: Voc, capsys: pytest.CaptureFixture[str]
) -> None:
    put_outside(voc)
    put_copy(voc)
    assert main(["lint", "pascal", str(voc.folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["severity", "finding", "count"]
    assert lines[1].split() == ["error", "box", "outside", "1"]
    assert lines[2].startswith(f"    {voc.folder / 'Annotations' / 'outside.xml'}: object 1: ")
    assert "pictures 2, boxes 2, errors 1, warnings 2" in lines


def test_csv_has_two_lists_with_val_annotations(tmp_path: Path) -> None:
    words = write_csv(tmp_path, "0.jpg,40,30,80,80,mask")
    (tmp_path / "val.csv").write_text("1.jpg,40,30,80,80,mask\n0.jpg,40,30,80,80,mask\n")
    words += ["--val-annotations", tmp_path / "val.csv"]
    found = lint(*words, code=1)
    assert found == {"duplicate across lists": 1}
