"""Streams from a real RTSP server that breaks off, hangs and comes back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from colours import CLASSES, ColourDetector
from rtsp_camera import RtspCamera, age_seconds, rtsp_camera
from test_doorkeeper import LeaseBook

from monitor.capture import Capture
from monitor.decision import Door
from monitor.doorkeeper import Doorkeeper
from monitor.errors import SourceError
from monitor.evidence import FrameRule
from monitor.frame import Frame
from monitor.line import Line
from monitor.pipeline import Pipeline
from monitor.policy import Policy
from monitor.result import Result
from monitor.sources import camera as camera_module
from monitor.sources import capture as ffmpeg
from monitor.sources import open_source
from monitor.zones import Zones

DEADLINE_SECONDS = 60.0


@pytest.fixture
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "OPEN_TIMEOUT_SECONDS", 2.0)
    monkeypatch.setattr(ffmpeg, "READ_TIMEOUT_SECONDS", 2.0)


@pytest.fixture
def camera() -> Iterator[RtspCamera]:
    with rtsp_camera() as camera:
        yield camera


def error_of(frames: Iterator[Frame]) -> str:
    """What ends the frames, which must be before FFmpeg's own time-out of 30 s."""
    errors: list[str] = []

    def exhaust() -> None:
        try:
            for _ in frames:
                pass
        except SourceError as error:
            errors.append(str(error))

    thread = threading.Thread(target=exhaust, daemon=True)
    thread.start()
    thread.join(20.0)
    assert not thread.is_alive()
    return errors[0]


@pytest.mark.usefixtures("_short_patience")
@pytest.mark.parametrize("fail", [RtspCamera.kill, RtspCamera.freeze])
def test_a_stream_that_breaks_off_or_hangs_is_an_error(
    camera: RtspCamera, fail: Callable[[RtspCamera], None]
) -> None:
    frames = open_source(camera.url).frames()
    first = list(islice(frames, 30))
    assert [frame.index for frame in first] == list(range(30))
    assert first[0].image.shape == (120, 160, 3)
    fail(camera)
    assert error_of(frames) == f"{camera.url}: gives no more pictures"


@pytest.mark.usefixtures("_short_patience")
def test_a_camera_that_accepts_connections_and_says_nothing_cannot_be_opened(
    camera: RtspCamera,
) -> None:
    camera.freeze()
    message = error_of(open_source(camera.url).frames())
    assert message.startswith(f"{camera.url}: cannot be opened")


@pytest.mark.parametrize("password", ["se@cret", "wrong"])
def test_a_camera_asks_for_its_password_which_no_message_tells(
    password: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with rtsp_camera("me", "se@cret") as camera:
        source = open_source(camera.url.replace("://", f"://me:{password}@"))
        frames = source.frames()
        if password == "wrong":
            message = error_of(frames)
        else:
            assert next(frames).index == 0
            camera.kill()
            message = error_of(frames)
    said = message + source.name + caplog.text + "".join(capfd.readouterr())
    assert camera.url in said
    assert password not in said


def door(camera: RtspCamera, lock: LeaseBook) -> Line:
    keeper = Doorkeeper(
        detector=ColourDetector(),
        zones=Zones(),
        judge=Policy(FrameRule(classes=CLASSES), hold_seconds=0.2),
        locks=(lock,),
        live=True,
        grace_seconds=0.5,
        max_age_seconds=1.0,
    )
    capture = Capture(open_source(camera.url), waits=lambda: iter(lambda: 0.1, None))
    return Line("door", capture, keeper, locks=(lock,), overwrite=True)


def wait_for(running: Pipeline, is_it: Callable[[Result], bool]) -> Result:
    """The first result of that kind."""
    give_up_at = time.monotonic() + DEADLINE_SECONDS
    for found in running.results():
        if found is not None and is_it(found[1]):
            return found[1]
        assert time.monotonic() < give_up_at
    raise AssertionError("the results ended")


@pytest.mark.usefixtures("_short_patience")
@pytest.mark.parametrize(
    ("fail", "mend"),
    [
        pytest.param(RtspCamera.kill, RtspCamera.start, id="its power is cut"),
        pytest.param(RtspCamera.freeze, RtspCamera.thaw, id="it hangs"),
    ],
)
def test_the_door_locks_when_its_camera_fails_and_opens_again_when_it_is_back(
    camera: RtspCamera,
    fail: Callable[[RtspCamera], None],
    mend: Callable[[RtspCamera], None],
) -> None:
    lock = LeaseBook()
    line = door(camera, lock)
    with Pipeline([line]) as running:
        wait_for(running, is_unlocked)
        fail(camera)
        silent = wait_for(running, lambda result: not is_unlocked(result))
        assert silent.decision.reason.startswith("camera silent")
        wait_for(running, lambda _: line.summary.reconnects >= 2)
        assert not lock.leases[-1].unlocked
        mend(camera)
        assert wait_for(running, is_unlocked).fresh
        assert lock.leases[-1].unlocked


def is_unlocked(result: Result) -> bool:
    return result.decision.door is Door.UNLOCKED


def test_a_picture_that_waited_to_be_read_is_dated_to_when_it_was_taken(
    camera: RtspCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_module, "BACKLOG_SECONDS", DEADLINE_SECONDS)
    frames = open_source(camera.url).frames()
    ages = [age_seconds(frame) for frame in islice(frames, 30)]
    let_pictures_queue_up(camera)
    ages += [age_seconds(frame) for frame in islice(frames, 60)]
    # Neither those nor what FFmpeg gathers in over a second of opening passes for new.
    assert max(ages) - min(ages) < 0.5


def test_a_stream_that_is_not_read_in_time_is_connected_to_anew(camera: RtspCamera) -> None:
    frames = open_source(camera.url).frames()
    next(frames)
    let_pictures_queue_up(camera)
    with pytest.raises(SourceError, match="falls behind by"):
        for _ in islice(frames, 60):
            pass


def test_a_reader_that_takes_its_time_is_not_cut_off(
    camera: RtspCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every reader takes its time, then.
    monkeypatch.setattr(camera_module, "PROMPT_SECONDS", 0.0)
    frames = open_source(camera.url).frames()
    next(frames)
    let_pictures_queue_up(camera)
    assert len(list(islice(frames, 60))) == 60


def let_pictures_queue_up(camera: RtspCamera) -> None:
    """Read more than two seconds of pictures over another connection."""
    list(islice(open_source(camera.url).frames(), 50))
