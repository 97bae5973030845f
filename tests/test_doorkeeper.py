from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from colours import CLASSES, ColourDetector, picture

from monitor.actuators.lease import Lease
from monitor.decision import Door, Order
from monitor.detections import Detections
from monitor.doorkeeper import ORDERED_SECONDS, RECORDED_LEASE_SECONDS, Doorkeeper
from monitor.errors import NoEvidence
from monitor.evidence import Evidence, FrameRule
from monitor.frame import Frame, Image
from monitor.line import TICK_SECONDS
from monitor.policy import Policy
from monitor.zones import Zones

HOLD_SECONDS, GRACE_SECONDS, MAX_AGE_SECONDS = 1.0, 0.5, 0.8


class LeaseBook:
    """A lock that only writes down what it was told."""

    def __init__(self, name: str = "book") -> None:
        self.name = name
        self.leases: list[Lease] = []

    def start(self) -> None:
        self.leases = []

    def apply(self, lease: Lease) -> None:
        self.leases.append(lease)

    def end(self) -> None:
        pass

    def close(self, timeout_seconds: float) -> bool:
        return True


class Watch:
    """A doorkeeper at a camera or a clip, with a clock that moves as the test says."""

    def __init__(
        self,
        *,
        live: bool,
        zones: Zones | None = None,
        max_unlock_seconds: float = math.inf,
    ) -> None:
        self.now = 100.0
        self.detect_seconds = 0.0
        self.astray = False
        self.order: Order | None = None
        self.book = LeaseBook()
        self._noise = 0
        self._live = live
        self.keeper = Doorkeeper(
            detector=self._detect,
            zones=zones or Zones(),
            judge=Policy(
                FrameRule(classes=CLASSES),
                hold_seconds=HOLD_SECONDS,
                grace_seconds=GRACE_SECONDS,
                max_unlock_seconds=max_unlock_seconds,
            ),
            locks=[self.book],
            orders=[lambda: self.order],
            live=live,
            grace_seconds=GRACE_SECONDS,
            max_age_seconds=MAX_AGE_SECONDS,
            door_name="front",
            clock=lambda: self.now,
        )

    def _detect(self, image: Image) -> Detections:
        self.now += self.detect_seconds
        if self.astray:
            raise NoEvidence("colours.onnx: boxes or scores that cannot be")
        return ColourDetector()(image)

    def frame(self, scene: str, time: float, *, noise: bool = True) -> Frame:
        image = picture(scene)
        self._noise += noise
        image[:, -5:, 1] += self._noise % 200
        return Frame(image, 0, time)

    def unlocked(self) -> Watch:
        """Let CLEAR frames hold for as long as it takes."""
        for tenths in range(11):
            self.now = 100.0 + tenths / 10
            self.keeper.see(self.frame("masked", self.now))
        assert self.book.leases[-1].unlocked
        return self


def doors(leases: Sequence[Lease]) -> list[bool]:
    return [lease.unlocked for lease in leases]


def test_a_live_lease_expires_one_grace_after_the_picture_was_taken() -> None:
    watch = Watch(live=True).unlocked()
    watch.detect_seconds = 0.3
    watch.keeper.see(watch.frame("masked", 101.1))
    assert watch.book.leases[-1] == Lease(
        unlocked=True,
        reason="1 face masked",
        door_name="front",
        sequence=12,
        captured_at=101.1,
        expires_at=101.1 + GRACE_SECONDS,
    )


def test_a_live_lease_ends_with_the_longest_time_unlocked() -> None:
    watch = Watch(live=True, max_unlock_seconds=0.3).unlocked()
    assert watch.book.leases[-1].expires_at == pytest.approx(101.0 + 0.3)


def test_a_recorded_lease_is_counted_from_the_decision() -> None:
    watch = Watch(live=False)
    frame = watch.frame("masked", 3.0)
    watch.keeper.see(frame)
    watch.now = 500.0
    watch.keeper.see(Frame(frame.image, 1, 4.0, lasts_seconds=1.0))
    # 1.0 s between two pictures without duration is more than the grace: a new run.
    assert doors(watch.book.leases) == [False, False]
    watch = Watch(live=False)
    for index, time in enumerate([3.0, 4.0, 5.0]):
        watch.now = 500.0 + index
        watch.keeper.see(Frame(frame.image, index, time, lasts_seconds=1.0))
    assert watch.book.leases[-1].unlocked
    assert watch.book.leases[-1].expires_at == 502.0 + RECORDED_LEASE_SECONDS


def test_only_a_clear_picture_renews_the_lease() -> None:
    watch = Watch(live=True).unlocked()
    count = len(watch.book.leases)
    watch.now = 101.2
    result = watch.keeper.see(watch.frame("nobody", 101.2))
    assert (result.decision.door, result.decision.evidence) == (Door.UNLOCKED, Evidence.UNKNOWN)
    assert len(watch.book.leases) == count


