"""The account of a run of faults finds a false unlock, and accuses no other."""

from __future__ import annotations

import threading

import pytest
from fault_account import GRACE_SECONDS, false_unlocks
from fault_parts import Call, Camera, Detector, Seen
from fault_plan import CameraFault, Scene, Shot

from monitor.actuators.lease import Lease
from monitor.frame import Frame

BARE, MASKED = Scene.BARE, Scene.MASKED
STEP_SECONDS = 0.01
NEVER = "after -1.000 s of masked faces"


def unlock(taken_at: float) -> Call:
    lease = Lease(
        unlocked=True,
        reason="",
        sequence=1,
        captured_at=taken_at,
        expires_at=taken_at + GRACE_SECONDS,
    )
    return Call(taken_at, taken_at, lease)


@pytest.mark.parametrize(
    ("scenes", "complaint"),
    [
        # One letter a picture, 10 ms apart: m masked, b bare, p bare with the clock jumped back,
        # ? nothing to conclude. The last one unlocks.
        ("mmmmmmmmm", None),
        ("bmm??mmmmmm", None),
        ("bmmmmmmmm", "after 0.070 s of masked faces"),
        ("mmmmmmmmbm", "after 0.000 s of masked faces"),
        ("mmmmmmmmpm", "after 0.000 s of masked faces"),
        # A gap shorter than the grace, and a longer one.
        ("mmmm????m", None),
        ("mmm??????m", "after 0.000 s of masked faces"),
        ("mmmmmmmm?", NEVER),
        ("mmmmmmmmb", NEVER),
    ],
)
def test_an_unlock_needs_masked_faces_for_as_long_as_the_hold(
    scenes: str, complaint: str | None
) -> None:
    seen = []
    for index, letter in enumerate(scenes):
        taken_at = answered_at = 100.0 + index * STEP_SECONDS
        if letter == "p":
            taken_at -= 5.0
        scene = {"m": MASKED, "b": BARE, "p": BARE}.get(letter)
        seen.append(Seen(taken_at, answered_at, scene))
    found = false_unlocks([unlock(answered_at)], seen)
    assert found == ([] if complaint is None else [f"unlock 1 {complaint}"])


@pytest.fixture
def frozen() -> tuple[Detector, list[Frame]]:
    """A detector, and a picture with a wrong time that is shown twice more with the right one."""
    faults = (CameraFault.PAST, CameraFault.FROZEN, CameraFault.FROZEN)
    shots = [Shot(MASKED, 0.0, fault, None) for fault in faults]
    camera = Camera("door", 0, shots, threading.Event())
    return Detector([camera]), list(camera.frames())


def test_a_repeated_picture_counts_by_the_showing_that_was_looked_at(
    frozen: tuple[Detector, list[Frame]],
) -> None:
    detector, (_, _, last) = frozen
    detector(last.image)
    assert [(one.taken_at, one.scene) for one in detector.seen[0]] == [(last.time, MASKED)]


def test_a_picture_that_was_looked_at_before_proves_nothing(
    frozen: tuple[Detector, list[Frame]],
) -> None:
    detector, frames = frozen
    answers = [detector(frame.image) for frame in frames]
    # whoever looks again is told the same, and has to know by himself
    assert [len(answer) for answer in answers] == [1, 1, 1]
    assert [one.scene for one in detector.seen[0]] == [MASKED, None, None]
