"""Several doors in one process: none waits for another, and none ends with another."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from colours import CLASSES, ColourDetector
from conftest import FrameSource
from test_doorkeeper import LeaseBook
from test_pipeline import WAIT_SECONDS, frames
from test_pipeline import line as line_of

from monitor.channel import Closed
from monitor.decision import Door
from monitor.detections import Detections
from monitor.doorkeeper import Doorkeeper
from monitor.errors import ActuatorError, SourceError
from monitor.evidence import FrameRule
from monitor.frame import Frame, Image
from monitor.line import TICK_SECONDS
from monitor.override import Override
from monitor.pipeline import Pipeline
from monitor.policy import Policy
from monitor.result import Result
from monitor.zones import Zones

# A detector that takes longer for three doors than a door may be without a frame.
SLOW_SECONDS = 0.2

line = partial(line_of, waits=itertools.repeat(0.01))


class Steady(FrameSource):
    """A camera that gives frames without end, each as soon as the one before was taken."""

    def __init__(self, scene: str = "masked") -> None:
        super().__init__(live=True)
        self._scene = scene

    def frames(self) -> Iterator[Frame]:
        for number in itertools.count():
            yield from frames(1, start=number % 200, scene=self._scene)


def hanging(released: threading.Event) -> Callable[[], None]:
    def hang() -> None:
        assert released.wait(WAIT_SECONDS)

    return hang


def until(running: Pipeline, name: str, enough: Callable[[Result], bool]) -> Result:
    """The first result of a door that is enough."""
    deadline = time.monotonic() + WAIT_SECONDS
    for found in running.results():
        if found is not None and found[0].name == name and enough(found[1]):
            return found[1]
        assert time.monotonic() < deadline, name
    raise AssertionError(f"{name}: ended before")


def served(count: int) -> Callable[[Result], bool]:
    """Whether as many fresh results have come."""
    left = iter(range(count - 1, -1, -1))
    return lambda result: result.fresh and next(left) == 0


@pytest.mark.parametrize(
    ("plays", "reason"),
    [
        # dead from the start, and for ever
        ([], "nothing left to play"),
        # one picture, then the network is gone
        ([[*frames(1), SourceError("camera: lost")]], "nothing left to play"),
    ],
)
def test_a_failing_camera_locks_its_own_door_and_no_other(
    plays: list[list[Frame | Exception | Callable[[], None]]], reason: str
) -> None:
    book = LeaseBook()
    failing = line(FrameSource(*plays, live=True), name="back", locks=(book,))
    with Pipeline([failing, line(Steady(), name="front")]) as running:
        result = until(running, "back", lambda result: reason in result.decision.reason)
        until(running, "front", served(5))
    assert (result.decision.door, result.fresh) == (Door.LOCKED, False)
    assert not any(lease.unlocked for lease in book.leases)


def test_a_camera_beside_others_is_asked_again_until_it_is_back() -> None:
    lost = [SourceError("camera: lost")]
    released = threading.Event()
    source = FrameSource(*[lost] * 10, [*frames(1), hanging(released)], live=True)
    with Pipeline([line(source, name="back"), line(Steady(), name="front")]) as running:
        assert until(running, "back", lambda result: result.fresh).frame.index == 0
        released.set()


def test_a_defect_ends_its_own_door_at_once_and_is_raised_at_the_end() -> None:
    failing = line(FrameSource([ZeroDivisionError("defect")], live=True), name="back")
    running = Pipeline([failing, line(Steady(), name="front")])
    with pytest.raises(ZeroDivisionError, match="defect"), running:
        until(running, "back", lambda result: result.decision.reason == "defect")


@pytest.mark.parametrize(
    "plays",
    [
        pytest.param([], id="before the first picture"),
        pytest.param(frames(1), id="after a picture"),
    ],
)
def test_a_camera_that_hangs_keeps_nobody_else_waiting(plays: list[Frame]) -> None:
    released = threading.Event()
    source = FrameSource([*plays, hanging(released)], live=True)
    with Pipeline([line(source, name="back"), line(Steady(), name="front")]) as running:
        until(running, "front", served(20))
        released.set()


def test_a_clip_that_ends_locks_its_door_and_the_others_go_on() -> None:
    book = LeaseBook()
    clip = line(FrameSource(frames(20)), name="back", locks=(book,))
    with Pipeline([clip, line(Steady(), name="front")]) as running:
        ended = until(running, "back", lambda result: not result.fresh)
        until(running, "front", served(5))
    assert (ended.decision.door, ended.decision.reason) == (Door.LOCKED, "frames: has ended")
    assert [lease.unlocked for lease in book.leases][-2:] == [True, False]


@pytest.mark.parametrize(
    ("live", "end", "reason"),
    [
        pytest.param(False, [], "frames: has ended", id="clip"),
        pytest.param(True, [ZeroDivisionError("defect")], "defect", id="camera"),
    ],
)
def test_an_unlock_by_hand_ends_with_the_source_of_its_door(
    live: bool, end: list[Exception], reason: str
) -> None:
    source = FrameSource([*frames(3), *end], live=live)
    override = Override("back", max_seconds=60.0)
    override.request("unlock", 60.0, "Ada")
    book = LeaseBook()
    back = line(source, name="back", locks=(book,), orders=[override.order])
    override.ended = lambda: back.capture.ended
    raised = pytest.raises(ZeroDivisionError) if live else contextlib.nullcontext()
    with raised, Pipeline([back, line(Steady(), name="front")]) as running:
        ended = until(running, "back", lambda result: result.decision.reason.endswith(reason))
        until(running, "front", served(5))
    assert (ended.decision.door, ended.decision.reason) == (Door.LOCKED, reason)
    assert not book.leases[-1].unlocked


def test_the_run_ends_when_every_clip_has_ended() -> None:
    doors = [line(FrameSource(frames(3)), name=name) for name in ("front", "back")]
    with Pipeline(doors) as running:
        fresh = [found[1].fresh for found in running.results() if found]
    assert fresh.count(True) == 6
    assert [door.summary.frames for door in doors] == [3, 3]


def test_every_door_gets_its_share_of_a_detector_that_cannot_keep_up() -> None:
    doors = [line(Steady(), name=name) for name in "abc"]
    with Pipeline(doors) as running:
        until(running, "c", served(30))
    counts = [door.summary.frames for door in doors]
    assert max(counts) <= 2 * min(counts)


def test_a_frame_that_waits_long_for_its_turn_is_not_missed() -> None:
    def slow(image: Image) -> Detections:
        threading.Event().wait(SLOW_SECONDS)
        return ColourDetector()(image)

    seen: list[Result] = []
    with Pipeline([line(Steady(), name=name, detector=slow) for name in "abc"]) as running:
        for found in running.results():
            seen += [found[1]] if found else []
            if len(seen) >= 6:
                break
    assert 3 * SLOW_SECONDS > 2 * TICK_SECONDS
    assert all(result.fresh for result in seen)


class Counted(LeaseBook):
    """Knows whether it is at work."""

    working = 0

    def start(self) -> None:
        super().start()
        Counted.working += 1

    def close(self, timeout_seconds: float) -> bool:
        Counted.working -= 1
        return True


def test_a_door_is_added_and_removed_while_others_run() -> None:
    with Pipeline([line(Steady(), name="front", locks=(Counted(),))]) as running:
        until(running, "front", served(2))
        with running.changing():
            running.add(line(Steady(), name="back", locks=(Counted(),)))
        until(running, "back", served(2))
        assert Counted.working == 2
        running.remove("front")
        assert Counted.working == 1
        until(running, "back", served(2))
        assert [door.name for door in running.lines] == ["back"]
        # the only one may be taken away, too, and another put in its place
        with running.changing(["back"]):
            assert Counted.working == 0
            running.add(line(Steady(), name="side"))
        until(running, "side", served(2))


class Stuck(LeaseBook):
    """Cannot be locked."""

    def close(self, timeout_seconds: float) -> bool:
        return False


def test_a_door_that_is_gone_and_could_not_be_locked_is_an_error_at_the_end() -> None:
    doors = [line(Steady(), name="front"), line(Steady(), name="back", locks=(Stuck(),))]
    running = Pipeline(doors)
    with pytest.raises(ActuatorError, match="back: an actuator could not be locked"), running:
        running.remove("back")
    assert running.left_open == {("back", "book")}


def test_an_actuator_that_is_there_again_is_locked_by_what_its_door_has_now() -> None:
    with Pipeline([line(Steady(), name="front", locks=(Stuck(),))]) as running:
        with running.changing(["front"]):
            running.add(line(Steady(), name="front", locks=(Stuck(),)))
        exchange(running, LeaseBook())
        assert running.left_open == set()


def test_an_actuator_taken_from_a_door_that_stays_is_an_error_at_the_end_if_it_stuck() -> None:
    running = Pipeline([line(Steady(), name="front", locks=(Stuck("strike"), Stuck("bell")))])
    with pytest.raises(ActuatorError, match="front: an actuator could not be locked"), running:
        exchange(running, LeaseBook("bell"))
    assert running.left_open == {("front", "strike")}


def exchange(running: Pipeline, *locks: LeaseBook) -> None:
    """Give the front door other locks."""
    with running.changing(exchanged=["front"]):
        running.replace("front", lambda line: (line.doorkeeper, locks))


def test_a_door_begins_anew_though_the_clips_of_all_others_have_ended() -> None:
    doors = [line(FrameSource(frames(3)), name="clip"), line(Steady(), name="front")]
    with Pipeline(doors) as running:
        until(running, "clip", lambda result: not result.fresh)
        with running.changing(["front"]):
            # the thread that decides comes round while no camera is left
            left_at, deadline = time.monotonic(), time.monotonic() + WAIT_SECONDS
            while running.turned_at <= left_at:
                assert time.monotonic() < deadline
                threading.Event().wait(0.01)
            running.add(line(Steady(), name="front"))
        until(running, "front", served(2))


def test_no_door_changes_once_the_run_is_over() -> None:
    with Pipeline([line(FrameSource(frames(3)))]) as running:
        assert len([found for found in running.results() if found]) == 3
        with pytest.raises(Closed), running.changing(["door"]):
            raise AssertionError("changed")
        assert [door.name for door in running.lines] == ["door"]


def test_a_door_that_begins_anew_beside_others_insists_on_its_camera_as_before() -> None:
    doors = [line(Steady(), name=name) for name in ("front", "back")]
    with Pipeline(doors) as running:
        with running.changing(["front", "back"]):
            # neither is there to give a picture, and neither is alone
            running.add(line(FrameSource(live=True), name="front"))
            running.add(line(FrameSource(live=True), name="back"))
        for name in ("front", "back"):
            until(running, name, lambda result: "nothing left" in result.decision.reason)
        assert [door.capture.sole for door in running.lines] == [False, False]
    assert [door.capture.error for door in running.lines] == [None, None]


def test_all_doors_that_change_are_told_to_lock_before_any_is_waited_for() -> None:
    told: list[str] = []

    class Told(LeaseBook):
        def __init__(self, name: str) -> None:
            super().__init__()
            self._name = name

        def end(self) -> None:
            told.append(f"{self._name} ends")

        def close(self, timeout_seconds: float) -> bool:
            told.append(f"{self._name} is waited for")
            return True

    doors = [line(Steady(), name=name, locks=(Told(name),)) for name in "abc"]
    with Pipeline(doors) as running:
        with running.changing(["a", "b"], exchanged=["c"]) as ended:
            assert [door.name for door in ended] == ["a", "b"]
            assert [door.name for door in running.lines] == ["c"]
            waited = [f"{name} is waited for" for name in "abc"]
            assert told == ["a ends", "b ends", "c ends", *waited]
        until(running, "c", served(2))


def test_another_policy_starts_locked_with_the_next_frame_and_loses_none() -> None:
    clip = [*frames(60)]
    old, new = Counted(), Counted()
    gate = threading.Event()
    source = FrameSource([*clip[:30], hanging(gate), *clip[30:]])
    door = line(source, locks=(old,))
    with Pipeline([door]) as running:
        results = running.results()
        seen = [next(results) for _ in range(30)]
        with running.changing(exchanged=["door"]):
            running.replace("door", lambda _: (keeper(source, new), [new]))
        gate.set()
        seen += [found for found in results if found]
    doors = [found[1].decision.door for found in seen if found]
    assert [found[1].frame.index for found in seen if found] == list(range(60))
    assert doors[29] is Door.UNLOCKED
    # a second of hold, anew
    assert doors[30:41] == [Door.LOCKED] * 10 + [Door.UNLOCKED]
    assert [lease.unlocked for lease in new.leases][:11] == [False] * 10 + [True]


def keeper(source: FrameSource, lock: LeaseBook) -> Doorkeeper:
    return Doorkeeper(
        detector=ColourDetector(),
        zones=Zones(),
        judge=Policy(FrameRule(classes=CLASSES)),
        locks=[lock],
        live=source.live,
        grace_seconds=0.5,
        max_age_seconds=1.0,
    )