def test_a_bare_face_locks_at_once_and_is_denied() -> None:
    watch = Watch(live=True).unlocked()
    watch.now = 101.1
    watch.keeper.see(watch.frame("bare", 101.1))
    watch.now = 101.7
    watch.keeper.see(watch.frame("nobody", 101.7))
    bare, nobody = watch.book.leases[-2:]
    assert (bare.unlocked, bare.denies, bare.captured_at) == (False, True, 101.1)
    assert (nobody.unlocked, nobody.denies) == (False, False)


def test_leases_are_numbered_in_their_order_with_the_name_of_the_door() -> None:
    watch = Watch(live=True).unlocked()
    watch.now = 102.0
    watch.keeper.miss()
    leases = watch.book.leases
    assert [lease.sequence for lease in leases] == list(range(1, len(leases) + 1))
    assert {lease.door_name for lease in leases} == {"front"}
    # Nothing was taken when the camera was missed: the lock goes back to that moment.
    assert leases[-1].captured_at == 102.0


def test_a_live_picture_that_is_too_old_after_detection_is_no_evidence() -> None:
    watch = Watch(live=True).unlocked()
    watch.detect_seconds = 1.3
    decision = watch.keeper.see(watch.frame("masked", 101.0)).decision
    assert (decision.evidence, decision.door) == (Evidence.UNKNOWN, Door.LOCKED)
    assert decision.reason == "picture 1.3 s old"


def test_a_picture_of_which_the_model_says_what_cannot_be_is_no_evidence() -> None:
    watch = Watch(live=True).unlocked()
    watch.astray = True
    unlocks = []
    for now in (101.1, 101.2, 101.0 + GRACE_SECONDS + 0.01):
        watch.now = now
        result = watch.keeper.see(watch.frame("masked", now))
        assert result.decision.evidence is Evidence.UNKNOWN
        assert result.decision.reason.startswith("colours.onnx: boxes or scores that cannot be")
        assert result.candidates is None
        unlocks.append(result.decision.door)
    assert unlocks == [Door.UNLOCKED, Door.UNLOCKED, Door.LOCKED]
    # none of them has renewed the lease
    assert watch.book.leases[-2].expires_at == 101.0 + GRACE_SECONDS


def test_a_recording_goes_on_after_a_picture_that_is_no_evidence() -> None:
    watch = Watch(live=False)
    decisions = []
    for tenths in range(12):
        watch.astray = tenths == 5
        decisions.append(watch.keeper.see(watch.frame("masked", tenths / 10)).decision)
    assert [decision.time for decision in decisions] == [tenths / 10 for tenths in range(12)]
    assert decisions[5].evidence is Evidence.UNKNOWN
    assert decisions[-1].door is Door.UNLOCKED


def test_a_live_picture_that_repeats_is_no_evidence() -> None:
    watch = Watch(live=True)
    for tenths in range(30):
        watch.now = 100.0 + tenths / 10
        result = watch.keeper.see(watch.frame("masked", watch.now, noise=False))
        assert result.decision.door is Door.LOCKED
    assert result.decision.reason == "camera repeats the same picture"


@pytest.mark.parametrize("frames_per_second", [0.5, 1.0, 5.0, 30.0])
def test_a_camera_that_freezes_locks_the_door_within_a_second(frames_per_second: float) -> None:
    watch = Watch(live=True).unlocked()
    frozen = watch.frame("masked", 101.0)
    watch.keeper.see(frozen)
    step_seconds, ticks = min(1 / frames_per_second, 0.25), 0.0
    while not (ticks := ticks + step_seconds) > 1.0:
        watch.now = 101.0 + ticks
        if ticks % (1 / frames_per_second) < step_seconds:
            watch.keeper.see(Frame(frozen.image, 0, watch.now))
        else:
            watch.keeper.miss()
    assert not watch.book.leases[-1].unlocked


def test_a_picture_from_the_future_is_no_evidence() -> None:
    watch = Watch(live=True).unlocked()
    # The clock went back, or the machine slept and two clocks no longer agree.
    watch.now = 50.0
    decision = watch.keeper.see(watch.frame("masked", 101.1)).decision
    assert (decision.evidence, decision.door) == (Evidence.UNKNOWN, Door.LOCKED)


