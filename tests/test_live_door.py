from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from colours import picture
from live_page import Scenes

from monitor.actuators.lease import Change, Lease
from monitor.decision import Door, Order, overruled
from monitor.result import Result
from monitor.web.changes import RecentChanges
from monitor.web.live_door import HUNG_SECONDS, READY_SECONDS, LiveDoor, change_between
from monitor.web.picture import encoded


class Watched:
    """A live door with a clock that moves as the test says, and a note of what was encoded."""

    def __init__(self) -> None:
        self.now = 100.0
        self.encoded: list[Result] = []
        self.scenes = Scenes()
        self.changes = RecentChanges(clock=lambda: 7.0)
        self.door = LiveDoor(
            "front", encode=self._encode, note=self.changes.note, clock=lambda: self.now
        )

    def _encode(self, result: Result) -> bytes:
        self.encoded.append(result)
        return b"picture %d" % result.frame.index


def test_a_picture_is_encoded_once_for_all_and_only_when_somebody_asks() -> None:
    watched = Watched()
    assert watched.door.jpeg() == (0, b"")
    for _ in range(5):
        watched.door.see(watched.scenes.result("masked"))
    assert watched.encoded == []
    assert [watched.door.jpeg() for _ in range(3)] == [(5, b"picture 4")] * 3
    assert len(watched.encoded) == 1


def test_before_the_first_picture_the_door_is_not_known() -> None:
    watched = Watched()
    watched.now += 2.0
    assert watched.door.state() == {
        "name": "front",
        "started_at": 100.0,
        "door": None,
        "ready": False,
        "frame_age_seconds": 2.0,
        "actuators": {},
    }


def test_the_state_says_what_was_decided() -> None:
    watched = Watched()
    for scene in ("masked", "masked", "masked"):
        watched.now += 0.1
        watched.door.see(watched.scenes.result(scene))
    state = watched.door.state()
    assert state["door"] == "unlocked"
    assert state["evidence"] == "clear"
    assert state["reason"] == "1 face masked"
    assert (state["faces"], state["number"]) == (1, 3)
    assert state["frames_per_second"] == pytest.approx(10.0)


def test_a_door_is_not_ready_before_its_first_picture() -> None:
    watched = Watched()
    watched.door.see(replace(watched.scenes.result("nobody"), fresh=False, candidates=None))
    assert not watched.door.ready
    watched.door.see(watched.scenes.result("nobody"))
    assert watched.door.ready


@pytest.mark.parametrize(
    ("fresh", "looked", "ready"),
    [
        pytest.param(True, True, True, id="a new picture that was looked at"),
        pytest.param(False, True, False, id="silent: the last picture again"),
        pytest.param(True, False, False, id="frozen or late: not looked at"),
    ],
)
def test_a_door_is_ready_only_while_new_pictures_are_looked_at(
    fresh: bool, looked: bool, ready: bool
) -> None:
    watched = Watched()
    first = watched.scenes.result("masked")
    watched.door.see(first)
    assert watched.door.ready
    watched.now += READY_SECONDS + 0.1
    assert not watched.door.ready
    candidates = first.candidates if looked else None
    watched.door.see(Result(first.frame, first.decision, fresh, candidates))
    assert watched.door.ready is ready
    assert watched.door.frame_age_seconds == pytest.approx(0.0 if ready else READY_SECONDS + 0.1)


def test_a_door_whose_results_stop_is_hung_and_a_silent_camera_is_not() -> None:
    watched = Watched()
    assert not watched.door.hung
    first = watched.scenes.result("masked")
    watched.door.see(first)
    watched.now += HUNG_SECONDS + 1.0
    assert watched.door.hung
    watched.door.see(Result(first.frame, first.decision, fresh=False))
    assert not watched.door.hung


def test_a_door_without_a_first_result_is_hung_too() -> None:
    watched = Watched()
    watched.now += HUNG_SECONDS - 1.0
    assert not watched.door.hung
    watched.now += 2.0
    assert watched.door.hung
    watched.door.see(watched.scenes.result("nobody"))
    assert not watched.door.hung


