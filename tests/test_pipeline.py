from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from colours import CLASSES, ColourDetector, picture
from conftest import FrameSource
from test_doorkeeper import LeaseBook

from monitor.capture import Capture
from monitor.decision import Order
from monitor.detections import Detections
from monitor.doorkeeper import Doorkeeper
from monitor.errors import ActuatorError, SourceError
from monitor.evidence import FrameRule
from monitor.frame import Frame, Image
from monitor.interrupt import Interrupted
from monitor.line import Line
from monitor.orientation import Orientation
from monitor.pipeline import Pipeline
from monitor.policy import Policy
from monitor.result import Result
from monitor.zones import Zones

WAIT_SECONDS = 10.0


def frames(count: int, start: int = 0, scene: str = "masked") -> list[Frame]:
    noisy = [picture(scene) for _ in range(count)]
    for offset, image in enumerate(noisy):
        image[:, :5, 1] = start + offset
    return [Frame(image, start + n, (start + n) / 10) for n, image in enumerate(noisy)]


def line(
    source: FrameSource,
    *,
    name: str = "door",
    detector: Callable[[Image], Detections] | None = None,
    locks: tuple[LeaseBook, ...] = (),
    orders: Sequence[Callable[[], Order | None]] = (),
    orientation: Orientation | None = None,
    paced: bool = False,
    waits: Iterable[float] = (0.0, 0.0),
) -> Line:
    keeper = Doorkeeper(
        detector=detector or ColourDetector(),
        zones=Zones(),
        judge=Policy(FrameRule(classes=CLASSES)),
        locks=locks,
        orders=orders,
        live=source.live,
        grace_seconds=0.5,
        max_age_seconds=1.0,
        clock=lambda: 0.0,
    )
    capture = Capture(source, orientation=orientation, paced=paced, waits=lambda: waits)
    return Line(name, capture, keeper, locks=locks, overwrite=source.live)


def pipeline(
    source: FrameSource,
    *,
    detector: Callable[[Image], Detections] | None = None,
    locks: tuple[LeaseBook, ...] = (),
    orientation: Orientation | None = None,
    paced: bool = False,
    waits: Iterable[float] = (0.0, 0.0),
) -> Pipeline:
    """Of a single door."""
    return Pipeline(
        [
            line(
                source,
                detector=detector,
                locks=locks,
                orientation=orientation,
                paced=paced,
                waits=waits,
            )
        ]
    )


def taken(running: Pipeline) -> list[Result]:
    return [found[1] for found in running.results() if found is not None]


def threads_of_a_door() -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        if thread.name == "infer" or thread.name.startswith("capture")
    ]


@pytest.fixture(autouse=True)
def _every_thread_ends() -> object:
    yield
    for thread in threads_of_a_door():
        thread.join(WAIT_SECONDS)
    assert threads_of_a_door() == []


def test_every_recorded_frame_is_decided_on_in_order() -> None:
    source = FrameSource(frames(50))
    with pipeline(source) as running:
        indices = [result.frame.index for result in taken(running)]
    assert indices == list(range(50))
    assert source.closed == 1
    assert running.lines[0].summary.frames == 50


def test_a_live_frame_that_comes_too_late_is_dropped_for_the_newest() -> None:
    delivered, detecting = threading.Event(), threading.Event()

    def slow(image: Image) -> Detections:
        detecting.set()
        assert delivered.wait(WAIT_SECONDS)
        return ColourDetector()(image)

    first, *others = frames(10)
    blocked = threading.Event()
    source = FrameSource(
        [
            first,
            lambda: _expect(detecting.wait(WAIT_SECONDS)),
            *others,
            delivered.set,
            lambda: _expect(blocked.wait(WAIT_SECONDS)),
        ],
        live=True,
    )
    seen = []
    with pipeline(source, detector=slow) as running:
        for found in running.results():
            if found is not None and found[1].fresh:
                seen.append(found[1].frame.index)
            if seen and seen[-1] == 9:
                break
        blocked.set()
    assert set(seen) <= {0, 9}
    assert running.lines[0].summary.frames == 2


