"""The policy: what a history of frames does to the door."""

from __future__ import annotations

import math
from typing import Any

import pytest
from colours import CLASSES
from faces import BARE, MASKED, NOISE, UNSURE, seen

from monitor.decision import Door, Order
from monitor.detections import Detections
from monitor.errors import ConfigError
from monitor.evidence import Evidence, FrameRule
from monitor.policy import Policy

CLEAR, VIOLATION, UNKNOWN = Evidence.CLEAR, Evidence.VIOLATION, Evidence.UNKNOWN


def policy(**options: float) -> Policy:
    """A new policy with the usual rule for a single frame."""
    return Policy(FrameRule(classes=CLASSES), **options)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param({"hold_seconds": -1.0}, "hold_seconds", id="negative hold"),
        pytest.param({"grace_seconds": math.inf}, "grace_seconds", id="endless grace"),
        pytest.param({"settle_seconds": math.nan}, "settle_seconds", id="settle not a number"),
        pytest.param({"max_unlock_seconds": 0.0}, "max_unlock_seconds", id="never unlocked"),
        pytest.param(
            {"grace_seconds": -1, "hold_seconds": math.nan}, "hold_.*grace_", id="all at once"
        ),
    ],
)
def test_wrong_settings_are_refused(options: dict[str, Any], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        policy(**options)


def doors(judge: Policy, *frames: tuple[float, Detections | None]) -> str:
    """The door after each frame: L for locked, U for unlocked."""
    return "".join(judge.update(faces, time).door[0].upper() for time, faces in frames)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        # Held for exactly the hold time, then for as long as CLEAR keeps arriving.
        ([(0.0, MASKED), (0.5, MASKED), (1.0, MASKED), (1.5, MASKED)], "LLUU"),
        # A gap of exactly the grace time is bridged, before and after the unlock.
        ([(0.0, MASKED), (0.25, None), (0.5, MASKED), (1.0, MASKED), (1.5, UNSURE)], "LLLUU"),
        # One gap longer than the grace time begins a new run.
        ([(0.0, MASKED), (0.5, MASKED), (1.25, MASKED), (1.75, MASKED), (2.25, MASKED)], "LLLLU"),
        # A hole of ten seconds never counts as held, and locks.
        ([(0.0, MASKED), (10.0, MASKED), (10.5, MASKED), (11.0, MASKED), (21.0, MASKED)], "LLLUL"),
        # A violation locks at once and the hold begins again.
        ([(0.0, MASKED), (0.5, MASKED), (1.0, MASKED), (1.25, BARE), (1.5, MASKED)], "LLULL"),
        # Nobody there: the door stays open for the grace time and no longer.
        ([(0.0, MASKED), (0.5, MASKED), (1.0, MASKED), (1.5, None), (1.625, None)], "LLUUL"),
        # The hold time passes during an UNKNOWN frame: only the next CLEAR one unlocks.
        ([(0.0, MASKED), (0.75, MASKED), (1.0, None), (1.125, MASKED)], "LLLL"),
        ([(0.0, MASKED), (0.5, MASKED), (1.0, None), (1.0, MASKED)], "LLLU"),
    ],
)
def test_the_door_follows_the_history(frames: Any, expected: str) -> None:
    history = [(time, None if row is None else seen(row)) for time, row in frames]
    assert doors(policy(), *history) == expected


def test_a_picture_that_lasts_is_evidence_until_its_end() -> None:
    judge = policy()
    decisions = [
        judge.update(seen(row), time, lasts_seconds=1.0)
        for time, row in [(0.0, MASKED), (1.0, MASKED), (2.0, MASKED), (3.5, UNSURE), (3.6, UNSURE)]
    ]
    assert "".join(decision.door[0] for decision in decisions) == "luuul"


def test_a_shorter_picture_does_not_cut_short_the_evidence_of_a_longer_one() -> None:
    judge = policy(hold_seconds=0.25)
    judge.update(seen(MASKED), 0.0, lasts_seconds=1.0)
    judge.update(seen(MASKED), 0.25)
    assert judge.update(seen(UNSURE), 1.5).door is Door.UNLOCKED
    assert judge.update(seen(UNSURE), 1.625).door is Door.LOCKED


