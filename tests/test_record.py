"""Recordings: a file has its name only when everything is in it."""

from __future__ import annotations

import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from full_disk import full_disk

from monitor.errors import MaskgateError
from monitor.interrupt import Interrupted
from monitor.record import Recorder

BEFORE = b"a recording from before"
PICTURES = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "door.mp4"
    path.write_bytes(BEFORE)
    return path


def record(path: Path, then: Exception | None = None) -> None:
    """Record pictures that cannot be made small, then raise something."""
    rng = np.random.default_rng(0)
    with Recorder(path) as recorder:
        for _ in range(PICTURES):
            recorder.write(rng.integers(0, 256, (48, 64, 3), np.uint8), 10.0)
        if then:
            raise then


def pictures_in(path: Path) -> int:
    video, count = cv2.VideoCapture(str(path)), 0
    while video.read()[0]:
        count += 1
    return count


@pytest.fixture(scope="module")
def whole_bytes(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How large the recording is on a disk that has room for it."""
    path = tmp_path_factory.mktemp("whole") / "door.mp4"
    record(path)
    return path.stat().st_size


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        # not even its first bytes
        (1.0, r"door\.mp4: no video can be written there"),
        # from one of its pictures on
        (0.7, rf"door\.mp4: could not be written to its end \(0 of {PICTURES} pictures"),
        # what says where the pictures lie
        (0.01, rf"\(0 of {PICTURES} pictures can be read\)"),
        # a byte of what nobody needs
        (0.0, rf"\({PICTURES} of {PICTURES} pictures can be read\)"),
    ],
)
def test_on_a_full_disk_the_recording_from_before_stays(
    path: Path, whole_bytes: int, missing: float, message: str
) -> None:
    room_bytes = whole_bytes - max(round(missing * whole_bytes), 1)
    with full_disk(room_bytes), pytest.raises(MaskgateError, match=message):
        record(path)
    assert path.read_bytes() == BEFORE
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_name_with_a_colon_is_a_file_and_no_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    record(Path("2026-01-31T10:15:00.mp4"))
    assert pictures_in(tmp_path / "2026-01-31T10:15:00.mp4") == PICTURES


def test_an_interrupted_recording_is_kept(path: Path) -> None:
    with pytest.raises(Interrupted):
        record(path, Interrupted(signal.SIGINT))
    assert pictures_in(path) == PICTURES


def test_an_interrupted_recording_that_is_not_whole_is_said_and_ends_as_it_was_to(
    path: Path, whole_bytes: int, caplog: pytest.LogCaptureFixture
) -> None:
    with full_disk(whole_bytes // 2), pytest.raises(Interrupted):
        record(path, Interrupted(signal.SIGINT))
    assert path.read_bytes() == BEFORE
    assert f"(0 of {PICTURES} pictures can be read)" in caplog.text


def test_a_name_that_was_taken_in_the_meantime_is_said(path: Path) -> None:
    recorder = Recorder(path).__enter__()
    recorder.write(np.zeros((48, 64, 3), np.uint8), 10.0)
    path.unlink()
    path.mkdir()
    with pytest.raises(MaskgateError, match=r"door\.mp4: Is a directory"):
        recorder.__exit__(None, None, None)
