"""The policy: what one frame says, and what a history of frames does to the door."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from monitor.detections import Detections
from monitor.errors import ConfigError
from monitor.policy import Door, Evidence, Policy

CLASSES = ("mask", "noMask")
CLEAR, VIOLATION, UNKNOWN = Evidence.CLEAR, Evidence.VIOLATION, Evidence.UNKNOWN


def seen(*rows: tuple[float, ...], side_px: float = 50.0) -> Detections:
    """Faces of one size with the given (mask, noMask) scores."""
    boxes = np.tile(np.array([10, 10, 10 + side_px, 10 + side_px], np.float32), (len(rows), 1))
    scores = np.array(rows, np.float32).reshape(len(rows), 2)
    return Detections(boxes, scores, CLASSES)


MASKED, BARE, UNSURE, NOISE = (0.9, 0.05), (0.1, 0.8), (0.4, 0.1), (0.2, 0.29)


@pytest.mark.parametrize(
    ("rows", "evidence", "reason"),
    [
        # Zero faces are never CLEAR.
        ([], UNKNOWN, "no face"),
        # Below the deny threshold in every class: noise, as if it were not there.
        ([NOISE], UNKNOWN, "no face"),
        ([MASKED, NOISE], CLEAR, "1 face masked"),
        ([MASKED], CLEAR, "1 face masked"),
        ([MASKED, MASKED], CLEAR, "all 2 faces masked"),
        # One bare face among masked ones is enough.
        ([MASKED, BARE, MASKED], VIOLATION, "mask below the nose or no mask (1 of 3 faces)"),
        ([BARE], VIOLATION, "mask below the nose or no mask"),
        # The label is mask, but the loser's score stands above the deny threshold.
        ([(0.9, 0.31)], VIOLATION, "mask below the nose or no mask"),
        # Exactly on a threshold counts as reaching it, for both.
        ([(0.9, 0.3)], VIOLATION, "mask below the nose or no mask"),
        ([(0.5, 0.0)], CLEAR, "1 face masked"),
        # In between, alone or beside a certain one.
        ([UNSURE], UNKNOWN, "1 face uncertain"),
        ([MASKED, UNSURE], UNKNOWN, "1 of 2 faces masked, 1 uncertain"),
        ([(0.3, 0.0)], UNKNOWN, "1 face uncertain"),
        # A violation says more than an uncertainty.
        ([UNSURE, BARE], VIOLATION, "mask below the nose or no mask (1 of 2 faces)"),
    ],
)
def test_one_frame_is_judged_by_its_scores(rows: Any, evidence: Evidence, reason: str) -> None:
    assert Policy(classes=CLASSES).judge(seen(*rows))[:2] == (evidence, reason)


def test_faces_smaller_than_the_smallest_are_ignored_whatever_they_show() -> None:
    policy = Policy(classes=CLASSES, smallest_face_px=20.0)
    assert policy.judge(seen(BARE, side_px=19.9))[:2] == (UNKNOWN, "no face of 20 px or more")
    assert policy.judge(seen(BARE, side_px=20.0))[0] is VIOLATION


def test_fewer_faces_than_needed_are_not_clear() -> None:
    policy = Policy(classes=CLASSES, min_faces=2)
    assert policy.judge(seen(MASKED))[:2] == (UNKNOWN, "1 face masked, 2 needed")
    assert policy.judge(seen(MASKED, MASKED))[0] is CLEAR


def test_the_faces_judged_are_those_neither_small_nor_noise() -> None:
    faces = Policy(classes=CLASSES).judge(seen(MASKED, NOISE, BARE))[2]
    np.testing.assert_allclose(faces.scores, [MASKED, BARE])


def test_each_face_judged_gets_a_verdict() -> None:
    judged = Policy(classes=CLASSES).judge(seen(MASKED, NOISE, UNSURE, BARE, (0.9, 0.31)))
    assert judged.verdicts == ("allowed", "uncertain", "denied", "denied")


def test_any_classes_can_be_allowed_and_name_the_reason() -> None:
    policy = Policy(classes=CLASSES, allowed=("noMask",))
    assert policy.judge(seen(BARE))[:2] == (CLEAR, "1 face noMask")
    assert policy.judge(seen(MASKED))[:2] == (VIOLATION, "not noMask")


def test_detections_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        Policy(classes=CLASSES).judge(Detections.empty(("mask", "noMask", "hat")))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param({"allowed": ("masc",)}, "masc.*mask, noMask", id="not a class of the model"),
        pytest.param({"allowed": ()}, "allowed: found nothing", id="nothing allowed"),
        pytest.param({"deny": 0.6}, "deny 0.6 and grant 0.5", id="deny above grant"),
        pytest.param({"deny": 0.0}, "0 < deny", id="deny 0 would refuse padding"),
        pytest.param({"grant": math.nan}, "grant nan", id="grant not a number"),
        pytest.param({"min_faces": 0}, "min_faces: found 0", id="an empty frame would do"),
        pytest.param({"hold_seconds": -1.0}, "hold_seconds", id="negative hold"),
        pytest.param({"grace_seconds": math.inf}, "grace_seconds", id="endless grace"),
        pytest.param(
            {"min_faces": 0, "hold_seconds": math.nan}, "min_faces.*hold_seconds", id="all at once"
        ),
    ],
)
def test_wrong_settings_are_refused(options: dict[str, Any], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        Policy(classes=CLASSES, **options)


def doors(policy: Policy, *frames: tuple[float, Detections | None]) -> str:
    """The door after each frame: L for locked, U for unlocked."""
    return "".join(policy.update(faces, time).door[0].upper() for time, faces in frames)


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
    assert doors(Policy(classes=CLASSES), *history) == expected


def test_a_picture_that_lasts_is_evidence_until_its_end() -> None:
    policy = Policy(classes=CLASSES)
    decisions = [
        policy.update(seen(row), time, lasts_seconds=1.0)
        for time, row in [(0.0, MASKED), (1.0, MASKED), (2.0, MASKED), (3.5, UNSURE), (3.6, UNSURE)]
    ]
    assert "".join(decision.door[0] for decision in decisions) == "luuul"


def test_a_shorter_picture_does_not_cut_short_the_evidence_of_a_longer_one() -> None:
    policy = Policy(classes=CLASSES, hold_seconds=0.25)
    policy.update(seen(MASKED), 0.0, lasts_seconds=1.0)
    policy.update(seen(MASKED), 0.25)
    assert policy.update(seen(UNSURE), 1.5).door is Door.UNLOCKED
    assert policy.update(seen(UNSURE), 1.625).door is Door.LOCKED


def test_reasons_tell_how_long_it_still_takes() -> None:
    policy = Policy(classes=CLASSES)
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
        assert policy.update(faces, time, fault="camera silent").reason == reason


def test_a_decision_says_how_long_clear_has_held() -> None:
    policy = Policy(classes=CLASSES)
    held = [
        policy.update(seen(row), time).held_seconds
        for time, row in [(2.0, MASKED), (2.25, MASKED), (2.5, UNSURE), (2.75, MASKED), (3.0, BARE)]
    ]
    assert held == [0.0, 0.25, 0.25, 0.75, 0.0]


@pytest.mark.parametrize("wrong_time", [0.5, math.nan, math.inf, -math.inf])
def test_a_clock_that_goes_wrong_locks_and_ends_the_run(wrong_time: float) -> None:
    policy = Policy(classes=CLASSES)
    assert doors(policy, (0.0, seen(MASKED)), (0.5, seen(MASKED)), (1.0, seen(MASKED))) == "LLU"
    decision = policy.update(seen(MASKED), wrong_time)
    assert (decision.evidence, decision.door) == (UNKNOWN, Door.LOCKED)
    assert "time" in decision.reason
    assert doors(policy, (1.0, seen(MASKED)), (1.5, seen(MASKED)), (2.0, seen(MASKED))) == "LLU"


def test_after_going_back_nothing_counts_until_the_clock_has_caught_up() -> None:
    policy = Policy(classes=CLASSES)
    policy.update(seen(BARE), 5.0)
    before = [(time / 4, seen(MASKED)) for time in range(20)]
    after = [(5.0 + time / 4, seen(MASKED)) for time in range(5)]
    assert doors(policy, *before, *after) == "L" * 20 + "LLLLU"


@pytest.mark.parametrize("lasts_seconds", [-1.0, math.nan, math.inf])
def test_an_impossible_duration_is_refused(lasts_seconds: float) -> None:
    with pytest.raises(ValueError, match="lasts_seconds"):
        Policy(classes=CLASSES).update(None, 0.0, lasts_seconds=lasts_seconds)
