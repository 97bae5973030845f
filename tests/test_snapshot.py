"""Snapshots: where they go, and what becomes of what is there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from colours import picture

from monitor.errors import MaskgateError
from monitor.snapshot import save_snapshot

TAKEN_AT = datetime(2026, 1, 2, 3, 4, 5, 67_000)


@pytest.mark.parametrize(
    ("door", "name"),
    [
        ("front door", "front_door-20260102-030405-067.png"),
        ("Tür-2", "Tür-2-20260102-030405-067.png"),
        # no way out of the folder
        ("../side", "_side-20260102-030405-067.png"),
    ],
)
def test_a_picture_is_saved_under_the_door_and_the_time(
    tmp_path: Path, door: str, name: str
) -> None:
    folder = tmp_path / "new" / "snapshots"
    path = save_snapshot(picture("masked"), folder, door, TAKEN_AT)
    assert path == folder / name
    found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(found, picture("masked"))


def test_a_picture_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    path = save_snapshot(picture("masked"), tmp_path, "door", TAKEN_AT)
    before = path.read_bytes()
    with pytest.raises(MaskgateError, match="File exists; picture not saved"):
        save_snapshot(picture("bare"), tmp_path, "door", TAKEN_AT)
    assert path.read_bytes() == before


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MaskgateError, match="picture not saved"):
        save_snapshot(picture("masked"), tmp_path / "file", "door", TAKEN_AT)