def test_reasons_tell_how_long_it_still_takes() -> None:
    judge = policy()
    frames = [
        (0.0, seen(MASKED, MASKED), "all 2 faces masked, held 0.0 of 1.0 s"),
        (0.46, seen(MASKED, MASKED), "all 2 faces masked, held 0.4 of 1.0 s"),
        # Rounded down: it must not read as held long enough.
        (0.96, seen(MASKED), "1 face masked, held 0.9 of 1.0 s"),
        (1.0, seen(MASKED), "1 face masked"),
        (1.25, seen(), "no face, 0.2 of 0.5 s grace"),
        (1.75, None, "camera silent"),
    ]
    for time, faces, reason in frames:
        fault = "camera silent" if faces is None else None
        assert judge.update(faces, time, fault=fault).reason == reason


def test_a_decision_says_how_long_clear_has_held() -> None:
    judge = policy()
    held = [
        judge.update(seen(row), time).held_seconds
        for time, row in [(2.0, MASKED), (2.25, MASKED), (2.5, UNSURE), (2.75, MASKED), (3.0, BARE)]
    ]
    assert held == [0.0, 0.25, 0.25, 0.75, 0.0]


@pytest.mark.parametrize("wrong_time", [0.5, math.nan, math.inf, -math.inf])
def test_a_clock_that_goes_wrong_locks_and_ends_the_run(wrong_time: float) -> None:
    judge = policy()
    assert doors(judge, (0.0, seen(MASKED)), (0.5, seen(MASKED)), (1.0, seen(MASKED))) == "LLU"
    decision = judge.update(seen(MASKED), wrong_time)
    assert (decision.evidence, decision.door) == (UNKNOWN, Door.LOCKED)
    assert "time" in decision.reason
    assert doors(judge, (1.0, seen(MASKED)), (1.5, seen(MASKED)), (2.0, seen(MASKED))) == "LLU"


def test_after_going_back_nothing_counts_until_the_clock_has_caught_up() -> None:
    judge = policy()
    judge.update(seen(BARE), 5.0)
    before = [(time / 4, seen(MASKED)) for time in range(20)]
    after = [(5.0 + time / 4, seen(MASKED)) for time in range(5)]
    assert doors(judge, *before, *after) == "L" * 20 + "LLLLU"


def test_a_late_picture_is_evidence_of_no_later_moment_than_its_own() -> None:
    judge = policy()
    judge.update(seen(MASKED), 0.0)
    judge.update(seen(MASKED), 0.5)
    # Taken at 0.75 and 0.875, decided on at 1.0.
    late = [judge.update(seen(MASKED), 1.0, lasts_seconds=lasts) for lasts in (-0.25, -0.125)]
    assert [(at.door, at.held_seconds) for at in late] == [
        (Door.LOCKED, 0.75),
        (Door.LOCKED, 0.875),
    ]
    assert judge.update(seen(MASKED), 1.125).door is Door.UNLOCKED


@pytest.mark.parametrize("lasts_seconds", [-math.inf, math.nan, math.inf])
def test_an_impossible_duration_is_refused(lasts_seconds: float) -> None:
    with pytest.raises(ValueError, match="lasts_seconds"):
        policy().update(None, 0.0, lasts_seconds=lasts_seconds)


@pytest.mark.parametrize(
    ("row", "expected", "reason"),
    [
        (BARE, VIOLATION, "mask below the nose or no mask, picture 5.0 s old"),
        (MASKED, UNKNOWN, "picture 5.0 s old, 0.2 of 0.5 s grace"),
        (UNSURE, UNKNOWN, "picture 5.0 s old, 0.2 of 0.5 s grace"),
    ],
)
def test_of_a_frame_with_a_fault_nothing_but_a_violation_counts(
    row: tuple[float, float], expected: Evidence, reason: str
) -> None:
    judge = policy(hold_seconds=0.0)
    judge.update(seen(MASKED), 0.0)
    decision = judge.update(seen(row), 0.25, fault="picture 5.0 s old")
    assert (decision.evidence, decision.reason) == (expected, reason)


