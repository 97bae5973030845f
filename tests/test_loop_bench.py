"""The bench of the loop: the bare detector, the whole loop, and viewers of its page, in turn."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from colours import ColourDetector, picture
from conftest import FrameSource
from live_page import TOKEN, WAIT_SECONDS, Site

from monitor.bench.loop import LoopBench, Round, Speed, bare_speed, loop_speed
from monitor.bench.stages import WARM_UP_FRAMES
from monitor.bench.viewers import Viewers
from monitor.capture import Capture
from monitor.cli import main
from monitor.door_section import DoorSection
from monitor.errors import MaskgateError
from monitor.frame import Frame, Image
from monitor.line import Line
from monitor.parts import make_doorkeeper
from monitor.result import Result


class Work:
    """Takes 10 ms for each picture or result, ten times as long while it warms up.

    Two threads work all the time.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.done: list[Image] = []

    def now(self) -> tuple[float, float]:
        return self.seconds, 2 * self.seconds

    def look(self, image: Image) -> None:
        self.done.append(image)
        self.seconds += 0.1 if len(self.done) <= WARM_UP_FRAMES else 0.01

    def use(self, result: Result) -> None:
        self.look(result.frame.image)


def line_of(count: int) -> Line:
    """A door with a recorded source of so many frames."""
    source = FrameSource([Frame(picture("masked"), index, index / 10) for index in range(count)])
    keeper = make_doorkeeper(DoorSection(name="door"), source, ColourDetector(), ())  # type: ignore[arg-type]
    return Line("door", Capture(source), keeper, overwrite=False)


def test_the_bare_detector_is_timed_after_a_warm_up_on_pictures_in_a_circle() -> None:
    work = Work()
    images = [picture("masked"), picture("bare")]
    found = bare_speed(images, work.look, 7, now=work.now)
    assert (found.frames_per_second, found.cpu_ms) == pytest.approx((100, 20))
    assert len(work.done) == WARM_UP_FRAMES + 7
    assert work.done[0] is work.done[2] is images[0]
    assert work.done[1] is images[1]


@pytest.mark.parametrize(
    ("there_are", "asked", "used"),
    [
        (40, 10, WARM_UP_FRAMES + 11),  # more than were asked for
        (WARM_UP_FRAMES + 4, 10, WARM_UP_FRAMES + 4),  # the source ends sooner
    ],
)
def test_the_loop_is_timed_by_its_results_after_a_warm_up(
    there_are: int, asked: int, used: int
) -> None:
    work = Work()
    found = loop_speed(line_of(there_are), work.use, asked, now=work.now)
    assert found is not None
    assert (found.frames_per_second, found.cpu_ms) == pytest.approx((100, 20))
    assert len(work.done) == used


def test_no_frame_of_the_loop_is_dropped_however_slow_its_use_is() -> None:
    seen: list[int] = []
    loop_speed(line_of(30), lambda result: seen.append(result.frame.index), 100)
    assert seen == list(range(30))


@pytest.mark.parametrize("count", [0, WARM_UP_FRAMES, WARM_UP_FRAMES + 1])
def test_a_source_that_ends_in_the_warm_up_has_no_speed(count: int) -> None:
    assert loop_speed(line_of(count), lambda result: None, 10) is None


def test_ratios_are_of_one_round_and_the_middle_of_all() -> None:
    # the machine slows down, and does so for all three
    rates = [(60.0, 57.0, 54.0), (30.0, 30.0, 15.0), (6.0, 5.4, 4.86)]
    rounds = [Round(*(Speed(rate, 1000 / rate) for rate in each)) for each in rates]
    found = LoopBench(rounds)
    assert found.speeds.bare == Speed(30.0, 1000 / 30.0)
    assert found.speeds.watched == Speed(15.0, 1000 / 15.0)
    assert found.ratios == pytest.approx(
        {"loop_to_bare": 0.95, "watched_to_bare": 0.81, "watched_to_loop": 0.9}
    )


def test_viewers_are_in_another_process_and_see_what_is_shown() -> None:
    asked_for: list[int] = []

    def encode(result: Result) -> bytes:
        asked_for.append(result.frame.index)
        return bytes(100_000)

    with Site("front door", encode=encode) as site:
        site.show("masked", "front door")
        with Viewers(site.page.address, "front door", 3) as viewers:
            deadline = time.monotonic() + WAIT_SECONDS
            while len(asked_for) < 20:
                site.show("bare", "front door")
                assert time.monotonic() < deadline
        assert viewers.pictures_per_second > 0.0


def test_a_video_that_cannot_be_watched_is_said() -> None:
    with Site(token=TOKEN) as site:
        site.show("masked")
        with (
            pytest.raises(MaskgateError, match="the video cannot be watched"),
            Viewers(site.page.address, "front", 1),
        ):
            pass
        address = site.page.address
    with (
        pytest.raises(MaskgateError, match="the video cannot be watched"),
        Viewers(address, "front", 1),
    ):
        pass


def test_a_page_that_ends_meanwhile_is_said() -> None:
    with Site() as site:
        site.show("masked")
        with (
            pytest.raises(MaskgateError, match="a viewer has lost the video"),
            Viewers(site.page.address, "front", 1),
        ):
            site.page.__exit__(None, None, None)


@pytest.mark.usefixtures("colour_model")
def test_the_loop_is_told_of_without_and_with_viewers(
    clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, kept = clip("door", [("masked", 20)]), tmp_path / "loop.json"
    options = ["bench", "--viewers", "2", "--frames", "9", "--source", str(source)]
    assert main([*options, "--json", str(kept)]) == 0
    printed = capsys.readouterr().out
    for words in ("bare detector", "whole loop", "with viewers", "ratio", "2 at once"):
        assert words in printed
    written = json.loads(kept.read_text())
    assert (written["viewers"], written["frames"]) == (2, 9)
    assert set(written["ratios"]) == {"loop_to_bare", "watched_to_bare", "watched_to_loop"}
    for measured in (written, *written["rounds"]):
        for which in ("bare", "loop", "watched"):
            assert measured[which]["frames_per_second"] > 0
            assert measured[which]["cpu_ms"] > 0
    assert written["pictures_per_second"] >= 0


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        # its own speed would be what is measured
        ("rtsp://127.0.0.1:1/door", 2, "is live; expected a recorded source"),
        ("short", 1, "too few frames found"),
    ],
)
def test_a_source_that_cannot_be_timed_is_said(
    source: str,
    code: int,
    message: str,
    clip: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = str(clip("short", [("masked", 3)])) if source == "short" else source
    assert main(["bench", "--viewers", "1", "--source", spec]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--doors", "2", "--viewers", "2"],
        # Only in the bench of frames is there another model.
        ["--doors", "2", "--against", "other.onnx"],
        ["--against", "other.onnx", "--viewers", "2"],
    ],
)
def test_each_bench_is_asked_for_alone(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bench", *options])
    assert "not allowed with" in capsys.readouterr().err
