"""The policy as a state machine: whatever happens in whatever order, its promises hold."""

from __future__ import annotations

import math

from colours import CLASSES
from faces import BARE, MASKED, UNSURE, seen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.decision import Decision, Door, Order
from monitor.detections import Detections
from monitor.evidence import Evidence, FrameRule
from monitor.policy import Policy

# Exact in binary, so that the sums here are those of the policy.
STEPS = st.sampled_from([0.0, 0.125, 0.125, 0.125, 0.25, 0.5, 1.0, 8.0])


class PolicyMachine(RuleBasedStateMachine):
    """A door, and what is remembered of it to say what it must not do."""

    @initialize(
        settle=st.sampled_from([0.0, 0.25]),
        hold=st.sampled_from([0.0, 0.5, 1.0]),
        grace=st.sampled_from([0.25, 0.5]),
        longest=st.sampled_from([0.5, 2.0, math.inf]),
    )
    def install(self, settle: float, hold: float, grace: float, longest: float) -> None:
        self.settle, self.hold, self.grace, self.longest = settle, hold, grace, longest
        self.policy = Policy(
            FrameRule(classes=CLASSES),
            settle_seconds=settle,
            hold_seconds=hold,
            grace_seconds=grace,
            max_unlock_seconds=longest,
        )
        self.time = 0.0
        self.bare_at = -math.inf
        self.clear_at = -math.inf
        self.clear_since: float | None = None
        self.unlocked_at: float | None = None
        self.masked_at = -math.inf
        self.spent = False
        self.latest: Decision | None = None
        self.show(None)

    def show(self, faces: Detections | None, order: Order | None = None) -> Decision:
        before = self.latest
        left = self.time - self.masked_at > self.grace
        # The end of the longest time may pass between two frames.
        over = self.unlocked_at is not None and self.time - self.unlocked_at >= self.longest
        self.spent = (self.spent or over) and not left
        if faces is not None and (faces.scores[:, 0] > 0.5).any():
            self.masked_at = self.time
        decision = self.policy.update(faces, self.time, order=order)
        self.latest = decision
        gap = self.time - self.clear_at > self.grace
        if gap or order or decision.evidence is Evidence.VIOLATION:
            self.clear_since = None
        if decision.evidence is Evidence.CLEAR and not order:
            self.clear_at = self.time
            self.clear_since = self.time if self.clear_since is None else self.clear_since
        if order:
            assert decision.door is order.door
            self.latest = None
            self.unlocked_at = None
            return decision
        # The lease has run out in a longer gap, even if the next frame opens again without a hold.
        was_locked = before is None or before.door is Door.LOCKED or gap
        if decision.door is Door.LOCKED:
            self.unlocked_at = None
            return decision
        assert not self.spent
        if was_locked:
            # It opens for a masked face that is there now, once CLEAR has held.
            assert decision.evidence is Evidence.CLEAR
            assert len(decision.faces) > 0
            self.unlocked_at = self.time
        assert self.clear_since is not None
        assert self.time - self.clear_since >= self.hold
        assert self.time - self.bare_at >= self.hold
        assert self.time - self.clear_at <= self.grace
        return decision

    @rule(step=STEPS, count=st.integers(1, 3))
    def masked(self, step: float, count: int) -> None:
        self.time += step
        self.show(seen(*[MASKED] * count))

    @rule(steps=st.integers(8, 12), count=st.integers(1, 2))
    def masked_for_a_while(self, steps: int, count: int) -> None:
        for _ in range(steps):
            self.masked(0.125, count)

    @rule(step=STEPS)
    def nobody(self, step: float) -> None:
        self.time += step
        assert self.show(seen()).evidence is Evidence.UNKNOWN

    @rule(step=STEPS)
    def unsure(self, step: float) -> None:
        self.time += step
        assert self.show(seen(UNSURE)).evidence is Evidence.UNKNOWN

    @rule(step=STEPS)
    def no_picture(self, step: float) -> None:
        self.time += step
        assert self.show(None).evidence is Evidence.UNKNOWN

    @rule(step=STEPS, masked=st.integers(0, 2))
    def bare(self, step: float, masked: int) -> None:
        self.time += step
        self.bare_at = self.time
        decision = self.show(seen(*[MASKED] * masked, BARE))
        assert (decision.evidence, decision.door) == (Evidence.VIOLATION, Door.LOCKED)

    @rule(back=st.sampled_from([0.125, 1.0, math.nan, math.inf]))
    def wrong_time(self, back: float) -> None:
        decision = self.policy.update(seen(MASKED), self.time - back)
        assert (decision.evidence, decision.door) == (Evidence.UNKNOWN, Door.LOCKED)
        self.clear_since, self.unlocked_at, self.latest = None, None, decision

    @rule(step=STEPS, door=st.sampled_from(Door), row=st.sampled_from([MASKED, BARE]))
    def ordered(self, step: float, door: Door, row: tuple[float, float]) -> None:
        self.time += step
        if row is BARE:
            self.bare_at = self.time
        self.show(seen(row), Order(door, "ordered"))

    @invariant()
    def never_unlocked_for_longer_than_allowed(self) -> None:
        assert self.unlocked_at is None or self.time - self.unlocked_at < self.longest


TestPolicyMachine = PolicyMachine.TestCase
TestPolicyMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