def evidence(judge: Policy, votes: str, frames_per_second: float) -> str:
    """The evidence of each frame of one face: + masked, - bare, ? uncertain, . nobody."""
    rows = {"+": [MASKED], "-": [BARE], "?": [UNSURE], ".": []}
    return "".join(
        judge.update(seen(*rows[vote]), index / frames_per_second).evidence[0]
        for index, vote in enumerate(votes)
    )


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        # Just appeared: not known until it has settled.
        ("++++", "uucc"),
        # A bare one is a violation from its first frame on.
        ("-+++", "vucc"),
        ("+++-", "uucv"),
        # However long it was right before, and however often it flickers.
        ("+-+-", "uvuv"),
        ("++++?+++", "uuccuucc"),
        # Out of sight for a frame is not otherwise.
        ("+++.+", "uucuc"),
    ],
)
def test_a_face_counts_once_it_has_settled(votes: str, expected: str) -> None:
    # Steps and times that are exact in binary.
    assert evidence(policy(settle_seconds=0.25), votes, 8.0) == expected


def test_a_decision_says_which_classes_may_pass() -> None:
    # What draws it would else have to be told of every other policy that a door is given.
    judge = Policy(FrameRule(classes=CLASSES, allowed=("noMask",)))
    order = Order(Door.LOCKED, "by hand")
    for decision in (
        judge.update(seen(BARE), 0.0),
        judge.update(None, 0.1),
        judge.update(seen(BARE), 0.2, order=order),
    ):
        assert decision.allowed == ("noMask",)


def test_a_late_picture_lets_no_face_settle_beyond_its_own_moment() -> None:
    judge = policy(settle_seconds=0.25)
    judge.update(seen(MASKED), 0.0)
    decision = judge.update(seen(MASKED), 0.375, lasts_seconds=-0.25)
    assert (decision.evidence, decision.reason) == (UNKNOWN, "1 face, new")


@pytest.mark.parametrize("frames_per_second", [5.0, 10.0, 30.0])
def test_a_face_settles_after_the_same_time_at_any_frame_rate(frames_per_second: float) -> None:
    found = evidence(policy(settle_seconds=0.15), "+" * 31, frames_per_second)
    settles_at = found.index("c") / frames_per_second
    assert 0.15 <= settles_at <= max(0.15, 1 / frames_per_second) + 1 / frames_per_second


def test_a_masked_newcomer_keeps_the_door_for_its_grace_and_a_bare_one_locks_it() -> None:
    judge = policy(settle_seconds=0.25)
    opened = doors(judge, *((time / 8, seen(MASKED)) for time in range(11)))
    assert opened == "LLLLLLLLLLU"
    newcomer = judge.update(seen(MASKED, MASKED), 1.375)
    assert (newcomer.evidence, newcomer.door) == (UNKNOWN, Door.UNLOCKED)
    assert newcomer.reason == "1 of 2 faces new, 0.1 of 0.5 s grace"
    assert newcomer.verdicts == ("allowed", "uncertain")
    assert doors(judge, (1.5, seen(MASKED, MASKED)), (1.625, seen(MASKED, MASKED))) == "UU"
    # Nor is a bare one outvoted by a masked one that comes with it.
    tailgating = judge.update(seen(MASKED, MASKED, BARE, MASKED), 1.75)
    assert (tailgating.evidence, tailgating.door) == (VIOLATION, Door.LOCKED)
    assert tailgating.verdicts == ("allowed", "allowed", "denied", "uncertain")


def test_each_face_judged_carries_its_number() -> None:
    judge = policy()
    assert judge.update(seen(MASKED, NOISE, BARE), 0.0).tracks == (1, 2)
    assert judge.update(seen(MASKED), 0.25).tracks == (1,)
    assert judge.update(None, 0.5).tracks == ()


