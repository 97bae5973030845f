"""Conversions as the command line runs them, and what the data sets they leave hold."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from picture_files import draw

from export.arguments.data import add_data_set, read_data_set
from export.convert import add_arguments, run
from export.datasets import DataSet

FORMATS = ("csv", "pascal", "coco", "yolo")


def convert(*words: object) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args([str(word) for word in words])) == 0


def read(words: list[object], split: str | None = None) -> DataSet:
    parser = argparse.ArgumentParser()
    add_data_set(parser)
    return read_data_set(parser.parse_args([str(word) for word in words]), split)


def words_of(kind: str, folder: Path) -> list[object]:
    """The words that name the data set that `target_of` writes."""
    places: dict[str, list[object]] = {
        "csv": [folder / "data.csv", folder / "classes.csv"],
        "pascal": [folder / "voc"],
        "coco": [folder / "coco.json"],
        "yolo": [folder / "yolo" / "data.yaml"],
    }
    return [kind, *places[kind]]


def target_of(kind: str, folder: Path) -> list[object]:
    _, *places = words_of(kind, folder)
    return [f"--{kind}", *(places if kind != "yolo" else [folder / "yolo"])]


def assert_same(found: DataSet, expected: DataSet) -> None:
    """The same pictures by name, whatever their order, with the same boxes within 0.01 px."""
    there = {sample.path.stem: sample for sample in found.samples}
    assert sorted(there) == sorted(sample.path.stem for sample in expected.samples)
    for sample in expected.samples:
        assert there[sample.path.stem].labels == sample.labels
        np.testing.assert_allclose(there[sample.path.stem].boxes, sample.boxes, rtol=0, atol=0.01)
        assert (there[sample.path.stem].read() == sample.read()).all()


def stems(data_set: DataSet) -> list[str]:
    return [sample.path.stem for sample in data_set.samples]


def write_source(folder: Path) -> Path:
    """A csv data set of three pictures of 40 x 30 px in two folders, one of them a negative."""
    for name in ("x/a.jpg", "y/b.png", "y/empty.jpg"):
        draw(folder / name)
    (folder / "data.csv").write_text(
        "x/a.jpg,1,2,20,30,mask\ny/b.png,0,0,40,30,no mask\nx/a.jpg,3.25,4,5.5,6,no mask\n"
        "y/empty.jpg,,,,,\n"
    )
    (folder / "classes.csv").write_text("mask,0\nno mask,1\n")
    return folder