def _expect(happened: bool) -> None:
    assert happened


def test_a_silent_camera_still_gives_results() -> None:
    blocked = threading.Event()
    source = FrameSource([*frames(1), lambda: _expect(blocked.wait(WAIT_SECONDS))], live=True)
    with pipeline(source) as running:
        silent = next(found[1] for found in running.results() if found and not found[1].fresh)
        blocked.set()
    assert silent.decision.reason.startswith("camera silent")


def test_an_error_of_the_detector_reaches_main_while_capture_waits_for_room() -> None:
    def failing(image: Image) -> Detections:
        raise RuntimeError("the detector broke")

    book = LeaseBook()
    with (
        pytest.raises(RuntimeError, match="the detector broke"),
        pipeline(FrameSource(frames(50)), detector=failing, locks=(book,)) as running,
    ):
        assert taken(running) == []


def test_an_error_of_the_source_reaches_main_after_the_frames_before_it() -> None:
    source = FrameSource([*frames(3), SourceError("clip: truncated")])
    results = []
    with pytest.raises(SourceError, match="truncated"), pipeline(source) as running:
        results = taken(running)
    assert [result.frame.index for result in results] == [0, 1, 2]
    assert source.closed == 1


def test_an_error_of_main_is_not_hidden_by_that_of_a_thread() -> None:
    source = FrameSource([*frames(1), SourceError("clip: truncated")])
    with pytest.raises(ZeroDivisionError), pipeline(source) as running:
        _ = len(taken(running)) / 0


def test_leaving_early_ends_threads_that_wait_for_room() -> None:
    looked_at, third = list[Image](), threading.Event()

    def detector(image: Image) -> Detections:
        looked_at.append(image)
        if len(looked_at) == 3:
            third.set()
        return ColourDetector()(image)

    with pipeline(FrameSource(frames(50)), detector=detector) as running:
        first = next(running.results())
        # The second result waits to be taken, so that the third waits for room.
        assert third.wait(WAIT_SECONDS)
    assert first is not None
    assert first[1].frame.index == 0


class LastLock(LeaseBook):
    """Notes what was going on when it was told to lock for good."""

    def __init__(self, release: threading.Event, *, locked: bool = True) -> None:
        super().__init__()
        self._release = release
        self._locked = locked
        self.patience_seconds = 0.0

    def close(self, timeout_seconds: float) -> bool:
        self.patience_seconds = timeout_seconds
        self._release.set()
        return self._locked


def test_the_door_is_locked_before_a_hung_detector_is_waited_for() -> None:
    released, hung = threading.Event(), threading.Event()

    def hang(image: Image) -> Detections:
        hung.set()
        assert released.wait(WAIT_SECONDS)
        return ColourDetector()(image)

    lock = LastLock(released)
    with pipeline(FrameSource(frames(5)), detector=hang, locks=(lock,)):
        assert hung.wait(WAIT_SECONDS)
    assert released.is_set()
    assert lock.patience_seconds > 1.0


def test_every_actuator_is_told_to_lock_before_any_is_waited_for() -> None:
    told: list[str] = []

    class Told(LeaseBook):
        def end(self) -> None:
            told.append("end")

        def close(self, timeout_seconds: float) -> bool:
            told.append("close")
            return True

    with pipeline(FrameSource(frames(2)), locks=(Told(), Told())) as running:
        taken(running)
    assert told == ["end", "end", "close", "close"]


def test_a_door_that_could_not_be_locked_at_the_end_is_an_error() -> None:
    lock = LastLock(threading.Event(), locked=False)
    with (
        pytest.raises(ActuatorError, match="could not be locked"),
        pipeline(FrameSource(frames(2)), locks=(lock,)) as running,
    ):
        taken(running)


