"""How the parts of a door are put together."""

from __future__ import annotations

import time

import pytest
from fake_lock import unlocking

from monitor.actuators.sections import LogSection
from monitor.door_section import DoorSection, PolicySection
from monitor.parts import make_worker

PATIENCE_SECONDS = 10.0


@pytest.mark.parametrize(
    ("live", "said"),
    [
        # A recorded picture has no age.
        (True, "log: unlock 1 refused: its picture is 3.0 s old, expected 0.7 at most"),
        (False, "log: unlocked after"),
    ],
)
def test_only_a_live_picture_can_be_too_old_for_an_actuator(
    live: bool, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "monitor.door")
    door = DoorSection(name="front", policy=PolicySection(max_age_seconds=0.7))
    worker = make_worker(door, LogSection(), live=live, overwrite=False)
    worker.start()
    worker.apply(unlocking(1, captured_at=time.monotonic() - 3.0))
    worker.close(PATIENCE_SECONDS)
    assert any(said in message for message in caplog.messages)
