"""Published weights: fetched once, by a real server's word and a checksum, or not at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from export.backbone import BACKBONES
from export.weights import published
from export.weights.published import IMAGENET, FetchError, fetch_imagenet_weights

CONTENT = b"weights of a network"
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:8]


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, format: str, *arguments: object) -> None:
        return


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a server from which published files are fetched, into a cache of their own."""
    folder, cache = tmp_path / "served", tmp_path / "cache"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(published, "FOLDER", address)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(cache))
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def publish(folder: Path, monkeypatch: pytest.MonkeyPatch, digits: str) -> str:
    name = f"resnet18-{digits}.pth"
    monkeypatch.setitem(IMAGENET, "resnet18", name)
    (folder / name).write_bytes(CONTENT)
    return name


def test_every_backbone_has_published_weights_with_a_checksum() -> None:
    assert set(IMAGENET) == set(BACKBONES)
    for name in IMAGENET.values():
        digits = name.removesuffix(".pth").rpartition("-")[2]
        assert len(digits) == 8
        assert int(digits, 16) >= 0


def test_a_file_is_fetched_once(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = publish(served, monkeypatch, DIGITS)
    path = fetch_imagenet_weights("resnet18")
    assert path.read_bytes() == CONTENT
    # it is gone from the server, and that is no matter
    (served / name).unlink()
    assert fetch_imagenet_weights("resnet18") == path


def test_a_file_of_another_checksum_is_not_kept(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(served, monkeypatch, "00000000")
    with pytest.raises(FetchError, match="invalid hash value"):
        fetch_imagenet_weights("resnet18")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("obstacle", ["not there", "no server", "no room"])
def test_what_cannot_be_fetched_says_what_else_to_do(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    name = publish(served, monkeypatch, DIGITS)
    if obstacle == "not there":
        (served / name).unlink()
    elif obstacle == "no server":
        # port 9 of this machine discards, and nobody listens there
        monkeypatch.setattr(published, "FOLDER", "http://127.0.0.1:9/")
    else:
        (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(FetchError, match=f"{name}: cannot be fetched: .* or --no-weights"):
        fetch_imagenet_weights("resnet18")
