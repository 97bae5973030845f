"""A camera on this machine: USB, or whatever else the system shows as a video device.

Tried here only with a file in the camera's place. What needs a camera and is not verified: that it
obeys a mode, and that a read fails rather than hangs when its plug is pulled.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2

from ..errors import SourceError
from .capture import READ_TIMEOUT_SECONDS

_log = logging.getLogger("monitor.source")

# Video4Linux knows no time-out by property; OpenCV reads this at its first use.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", f"{READ_TIMEOUT_SECONDS:.0f}")


@dataclass(frozen=True, slots=True)
class Mode:
    """What is asked of a camera; None leaves it to the camera.

    width_px, height_px: of its pictures.
    fps: pictures per second.
    mjpg: whether to send each picture as a JPEG. Over USB 2, most cameras do more than 640 x 480
        at full speed only so.
    """

    width_px: int | None = None
    height_px: int | None = None
    fps: float | None = None
    mjpg: bool = False


def name_of(device: int | str) -> str:
    """What messages call a device."""
    return f"camera {device}" if isinstance(device, int) else device


def open_device(device: int | str, mode: Mode) -> cv2.VideoCapture:
    """Open a camera, in the mode that it gives nearest to the one asked for.

    device: its index, or its path under /dev.

    Raises SourceError when there is none, or it cannot be opened.
    """
    if isinstance(device, int):
        capture = cv2.VideoCapture(device)
    else:
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise SourceError(f"{name_of(device)}: cannot be opened, {_reason(device)}")
    request(capture, mode, name_of(device))
    return capture


def request(capture: cv2.VideoCapture, mode: Mode, name: str) -> None:
    """Ask an open camera for a mode, and log what it gives instead.

    name: of the camera, for the log.
    """
    asked = [
        # First the format: which sizes and speeds there are depends on it.
        ("format", cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG") if mode.mjpg else None),
        ("width", cv2.CAP_PROP_FRAME_WIDTH, mode.width_px),
        ("height", cv2.CAP_PROP_FRAME_HEIGHT, mode.height_px),
        ("fps", cv2.CAP_PROP_FPS, mode.fps),
    ]
    wanted = [(what, key, value) for what, key, value in asked if value is not None]
    for _, key, value in wanted:
        capture.set(key, value)
    # Only now: each setting may change what the one before it gave.
    for what, key, value in wanted:
        given = capture.get(key)
        if given != value:
            _log.warning("%s: gives %s %s", name, what, _difference(key, given, value))


def _difference(key: int, given: float, asked: float) -> str:
    if key == cv2.CAP_PROP_FOURCC:
        code = int(given).to_bytes(4, "little", signed=True)
        return f"{code.decode('ascii', 'replace')!r}, asked for 'MJPG'"
    return f"{given:g}, asked for {asked:g}"


def _reason(device: int | str) -> str:
    if not sys.platform.startswith("linux"):
        return "expected a camera that no other program uses"
    path = Path(f"/dev/video{device}" if isinstance(device, int) else device)
    if not path.exists():
        present = ", ".join(map(str, sorted(Path("/dev").glob("video*")))) or "none"
        return f"no such device; found {present}"
    if not os.access(path, os.R_OK | os.W_OK):
        return "no permission; expected to be in the group of the device, most often video"
    return "expected a camera that no other program uses"
