"""Published weights: ImageNet checkpoints of torchvision, by URL and checksum.

https://docs.pytorch.org/vision/stable/models.html
"""

from __future__ import annotations

import socket
from http.client import HTTPException
from pathlib import Path

import torch

from monitor.errors import MaskgateError

FOLDER = "https://download.pytorch.org/models/"
# the eight digits are the beginning of the file's SHA-256
IMAGENET = {
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
    "resnet152": "resnet152-394f9c45.pth",
    "mobilenet_v2": "mobilenet_v2-b0353104.pth",
}
TIMEOUT_SECONDS = 20.0


class FetchError(MaskgateError):
    """A published file cannot be had."""


def fetch_imagenet_weights(backbone: str) -> Path:
    """The file of a backbone's ImageNet weights, fetched once and kept in torch's own cache.

    backbone: a key of IMAGENET.

    Raises FetchError when there is no network, or the file is not what was published.
    """
    name = IMAGENET[backbone]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if path.is_file():
        return path
    digits = name.removesuffix(".pth").rpartition("-")[2]
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(FOLDER + name, str(path), digits)
    except (OSError, HTTPException, RuntimeError) as error:
        raise FetchError(
            f"{FOLDER}{name}: cannot be fetched: {error}; expected a network, or --weights FILE, "
            "or --no-weights"
        ) from None
    finally:
        socket.setdefaulttimeout(before)
    return path
