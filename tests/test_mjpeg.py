"""Cameras that send a JPEG after another over HTTP, whole and broken, from a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import cv2
import numpy as np
import pytest
from colours import picture

from monitor.errors import SourceError
from monitor.frame import Frame
from monitor.sources import capture, open_source
from monitor.sources.reconnect import Reconnecting

WAIT_SECONDS = 30.0
HEADERS = b"--frame\r\nContent-Type: image/jpeg\r\n"

Step = bytes | Callable[[], object]


def jpeg() -> bytes:
    return cv2.imencode(".jpg", picture("masked"))[1].tobytes()


def part(content: bytes | None = None, *, length: bool = True) -> bytes:
    """One picture of the stream."""
    content = content or jpeg()
    named = b"Content-Length: %d\r\n" % len(content) if length else b""
    return HEADERS + named + b"\r\n" + content + b"\r\n"


class WebCamera(ThreadingHTTPServer):
    """A camera that sends one play a connection, and then has nothing more to say.

    A step of a play is sent if it is bytes, and else called: it may block.
    """

    daemon_threads = True

    def __init__(self, *plays: Sequence[Step], status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.plays = iter(plays)
        self.status = status
        self.url = f"http://127.0.0.1:{self.server_port}/feed"


class _Answer(BaseHTTPRequestHandler):
    server: WebCamera

    def do_GET(self) -> None:
        """Play the next play."""
        self.send_response(self.server.status)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with suppress(ConnectionError):
            for step in next(self.server.plays, ()):
                if isinstance(step, bytes):
                    self.wfile.write(step)
                else:
                    step()

    def log_message(self, format: str, *args: object) -> None:
        """Drop it."""


@pytest.fixture
def serve() -> Iterator[Callable[..., WebCamera]]:
    """Starts cameras."""
    running: list[tuple[WebCamera, threading.Thread]] = []

    def start(*plays: Sequence[Step], status: int = 200) -> WebCamera:
        camera = WebCamera(*plays, status=status)
        thread = threading.Thread(target=camera.serve_forever, args=(0.01,))
        thread.start()
        running.append((camera, thread))
        return camera

    yield start
    for camera, thread in running:
        camera.shutdown()
        thread.join(WAIT_SECONDS)
        camera.server_close()


def play(url: str) -> tuple[list[Frame], str]:
    """The frames of a stream, and the error at its end."""
    received: list[Frame] = []
    with pytest.raises(SourceError) as failure:
        received.extend(open_source(url).frames())
    return received, str(failure.value)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([part()] * 8, id="each part with its length"),
        pytest.param([part(length=False)] * 9, id="ended by the next boundary"),
        pytest.param([part()] * 8 + [part()[:-200]], id="closed in the middle of a part"),
        pytest.param([bytes([byte]) for byte in part() * 8], id="byte by byte"),
    ],
)
def test_pictures_come_until_the_camera_closes(
    serve: Callable[..., WebCamera], steps: list[bytes]
) -> None:
    camera = serve(steps)
    received, message = play(camera.url)
    assert [frame.index for frame in received] == list(range(8))
    assert np.abs(received[-1].image.astype(int) - picture("masked")).max() < 10
    assert message == f"{camera.url}: gives no more pictures"


def test_a_camera_that_stalls_in_the_middle_of_a_picture_is_an_error(
    serve: Callable[..., WebCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "READ_TIMEOUT_SECONDS", 1.0)
    over = threading.Event()
    camera = serve([part(), part(), part(), part()[:200], lambda: over.wait(WAIT_SECONDS)])
    received, message = play(camera.url)
    assert not over.is_set()
    over.set()
    assert 1 <= len(received) <= 3
    assert message.endswith("gives no more pictures")


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"<html>log in</html>"] * 100, id="a page"),
        pytest.param([part(b"not a picture" * 20)] * 8, id="parts that are no pictures"),
        pytest.param([HEADERS + b"Content-Length: -5\r\n\r\n", part()], id="a length below zero"),
        pytest.param([HEADERS + b"Content-Length: x\r\n\r\n", part()], id="a length of letters"),
    ],
)
def test_what_is_no_stream_of_pictures_is_refused_by_name(
    serve: Callable[..., WebCamera], steps: list[bytes]
) -> None:
    camera = serve(steps)
    received, message = play(camera.url)
    assert received == []
    assert message.startswith(camera.url)


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_camera_that_refuses_is_an_error_that_tells_no_password(
    serve: Callable[..., WebCamera], status: int
) -> None:
    camera = serve(status=status)
    url = camera.url.replace("://", "://me:secret@") + "?token=secret"
    received, message = play(url)
    assert received == []
    assert message.startswith(f"{camera.url}: cannot be opened")


def test_pictures_come_again_over_a_new_connection(serve: Callable[..., WebCamera]) -> None:
    broken = [part()] * 4 + [part(b"\xff\xd8 damaged" * 20), part()[:100]]
    camera = serve(broken, [b"starting up"], [part()] * 100)
    source = open_source(camera.url)
    attempts: list[None] = []
    lasting = Reconnecting(
        source,
        wait=lambda _: False,
        attempted=lambda: attempts.append(None),
        waits=lambda: [0.0] * 3,
    )
    indices = [frame.index for frame in islice(lasting.frames(), 20)]
    assert indices == list(range(20))
    assert len(attempts) == 2
