"""An account of a run, from what the detector said and nothing else: which locks were wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from fault_parts import Call, Seen
from fault_plan import Scene

HOLD_SECONDS = 0.08
GRACE_SECONDS = 0.06
MAX_AGE_SECONDS = 0.15
# what a busy machine may take to wake a thread up; promises are about the program, not about it
SLACK_SECONDS = 0.5


def false_unlocks(calls: Sequence[Call], seen: Sequence[Seen]) -> list[str]:
    """What is wrong with each unlock, given what the detector saw."""
    wrong = []
    latest = 0
    for call in calls:
        lease = call.lease
        if lease is None:
            continue
        taken_at = lease.captured_at or -math.inf
        if not lease.expires_at - taken_at <= GRACE_SECONDS + 1e-6:
            wrong.append(f"unlock {lease.sequence} outlives its picture's grace")
        if call.began_at > lease.expires_at + SLACK_SECONDS:
            wrong.append(f"unlock {lease.sequence} after it had run out")
        if lease.sequence <= latest:
            wrong.append(f"unlock {lease.sequence} again or out of order")
        if call.done:  # what failed may be tried again
            latest = max(latest, lease.sequence)
        held = held_seconds(seen, taken_at)
        if held < HOLD_SECONDS - 1e-6:
            wrong.append(f"unlock {lease.sequence} after {held:.3f} s of masked faces")
    return wrong


def held_seconds(seen: Sequence[Seen], until: float) -> float:
    """For how long nothing but masked faces had been seen when a picture was taken; -1 for never.

    An account of its own, from what the detector said and nothing else.
    """
    start = latest = -math.inf
    for one in seen:
        age_seconds = one.answered_at - one.taken_at
        if one.scene is Scene.BARE:
            latest = -math.inf
        elif one.scene is Scene.MASKED and 0.0 <= age_seconds <= MAX_AGE_SECONDS + SLACK_SECONDS:
            if one.taken_at - latest > GRACE_SECONDS:
                start = one.taken_at
            latest = one.taken_at
        if one.taken_at == until:
            break
    return until - start if latest == until else -1.0


def late_locks(calls: Sequence[Call], seen: Sequence[Seen]) -> list[str]:
    """Which unlocks were not followed by a lock in time."""
    wrong = []
    for call, after in itertools.pairwise(calls):
        if call.lease is None:
            continue
        if after.lease is not None:
            wrong.append(f"unlock {call.lease.sequence} is followed by another")
        bare = [
            s.answered_at for s in seen if s.scene is Scene.BARE and s.answered_at > call.began_at
        ]
        clear = [
            s.taken_at + GRACE_SECONDS
            for s in seen
            if s.scene is Scene.MASKED and s.answered_at <= after.began_at
        ]
        due = min(max(clear, default=call.began_at), *bare[:1], math.inf)
        if after.began_at > max(due, call.ended_at) + SLACK_SECONDS:
            wrong.append(
                f"unlock {call.lease.sequence} is locked {after.began_at - due:.3f} s too late"
            )
    return wrong
