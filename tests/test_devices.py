from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from monitor.errors import SourceError
from monitor.frame import Image
from monitor.sources import camera as camera_module
from monitor.sources.camera import Camera
from monitor.sources.device import Mode, request
from monitor.sources.reconnect import Reconnecting

Clip = Callable[..., Path]


@pytest.fixture
def stand_in(clip: Clip) -> Callable[[], cv2.VideoCapture]:
    """A real capture in a camera's place: 64 x 48 pixels at 10 fps, "unplugged" after 3."""
    path = str(clip("camera", [("masked", 3)]))
    return lambda: cv2.VideoCapture(path)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(Mode(), [], id="nothing asked"),
        pytest.param(Mode(64, 48, 10.0), [], id="as asked"),
        pytest.param(Mode(1280, 48), ["door: gives width 64, asked for 1280"], id="another width"),
        pytest.param(Mode(fps=30), ["door: gives fps 10, asked for 30"], id="slower"),
        pytest.param(
            Mode(mjpg=True), ["door: gives format 'FMP4', asked for 'MJPG'"], id="another format"
        ),
    ],
)
def test_what_a_camera_gives_other_than_asked_is_logged(
    stand_in: Callable[[], cv2.VideoCapture],
    caplog: pytest.LogCaptureFixture,
    mode: Mode,
    expected: list[str],
) -> None:
    caplog.set_level(logging.INFO, "monitor.source")
    capture = stand_in()
    request(capture, mode, "door")
    capture.release()
    assert caplog.messages == expected


def test_a_camera_that_is_plugged_in_again_gives_pictures_again(
    stand_in: Callable[[], cv2.VideoCapture],
) -> None:
    attempts = Attempts(stand_in)
    camera = Reconnecting(
        Camera("camera 0", attempts.connect),
        wait=lambda _: attempts.made == 4,
        attempted=lambda: None,
        waits=lambda: [1.0] * 10,
    )
    indices = [frame.index for frame in camera.frames()]
    # The numbers go on over both connections; the two attempts between found nothing.
    assert indices == list(range(6))


class FastCamera:
    """A camera whose clock runs twice as fast as this machine's."""

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Image]:
        return True, np.zeros((48, 64, 3), np.uint8)

    def get(self, prop: int) -> float:
        assert prop == cv2.CAP_PROP_POS_MSEC
        return 2000.0 * time.monotonic()

    def release(self) -> None:
        pass


def test_a_camera_whose_clock_cannot_be_followed_is_an_error_and_no_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera_module, "UNDATED_SECONDS", 0.1)
    camera = Camera("camera", lambda: cast(cv2.VideoCapture, FastCamera()), stamped=True)
    with pytest.raises(SourceError, match=r"camera: timestamps found .* no picture's age"):
        next(camera.frames())


class Attempts:
    """Connects at the first attempt and at the fourth, and finds no camera in between."""

    def __init__(self, connect: Callable[[], cv2.VideoCapture]) -> None:
        self.made = 0
        self._connect = connect

    def connect(self) -> cv2.VideoCapture:
        self.made += 1
        if self.made in (2, 3):
            raise SourceError("camera 0: cannot be opened, /dev/video0 does not exist")
        return self._connect()
