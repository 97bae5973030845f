"""Snapshots: what the window shows, saved as a picture."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import cv2

from .errors import MaskgateError
from .frame import Image


def save_snapshot(image: Image, folder: Path, door: str, taken_at: datetime) -> Path:
    """Save a picture as PNG, and say where; what is there is never replaced.

    image: uint8 [H, W, 3] BGR.
    folder: is made if it is not there.
    door: its name; what cannot stand in the name of a file becomes `_`.
    taken_at: local time, which the name ends with.

    Raises MaskgateError when it cannot be written.
    """
    name = re.sub(r"[^\w-]+", "_", door)
    path = folder / f"{name}-{taken_at:%Y%m%d-%H%M%S}-{taken_at.microsecond // 1000:03}.png"
    _, content = cv2.imencode(".png", image)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content.tobytes())
    except OSError as error:
        raise MaskgateError(f"{path}: {error.strerror}; picture not saved") from None
    return path
