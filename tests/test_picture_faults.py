"""Damaged pictures: what is cut short is found, whatever a decoder makes of it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from picture_files import draw_scene

from export.datasets.cut_short import is_cut_short
from export.linting.picture_findings import picture_fault
from monitor.scene import training_picture


def encoded(suffix: str) -> bytes:
    image = training_picture(np.random.default_rng(1), 160, 120)[0]
    return cv2.imencode(suffix, image)[1].tobytes()


def with_preview(jpeg: bytes) -> bytes:
    """A JPEG with another one, whole, in its APP1 segment, as cameras write them."""
    preview = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview + jpeg[2:]


def zero_padded(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(len(content) - len(content) // 2)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_whole_picture_has_no_fault(suffix: str, tmp_path: Path) -> None:
    assert picture_fault(draw_scene(tmp_path / f"a{suffix}", 1)) is None


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_cut_short_is_truncated(suffix: str, kept: float, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    whole = encoded(suffix)
    path.write_bytes(whole[: int(len(whole) * kept)])
    fault = picture_fault(path)
    assert fault is not None
    assert fault.kind == "truncated picture"


@pytest.mark.parametrize(
    ("content", "cut_short"),
    [
        # a download that stopped, in a file of the full length
        (zero_padded(encoded(".jpg")), True),
        (zero_padded(encoded(".png")), True),
        # the end of a preview is not the end of the picture
        (with_preview(encoded(".jpg")), False),
        (with_preview(encoded(".jpg"))[:-800], True),
        # phones append a film
        (encoded(".jpg") + bytes(range(256)), False),
        # fill bytes may stand before a marker
        (b"\xff\xd8\xff" + encoded(".jpg")[2:], False),
        # nothing is known of other formats
        (encoded(".bmp")[:-100], False),
        (b"", False),
        (b"\xff\xd8", True),
    ],
)
def test_the_end_of_a_file_is_looked_for(content: bytes, cut_short: bool) -> None:
    assert is_cut_short(content) == cut_short


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        # all its chunks, of which none is picture
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 0)
        + b"IEND"
        + struct.pack(">I", zlib.crc32(b"IEND")),
    ],
)
def test_what_is_no_picture_is_unreadable(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    fault = picture_fault(path)
    assert fault is not None
    assert fault.kind == "unreadable picture"
    assert "expected" in fault.what