@pytest.mark.parametrize(
    ("scenes", "whats"),
    [
        pytest.param(["nobody", "nobody"], [], id="nothing"),
        pytest.param(["bare", "bare"], ["denied"], id="a violation counts when it begins"),
        pytest.param(["bare", "nobody", "bare"], ["denied", "denied"], id="and begins again"),
        pytest.param(["masked"] * 5, ["unlocked"], id="everyone masked"),
        pytest.param(["masked"] * 3 + ["bare"], ["unlocked", "denied"], id="mask taken off"),
        pytest.param(["masked"] * 3 + ["nobody"] * 6, ["unlocked", "locked"], id="gone"),
    ],
)
def test_what_changes_is_listed_newest_first_with_its_picture(
    scenes: list[str], whats: list[str]
) -> None:
    watched = Watched()
    for scene in scenes:
        watched.door.see(watched.scenes.result(scene))
    changes = watched.changes
    assert changes.newest(10) == []
    changes.take_in()
    listed = changes.newest(10)
    assert [change.what for change in reversed(listed)] == whats
    assert [change.number for change in reversed(listed)] == list(range(1, len(whats) + 1))
    assert {change.at for change in listed} <= {7.0}
    assert list(changes.newest(1)) == list(listed[:1])
    assert all(changes.picture(change.number) for change in listed)
    assert changes.picture(99) is None


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        # by hand with someone bare before it
        (("bare", Door.LOCKED), ("bare", Door.UNLOCKED), "unlocked"),
        # who comes in the same frame
        (("nobody", Door.LOCKED), ("bare", Door.UNLOCKED), "unlocked"),
        # or while it is open
        (("nobody", Door.UNLOCKED), ("bare", Door.UNLOCKED), None),
        # and still stands there when that is over
        (("bare", Door.UNLOCKED), ("bare", Door.LOCKED), "denied"),
        (("nobody", Door.UNLOCKED), ("nobody", Door.LOCKED), "locked"),
    ],
)
def test_nobody_is_denied_at_a_door_that_an_order_holds_open(
    before: tuple[str, Door], now: tuple[str, Door], what: str | None
) -> None:
    scenes = Scenes()

    def ordered(scene: str, door: Door) -> Result:
        result = scenes.result(scene)
        return replace(result, decision=overruled(result.decision, Order(door, "by Ada")))

    assert change_between(ordered(*before), ordered(*now)) == what


def test_many_changes_at_once_keep_the_newest_and_never_hold_up_the_door() -> None:
    watched = Watched()
    for index in range(400):
        watched.door.see(watched.scenes.result("bare" if index % 2 else "nobody"))
    watched.changes.take_in()
    listed = watched.changes.newest(1000)
    assert 0 < len(listed) < 100
    assert watched.changes.picture(listed[0].number) == b"picture 399"


def test_a_picture_that_cannot_be_made_costs_the_list_a_picture_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    changes = RecentChanges(clock=lambda: 7.0)

    def broken() -> bytes:
        raise ValueError("no encoder")

    changes.note("front", "locked", "no face", broken)
    changes.note("front", "unlocked", "all masked", lambda: b"picture")
    changes.take_in()
    newest, oldest = changes.newest(5)
    assert (newest.what, newest.pictured, changes.picture(2)) == ("unlocked", True, b"picture")
    assert (oldest.what, oldest.pictured, changes.picture(1)) == ("locked", False, None)
    assert "no encoder" in caplog.text


def test_the_state_of_each_actuator_is_the_last_that_it_told() -> None:
    watched = Watched()
    lease = Lease(unlocked=False, reason="the start")
    for name, state in (("strike", "locked"), ("strike", "unknown"), ("log", "locked")):
        watched.door.see_change(Change(name, state, "why", lease, None))
    assert watched.door.health()["actuators"] == {"strike": "unknown", "log": "locked"}


def test_actuators_that_were_exchanged_are_no_longer_among_them() -> None:
    watched = Watched()
    lease = Lease(unlocked=False, reason="the start")
    watched.door.see_change(Change("strike", "unknown", "why", lease, None))
    watched.door.forget_actuators()
    watched.door.see_change(Change("bell", "locked", "why", lease, None))
    assert watched.door.health()["actuators"] == {"bell": "locked"}


@pytest.mark.parametrize(
    ("width_px", "height_px", "shown_px"),
    [(64, 48, (64, 48)), (1920, 1080, (960, 540)), (4000, 10, (960, 2))],
)
def test_a_picture_is_no_wider_than_a_page_needs(
    width_px: int, height_px: int, shown_px: tuple[int, int]
) -> None:
    result = Scenes().result("bare", width_px, height_px)
    before = result.frame.image.copy()
    image = cv2.imdecode(np.frombuffer(encoded(result), np.uint8), 1)
    assert image is not None
    assert (image.shape[1], image.shape[0]) == shown_px
    assert np.array_equal(result.frame.image, before)


def test_the_faces_of_a_shrunk_picture_are_where_they_were() -> None:
    result = Scenes().result("bare", 1920, 1080)
    image = cv2.imdecode(np.frombuffer(encoded(result), np.uint8), 1)
    assert image is not None
    plain = picture("bare", 960, 540)
    drawn = np.abs(image.astype(int) - plain).max(axis=2) > 40
    # The box of the colour detector ends at four fifths of each side.
    assert drawn[300, 768 - 4 : 768 + 5].any()
    assert not drawn[300, 800:].any()
