"""Picture files and samples: how they are measured and read, and that every fault is named."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from picture_files import HEIGHT_PX, WIDTH_PX, draw

from export.datasets import DatasetError, Sample, picture_size_px, read_picture


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
    assert picture_size_px(path) == (HEIGHT_PX, WIDTH_PX)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp"])
def test_picture_is_measured_as_it_is_read(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a{suffix}")
    assert picture_size_px(path) == (WIDTH_PX, HEIGHT_PX)
    assert read_picture(path).shape == (HEIGHT_PX, WIDTH_PX, 3)
    path.write_bytes(path.read_bytes()[:12])
    with pytest.raises(DatasetError, match=r"cannot decode the picture|end of the file before"):
        picture_size_px(path)


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
