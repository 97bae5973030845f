"""Who is turned away is shown once, never too often, and a failure is only said."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from fake_lock import PATIENCE_SECONDS, FakeClock, FakeLock, locking, unlocking

from monitor.actuators.deny import Denier
from monitor.actuators.lease import Lease


def watched(actuator: FakeLock, steps: Sequence[tuple[float, Lease, int]]) -> None:
    """Let a denier see leases, each at a second, and wait until as many calls as said have come."""
    clock = FakeClock()
    denier = Denier(actuator, pause_seconds=3.0, clock=clock)
    denier.start()
    for clock.now, lease, count in steps:
        denier.see(lease)
        actuator.wait(lambda calls, count=count: len(calls) >= count)
    denier.end()
    for thread in threading.enumerate():
        if thread.name == "deny fake":
            thread.join(PATIENCE_SECONDS)


def bare(reason: str = "bare") -> Lease:
    return locking(denies=True, reason=reason)


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        # second, lease, calls by then
        pytest.param([(0, unlocking(1), 0), (1, locking(), 0)], [], id="nobody is denied"),
        pytest.param([(0, bare(), 1), (1, bare(), 1), (99, bare(), 1)], ["bare"], id="it goes on"),
        pytest.param(
            [(0, bare("one"), 1), (1, locking(), 1), (5, bare("two"), 2)],
            ["one", "two"],
            id="again after a while",
        ),
        pytest.param(
            [(0, bare("one"), 1), (1, locking(), 1), (2, bare("two"), 1), (5, bare("two"), 1)],
            ["one"],
            id="flicker within the pause",
        ),
    ],
)
def test_it_is_shown_when_a_denial_begins_but_not_too_often(
    steps: list[tuple[float, Lease, int]], shown: list[str]
) -> None:
    actuator = FakeLock()
    watched(actuator, steps)
    assert actuator.reasons == shown


def test_a_failure_is_said_and_the_next_denial_is_shown_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    actuator = FakeLock(failing=("deny",))
    watched(actuator, [(0, bare("one"), 1), (1, locking(), 1), (9, bare("two"), 2)])
    assert actuator.reasons == ["one", "two"]
    assert caplog.messages == ["fake: deny: jammed"] * 2
