"""The policy's promises, held over random histories of frames and against an independent oracle."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.decision import Decision, Door
from monitor.detections import Detections
from monitor.evidence import Evidence, FrameRule
from monitor.policy import Policy

# A busy machine is no counterexample.
unhurried = settings(deadline=None)

CLASSES = ("mask", "noMask")
CLEAR, VIOLATION, UNKNOWN = Evidence.CLEAR, Evidence.VIOLATION, Evidence.UNKNOWN


@dataclass(frozen=True)
class Moment:
    """One update as the oracle sees it."""

    time: float
    evidence: Evidence
    lasts_seconds: float


def seen(*rows: tuple[float, float]) -> Detections:
    """Large faces with the given (mask, noMask) scores."""
    boxes = np.tile(np.array([0, 0, 50, 50], np.float32), (len(rows), 1))
    return Detections(boxes, np.array(rows, np.float32).reshape(len(rows), 2), CLASSES)


# What is seen, what is wrong with the picture, and what that comes to.
SIGHTS = {
    "masked": (seen((0.9, 0.05)), None, CLEAR),
    "nobody": (seen(), None, UNKNOWN),
    "unsure": (seen((0.9, 0.05), (0.4, 0.1)), None, UNKNOWN),
    "no picture": (None, "silent", UNKNOWN),
    "stale": (seen((0.9, 0.05)), "old", UNKNOWN),
    "bare": (seen((0.1, 0.8), (0.9, 0.05)), None, VIOLATION),
    "stale and bare": (seen((0.1, 0.8), (0.9, 0.05)), "old", VIOLATION),
}
MOSTLY_MASKED = ["masked"] * 8 + list(SIGHTS)
STEPS_SECONDS = [0.0, 0.1, 0.125, 0.25, 0.25, 0.25, 0.5, 0.625, 1.0, 10.0]
STEPS = st.sampled_from(STEPS_SECONDS) | st.floats(0.0, 1.0)


@dataclass(frozen=True)
class History:
    """A policy's settings and everything that was put in and came out."""

    hold_seconds: float
    grace_seconds: float
    moments: list[Moment]
    decisions: list[Decision]


@st.composite
def histories(draw: st.DrawFn, steps: st.SearchStrategy[float] = STEPS) -> History:
    """Random frames, CLEAR more often than not so that doors do open, put through a policy."""
    hold = draw(st.sampled_from([0.0, 0.5, 1.0, 1.3]))
    grace = draw(st.sampled_from([0.0, 0.25, 0.5]))
    # below 0: taken before what was decided last
    lasts_all = draw(st.sampled_from([[0.0], [1.0], [0.0, 0.25, 1.0], [0.0, 0.0, -0.125]]))
    policy = Policy(FrameRule(classes=CLASSES), hold_seconds=hold, grace_seconds=grace)
    moments, decisions, time = [], [], draw(st.sampled_from([0.0, 3.7, 1e6]))
    frame = st.tuples(steps, st.sampled_from(MOSTLY_MASKED), st.sampled_from(lasts_all))
    for step, name, lasts in draw(st.lists(frame, min_size=1, max_size=30)):
        time = time + step if math.isfinite(step) else time
        told = time if math.isfinite(step) else step
        faces, fault, evidence = SIGHTS[name]
        moments.append(Moment(told, evidence, lasts))
        decisions.append(policy.update(faces, told, lasts_seconds=lasts, fault=fault))
    return History(hold, grace, moments, decisions)


def oracle(history: History, now: int) -> Door:
    """The door after update `now`, said over the whole history instead of step by step.

    Unlocked iff at some CLEAR update the evidence until then reaches at least the hold time beyond
    another CLEAR one, and since that first one every update had a right time, was no violation, and
    came at most the grace time after the end of the CLEAR evidence before it.
    """
    moments = history.moments[: now + 1]

    def unbroken(first: int, update: int) -> bool:
        here = moments[update]
        earlier = [at.time for at in moments[:update] if math.isfinite(at.time)]
        right = math.isfinite(here.time) and here.time >= max(earlier, default=-math.inf)
        ends = [at.time + at.lasts_seconds for at in moments[first:update] if at.evidence is CLEAR]
        return (
            right
            and here.evidence is not VIOLATION
            and (update == first or here.time - max(ends) <= history.grace_seconds)
        )

    clear = [index for index, at in enumerate(moments) if at.evidence is CLEAR]
    for first in clear:
        if all(unbroken(first, update) for update in range(first, now + 1)):
            run = [moments[k] for k in clear if k >= first]
            ends = itertools.accumulate((at.time + at.lasts_seconds for at in run), max)
            held = max(
                min(at.time, until) - run[0].time for at, until in zip(run, ends, strict=True)
            )
            if max(held, 0.0) >= history.hold_seconds:
                return Door.UNLOCKED
    return Door.LOCKED


WRONG_STEPS = STEPS | st.sampled_from([-0.125, -1.0, math.nan, math.inf])


@unhurried
@given(histories(WRONG_STEPS))
def test_the_policy_agrees_with_an_oracle_over_the_whole_history(history: History) -> None:
    found = [decision.door for decision in history.decisions]
    assert found == [oracle(history, now) for now in range(len(found))]


@unhurried
@given(histories())
def test_never_unlocked_with_a_violation_inside_the_hold_time(history: History) -> None:
    for now, decision in enumerate(history.decisions):
        if decision.door is Door.UNLOCKED:
            window = [
                at
                for at in history.moments[: now + 1]
                if decision.time - at.time < history.hold_seconds
            ]
            assert all(at.evidence is not VIOLATION for at in window)


@unhurried
@given(histories(WRONG_STEPS))
def test_becomes_unlocked_only_at_a_clear_frame_with_a_face(history: History) -> None:
    before = Door.LOCKED
    for decision in history.decisions:
        if before is Door.LOCKED and decision.door is Door.UNLOCKED:
            assert decision.evidence is CLEAR
            assert len(decision.faces) > 0
        before = decision.door


@unhurried
@given(histories(WRONG_STEPS))
def test_locked_at_the_update_of_a_violation(history: History) -> None:
    for at, decision in zip(history.moments, history.decisions, strict=True):
        if at.evidence is VIOLATION:
            assert decision.door is Door.LOCKED


@unhurried
@given(histories())
def test_locked_at_the_first_update_more_than_the_grace_time_after_the_last_clear(
    history: History,
) -> None:
    ends = -math.inf
    for at, decision in zip(history.moments, history.decisions, strict=True):
        if at.evidence is CLEAR:
            ends = max(ends, at.time + at.lasts_seconds)
        elif at.time - ends > history.grace_seconds:
            assert decision.door is Door.LOCKED


@unhurried
@given(histories())
def test_never_unlocked_in_the_first_hold_time(history: History) -> None:
    for decision in history.decisions:
        if decision.time - history.moments[0].time < history.hold_seconds:
            assert decision.door is Door.LOCKED


@unhurried
@given(histories(WRONG_STEPS))
def test_locked_whenever_the_time_goes_back_or_is_not_finite(history: History) -> None:
    latest = -math.inf
    for decision in history.decisions:
        if decision.time >= latest and math.isfinite(decision.time):
            latest = decision.time
        else:
            assert (decision.door, decision.evidence) == (Door.LOCKED, UNKNOWN)