def test_after_the_longest_time_unlocked_it_locks_until_clear_has_ended() -> None:
    judge = policy(max_unlock_seconds=2.0)
    assert doors(judge, *((time / 4, seen(MASKED)) for time in range(13))) == "LLLLUUUUUUUUL"
    stays = judge.update(seen(MASKED), 3.25)
    assert (stays.evidence, stays.door) == (CLEAR, Door.LOCKED)
    assert stays.reason == "1 face masked, unlocked for 2 s, the longest allowed"
    # A gap that the grace bridges is no end.
    assert doors(judge, (3.5, seen()), *((3.75 + time / 4, seen(MASKED)) for time in range(6))) == (
        "L" * 7
    )
    # A longer one is, though pictures go on to come, and then everything begins anew.
    assert doors(judge, *((5.25 + time / 4, seen()) for time in range(3))) == "LLL"
    assert doors(judge, *((6.0 + time / 4, seen(MASKED)) for time in range(5))) == "LLLLU"


def test_after_the_longest_time_unlocked_no_flicker_opens_for_somebody_who_never_left() -> None:
    judge = policy(max_unlock_seconds=2.0)
    times = [time / 4 for time in range(60)]
    shown = [(time, seen(MASKED, BARE) if time == 5.0 else seen(MASKED)) for time in times]
    assert doors(judge, *shown) == "LLLLUUUUUUUU" + "L" * 48
    # Also what keeps a face from being believed at once shows that it is there.
    assert doors(judge, (15.0, seen(MASKED, UNSURE)), (15.5, seen(MASKED, UNSURE))) == "LL"
    assert doors(judge, *((15.75 + time / 4, seen(MASKED)) for time in range(9))) == "L" * 9
    # Nobody masked was seen for longer than the grace.
    later = [(18.5, seen(BARE)), *((18.75 + time / 4, seen(MASKED)) for time in range(5))]
    assert doors(judge, *later) == "LLLLLU"


def test_the_longest_time_unlocked_also_ends_without_a_clear_frame() -> None:
    judge = policy(hold_seconds=0.0, grace_seconds=10.0, max_unlock_seconds=2.0)
    assert doors(judge, (0.0, seen(MASKED)), (1.0, seen()), (1.75, None), (2.0, seen())) == "UUUL"


def test_a_decision_says_when_the_door_locks_at_the_latest() -> None:
    judge = policy(hold_seconds=0.5, max_unlock_seconds=2.0)
    judge.update(seen(MASKED), 1.0)
    assert judge.update(seen(MASKED), 1.5).locks_at == 3.5
    assert judge.update(seen(MASKED), 2.0).locks_at == 3.5


def test_an_order_overrules_what_is_seen_and_afterwards_clear_must_hold_anew() -> None:
    judge = policy(hold_seconds=0.5)
    assert doors(judge, (0.0, seen(MASKED)), (0.5, seen(MASKED))) == "LU"
    closed = judge.update(seen(MASKED), 0.75, order=Order(Door.LOCKED, "closed"))
    assert (closed.door, closed.evidence, closed.held_seconds) == (Door.LOCKED, CLEAR, 0.0)
    assert closed.reason == "closed; 1 face masked"
    assert doors(judge, (1.0, seen(MASKED)), (1.25, seen(MASKED)), (1.5, seen(MASKED))) == "LLU"


def test_an_order_to_unlock_needs_no_evidence_and_ends_locked() -> None:
    judge = policy()
    order = Order(Door.UNLOCKED, "let in by the guard", until=30.0)
    decision = judge.update(seen(BARE), 0.0, order=order)
    assert (decision.door, decision.evidence, decision.locks_at) == (
        Door.UNLOCKED,
        VIOLATION,
        30.0,
    )
    assert judge.update(None, 0.25, order=order).door is Door.UNLOCKED
    assert judge.update(seen(MASKED), 0.5).door is Door.LOCKED