@pytest.mark.parametrize(
    ("taken_at", "detect_seconds", "age"),
    [
        # The clock of the pictures has jumped back, or ahead.
        (96.1, 0.0, "picture 5.0 s old"),
        (106.1, 0.0, "picture -5.0 s old"),
        # The detector took too long.
        (101.1, 0.9, "picture 0.9 s old"),
    ],
)
def test_a_bare_face_counts_whenever_its_picture_was_taken(
    taken_at: float, detect_seconds: float, age: str
) -> None:
    watch = Watch(live=True).unlocked()
    watch.now, watch.detect_seconds = 101.1, detect_seconds
    decision = watch.keeper.see(watch.frame("bare", taken_at)).decision
    assert (decision.evidence, decision.door) == (Evidence.VIOLATION, Door.LOCKED)
    assert decision.reason == f"mask below the nose or no mask, {age}"
    assert watch.book.leases[-1].denies
    watch.detect_seconds = 0.0
    watch.keeper.see(watch.frame("masked", watch.now))
    assert not watch.book.leases[-1].unlocked


def test_after_a_leap_of_the_clock_the_hold_begins_anew() -> None:
    watch = Watch(live=True).unlocked()
    watch.now = 4000.0
    decision = watch.keeper.see(watch.frame("masked", 4000.0)).decision
    assert (decision.door, decision.held_seconds) == (Door.LOCKED, 0.0)


def test_the_end_of_a_recording_locks_however_long_its_last_picture_lasts() -> None:
    watch = Watch(live=False)
    for second in range(3):
        still = replace(watch.frame("masked", float(second)), lasts_seconds=1.0)
        latest = watch.keeper.see(still)
    assert latest.decision.door is Door.UNLOCKED
    ended = watch.keeper.fail("pictures: has ended")
    assert (ended.decision.door, ended.decision.reason) == (Door.LOCKED, "pictures: has ended")
    assert not watch.book.leases[-1].unlocked


def test_a_recorded_picture_may_repeat_and_be_decided_on_late() -> None:
    watch = Watch(live=False)
    for tenths in range(11):
        watch.now += 60.0
        result = watch.keeper.see(watch.frame("masked", tenths / 10, noise=False))
    assert result.decision.door is Door.UNLOCKED


def test_a_silent_camera_locks_the_door_and_says_for_how_long() -> None:
    watch = Watch(live=True).unlocked()
    watch.now = 101.0 + 1.2
    result = watch.keeper.miss()
    assert (result.fresh, result.age_seconds) == (False, None)
    assert result.decision.reason == "camera silent for 1.2 s"
    assert not watch.book.leases[-1].unlocked


def test_what_keeps_pictures_from_coming_is_said_until_one_comes() -> None:
    watch = Watch(live=True)
    watch.keeper.fail("camera 0: gives no more pictures")
    assert watch.keeper.miss().decision.reason == "camera 0: gives no more pictures"
    watch.keeper.see(watch.frame("masked", watch.now))
    assert watch.keeper.miss().decision.reason == "camera silent for 0.0 s"


def test_before_the_first_picture_the_door_is_locked_and_takes_orders() -> None:
    watch = Watch(live=True)
    watch.now = 100.25
    result = watch.keeper.miss()
    assert (result.decision.door, result.decision.reason) == (
        Door.LOCKED,
        "camera silent for 0.2 s",
    )
    assert not result.fresh
    assert not result.frame.image.any()
    # An order may be given before a camera is back, also to a doorkeeper that is new since then.
    watch.order = Order(Door.UNLOCKED, "let in by the guard", until=130.0)
    assert watch.keeper.miss().decision.door is Door.UNLOCKED
    assert doors(watch.book.leases) == [False, True]


def test_a_picture_taken_just_before_a_miss_was_judged_still_counts() -> None:
    watch = Watch(live=True).unlocked()
    watch.now = 101.3
    watch.keeper.miss()
    result = watch.keeper.see(watch.frame("masked", 101.28))
    assert (result.decision.evidence, result.decision.door) == (Evidence.CLEAR, Door.UNLOCKED)
    assert watch.book.leases[-1].expires_at == pytest.approx(101.28 + GRACE_SECONDS)


def test_a_picture_dated_before_the_one_before_it_is_no_clock_that_went_back() -> None:
    watch = Watch(live=True).unlocked()
    watch.now = 101.2
    # What is known of a stream's way becomes better, and with it the dates of its pictures.
    for taken_at in (101.2, 101.15):
        decision = watch.keeper.see(watch.frame("masked", taken_at)).decision
    assert (decision.evidence, decision.door) == (Evidence.CLEAR, Door.UNLOCKED)


def test_a_picture_taken_before_a_miss_was_judged_does_not_add_to_the_hold() -> None:
    watch = Watch(live=True)
    for tenths in (0, 2, 4, 6):
        watch.now = 100.0 + tenths / 10
        watch.keeper.see(watch.frame("masked", watch.now))
    watch.now = 101.0
    watch.keeper.miss()
    decision = watch.keeper.see(watch.frame("masked", 100.9)).decision
    assert (decision.evidence, decision.door) == (Evidence.CLEAR, Door.LOCKED)
    assert decision.held_seconds == pytest.approx(0.9)
    assert decision.reason == "1 face masked, held 0.9 of 1.0 s"
    watch.now = 101.05
    assert watch.keeper.see(watch.frame("masked", 101.05)).decision.door is Door.UNLOCKED


