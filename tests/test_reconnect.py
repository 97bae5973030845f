from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice

import pytest
from colours import picture
from conftest import FrameSource

from monitor.errors import SourceError
from monitor.frame import Frame
from monitor.sources.reconnect import LONGEST_WAIT_SECONDS, Reconnecting, backoff

LOST = SourceError("camera: lost")


def frames(count: int) -> list[Frame]:
    return [Frame(picture("masked"), n, n / 10) for n in range(count)]


class Waiting:
    """Stands in for the time between attempts; ends the frames at the wait of that number."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.seconds: list[float] = []
        self.attempts = 0
        self._stop_at = stop_at

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) == self._stop_at

    def attempted(self) -> None:
        self.attempts += 1


def reconnecting(
    source: FrameSource, waiting: Waiting, waits: Sequence[float] = (1.0, 2.0)
) -> Reconnecting:
    return Reconnecting(source, wait=waiting.wait, attempted=waiting.attempted, waits=lambda: waits)


def test_a_picture_starts_the_waits_anew_and_their_end_is_final() -> None:
    source = FrameSource([*frames(2), LOST], [LOST], [*frames(1), LOST], [LOST], [LOST], live=True)
    waiting = Waiting()
    received: list[Frame] = []
    with pytest.raises(SourceError, match="lost"):
        received.extend(reconnecting(source, waiting).frames())
    assert len(received) == 3
    assert waiting.seconds == [1.0, 2.0, 1.0, 2.0]
    assert waiting.attempts == 4


def test_a_camera_that_never_gave_a_picture_fails_at_once() -> None:
    source = FrameSource([SourceError("camera 7: cannot be opened")], frames(3), live=True)
    waiting = Waiting()
    with pytest.raises(SourceError, match="camera 7"):
        list(reconnecting(source, waiting).frames())
    assert waiting.seconds == []


def test_being_stopped_while_waiting_ends_the_frames_without_another_attempt() -> None:
    source = FrameSource([*frames(2), LOST], frames(2), live=True)
    waiting = Waiting(stop_at=1)
    assert len(list(reconnecting(source, waiting).frames())) == 2
    assert waiting.attempts == 0


def test_the_loss_and_the_return_of_a_camera_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "monitor.source")
    source = FrameSource([*frames(1), LOST], [LOST], frames(2), live=True)
    assert len(list(reconnecting(source, Waiting()).frames())) == 3
    assert caplog.messages == [
        "camera: lost; connecting again in 1.0 s",
        "camera: lost; connecting again in 2.0 s",
        "frames: back after 2 attempts",
    ]


def test_waits_grow_to_a_bound_and_never_end() -> None:
    waits = list(islice(backoff(), 5000))
    assert all(0.0 < seconds <= LONGEST_WAIT_SECONDS for seconds in waits)
    assert min(waits[10:]) >= LONGEST_WAIT_SECONDS / 2
    assert max(waits[:3]) <= 2.0