@pytest.mark.parametrize("of_main", [True, False])
def test_another_error_does_not_hide_a_door_that_could_not_be_locked(
    of_main: bool, caplog: pytest.LogCaptureFixture
) -> None:
    lock = LastLock(threading.Event(), locked=False)
    source = FrameSource([*frames(1), *([] if of_main else [SourceError("clip: truncated")])])
    expected = ZeroDivisionError if of_main else SourceError
    with pytest.raises(expected), pipeline(source, locks=(lock,)) as running:
        _ = len(taken(running)) / (0 if of_main else 1)
    assert caplog.messages == ["door: an actuator could not be locked"]


@pytest.mark.parametrize(("locked", "code"), [(True, 128 + signal.SIGTERM), (False, 1)])
def test_a_signal_ends_a_run_well_only_if_the_door_could_be_locked(locked: bool, code: int) -> None:
    lock = LastLock(threading.Event(), locked=locked)
    with (
        pytest.raises(Interrupted) as stopped,
        pipeline(FrameSource(frames(2)), locks=(lock,)),
    ):
        raise Interrupted(signal.SIGTERM)
    assert stopped.value.exit_code == code


def test_a_camera_that_breaks_off_is_connected_anew_and_the_attempts_are_counted() -> None:
    lost = SourceError("camera: lost")
    source = FrameSource([*frames(2), lost], [lost], [*frames(2, start=2), lost], live=True)
    with pytest.raises(SourceError, match="nothing left"), pipeline(source) as running:
        taken(running)
    [door] = running.lines
    assert door.summary.reconnects == 4
    assert str(door.summary).endswith(", 4 reconnects")


def test_leaving_does_not_wait_for_the_next_attempt_to_connect() -> None:
    broken = threading.Event()

    def lose() -> None:
        broken.set()
        raise SourceError("camera: lost")

    source = FrameSource([*frames(1), lose], live=True)
    with pipeline(source, waits=(3600.0,)):
        assert broken.wait(WAIT_SECONDS)
    assert source.closed == 1


def test_a_recorded_source_is_not_tried_again() -> None:
    source = FrameSource([*frames(1), SourceError("truncated")], frames(3))
    with pytest.raises(SourceError, match="truncated"), pipeline(source) as running:
        assert len(taken(running)) == 1


def test_a_paced_clip_can_be_left_while_it_waits_for_its_next_frame() -> None:
    hour = Frame(picture("masked"), 1, 3600.0)
    with pipeline(FrameSource([*frames(1), hour]), paced=True) as running:
        results = running.results()
        first = next(results)
        assert next(results) is None
    assert first is not None
    assert first[1].frame.index == 0


@pytest.mark.parametrize(
    ("rotate_degrees", "mirror", "expected"),
    [
        # a 2 x 3 picture whose pixels are numbered row by row
        pytest.param(0, False, [[0, 1, 2], [3, 4, 5]], id="as it is"),
        pytest.param(90, False, [[3, 0], [4, 1], [5, 2]], id="a quarter clockwise"),
        pytest.param(180, False, [[5, 4, 3], [2, 1, 0]], id="upside down"),
        pytest.param(270, False, [[2, 5], [1, 4], [0, 3]], id="a quarter the other way"),
        pytest.param(0, True, [[2, 1, 0], [5, 4, 3]], id="mirrored"),
        pytest.param(90, True, [[0, 3], [1, 4], [2, 5]], id="turned, then mirrored"),
    ],
)
def test_pictures_are_turned_before_anything_looks_at_them(
    rotate_degrees: int, mirror: bool, expected: list[list[int]]
) -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1).repeat(3, axis=2)
    seen = []

    def look(image: Image) -> Detections:
        seen.append(image[:, :, 0].tolist())
        return Detections.empty(CLASSES)

    source = FrameSource([Frame(image, 0, 0.0)])
    orientation = Orientation(rotate_degrees, mirror)
    with pipeline(source, detector=look, orientation=orientation) as running:
        [result] = taken(running)
    assert seen == [expected]
    assert result.frame.image[:, :, 0].tolist() == expected