def test_nor_does_it_bridge_a_gap_longer_than_the_grace() -> None:
    watch = Watch(live=True).unlocked()
    watch.now = 101.4
    watch.keeper.miss()
    watch.keeper.see(watch.frame("masked", 101.1))
    watch.now = 101.1 + GRACE_SECONDS + 0.1
    decision = watch.keeper.see(watch.frame("masked", watch.now)).decision
    assert (decision.door, decision.held_seconds) == (Door.LOCKED, 0.0)


def test_a_face_first_seen_in_such_a_picture_is_clear_and_has_held_for_no_time() -> None:
    watch = Watch(live=True)
    watch.keeper.see(watch.frame("nobody", 100.0))
    watch.now = 100.3
    watch.keeper.miss()
    decision = watch.keeper.see(watch.frame("masked", 100.2)).decision
    assert (decision.evidence, decision.held_seconds) == (Evidence.CLEAR, 0.0)
    assert decision.reason == "1 face masked, held 0.0 of 1.0 s"


def test_faces_outside_the_zones_do_not_count() -> None:
    corner = Zones(watch=[[(0.9, 0.9), (1.0, 0.9), (1.0, 1.0)]])
    watch = Watch(live=False, zones=corner)
    decision = watch.keeper.see(watch.frame("bare", 0.0)).decision
    assert (decision.evidence, len(decision.faces)) == (Evidence.UNKNOWN, 0)


def test_the_picture_itself_is_left_as_it_was() -> None:
    watch = Watch(live=True)
    frame = watch.frame("masked", 100.0)
    before = frame.image.copy()
    assert watch.keeper.see(frame).frame is frame
    assert np.array_equal(frame.image, before)


@pytest.mark.parametrize(
    ("live", "lasts_seconds"),
    [(True, GRACE_SECONDS + ORDERED_SECONDS), (False, RECORDED_LEASE_SECONDS)],
)
def test_an_order_to_unlock_is_a_lease_that_each_decision_renews_until_its_end(
    live: bool, lasts_seconds: float
) -> None:
    watch = Watch(live=live)
    watch.order = Order(Door.UNLOCKED, "let in by the guard", until=130.0)
    for scene in ("nobody", "bare", "masked"):
        watch.now += 1.0
        watch.keeper.see(watch.frame(scene, watch.now))
        lease = watch.book.leases[-1]
        # A detector that hangs from now on renews nothing.
        assert (lease.unlocked, lease.expires_at) == (True, watch.now + lasts_seconds)
        assert lease.order is watch.order
        # Whoever gives it lets in also the bare.
        assert not lease.denies
    watch.now = 129.5
    watch.keeper.miss()
    assert watch.book.leases[-1].expires_at == 130.0
    watch.order = None
    watch.keeper.miss()
    assert not watch.book.leases[-1].unlocked


@pytest.mark.parametrize(
    ("frames_per_second", "detect_seconds"),
    [
        # any camera,
        (30.0, 0.0),
        (5.0, 0.0),
        (0.5, 0.0),
        # a lost one,
        (0.0, 0.0),
        # and a detector so slow that next to every picture, or every one, is too old
        (30.0, 0.8),
        (0.5, 0.8),
        (5.0, 1.2),
    ],
)
def test_an_order_to_unlock_holds_until_its_end(
    frames_per_second: float, detect_seconds: float
) -> None:
    watch = Watch(live=True)
    watch.detect_seconds = detect_seconds
    watch.order = Order(Door.UNLOCKED, "let in by the guard", until=130.0)
    due_at = watch.now if frames_per_second else math.inf
    while watch.now + detect_seconds < 130.0:
        if watch.now < due_at:
            watch.keeper.miss()
        else:
            due_at += 1 / frames_per_second
            watch.keeper.see(watch.frame("nobody", watch.now))
        watch.now += min(TICK_SECONDS, max(due_at - watch.now, 0.0))
    leases = watch.book.leases
    assert all(doors(leases))
    assert all(
        after.captured_at is not None and after.captured_at < before.expires_at
        for before, after in itertools.pairwise(leases)
    )
    assert leases[-1].expires_at == 130.0


def test_an_order_to_lock_locks_at_once() -> None:
    watch = Watch(live=True).unlocked()
    watch.order = Order(Door.LOCKED, "closed")
    watch.keeper.see(watch.frame("masked", 101.0))
    assert watch.book.leases[-1].reason == "closed; 1 face masked"
    assert not watch.book.leases[-1].unlocked
