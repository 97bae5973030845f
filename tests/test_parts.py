"""How the parts of a door are put together."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from colours import ColourDetector
from conftest import FrameSource
from fake_lock import FakeLock, unlocking

from monitor import locks
from monitor.actuators.sections import LogSection
from monitor.door_section import DoorSection, PolicySection
from monitor.errors import ConfigError
from monitor.locks import make_worker
from monitor.parts import make_keeping

PATIENCE_SECONDS = 10.0


@pytest.mark.parametrize(
    ("zones", "complaint"),
    [
        # an actuator after one that holds a pin
        ("{}", "no certificates.pem"),
        # what decides, after all of them
        ("zones: nowhere", "zones.yaml"),
    ],
)
def test_of_a_door_that_cannot_be_made_no_actuator_is_held_on_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zones: str, complaint: str
) -> None:
    held: list[FakeLock] = []

    def holding(section: LogSection, *, door_name: str) -> FakeLock:
        if zones == "{}" and held:
            raise ConfigError(complaint)
        held.append(FakeLock())
        return held[-1]

    monkeypatch.setattr(locks, "make", holding)
    file = tmp_path / "zones.yaml"
    file.write_text(zones)
    door = DoorSection(
        name="front",
        zones_file=str(file),
        actuators=(LogSection(name="one"), LogSection(name="another")),
    )
    source, detector = FrameSource(live=True), ColourDetector()
    with pytest.raises(ConfigError, match=complaint):
        make_keeping(door, source, detector, actuate=True, overwrite=True)  # type: ignore[arg-type]
    assert held
    assert [actuator.calls for actuator in held] == [["close"]] * len(held)


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
