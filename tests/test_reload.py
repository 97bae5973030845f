"""A configuration that is read again: what changes, what stays, and what is refused."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import pytest
import yaml
from conftest import ColourDetector, picture
from test_cli import _MONITOR, WAIT_SECONDS

from monitor.app.doors import Doors
from monitor.config import load
from monitor.errors import ConfigError
from monitor.web.live_page import LivePage

Write = Callable[..., None]

pytestmark = pytest.mark.usefixtures("colour_model")


@pytest.fixture(autouse=True)
def _elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In a folder with two sources of many pictures, which play one a second."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, "monitor.config")
    for scene in ("masked", "bare"):
        Path(scene).mkdir()
        for number in range(30):
            cv2.imwrite(f"{scene}/{number:02}.png", picture(scene))


def write(*doors: dict[str, Any], **others: Any) -> None:
    Path("config.yaml").write_text(yaml.safe_dump({"doors": list(doors), **others}))


def front(**keys: Any) -> dict[str, Any]:
    return {"name": "front", "source": "masked", **keys}


def back(**keys: Any) -> dict[str, Any]:
    return {"name": "back", "source": "bare", **keys}


def follow(doors: Doors) -> None:
    doors.follow(lambda: load(None))


@pytest.fixture
def doors() -> Iterator[Doors]:
    """Two doors that are being watched."""
    write(front(), back())
    watched = Doors(load(None), ColourDetector())  # type: ignore[arg-type]
    with watched.pipeline:
        yield watched


def test_nothing_is_touched_when_nothing_is_new(
    doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    before = [(line, line.doorkeeper, line.locks) for line in doors.pipeline.lines]
    follow(doors)
    assert [(line, line.doorkeeper, line.locks) for line in doors.pipeline.lines] == before
    assert caplog.messages == ["configuration read again: nothing new"]


def test_what_is_followed_is_told_before_it_is_done() -> None:
    write(front(), back())
    told = []
    watched = Doors(
        load(None),
        ColourDetector(),  # type: ignore[arg-type]
        follows=lambda config, what: told.append((what, len(watched.pipeline.lines))),
    )
    with watched.pipeline:
        follow(watched)
        write(front(policy={"hold_seconds": 2.0}))
        follow(watched)
    assert told == [("back: removed; front: policy", 2)]


def test_nobody_asked() -> None:
    write(front())
    watched = Doors(load(None), ColourDetector())  # type: ignore[arg-type]
    watched.follow(lambda: None)
    assert len(watched.pipeline.lines) == 1


@pytest.mark.parametrize(
    "keys",
    [
        # what decides
        {"policy": {"hold_seconds": 3.0}},
        # where faces count
        {"zones": {"watch": [[[0, 0], [1, 0], [1, 1]]]}},
        # what is told
        {"actuators": [{"kind": "log", "name": "bell"}]},
    ],
)
def test_a_door_gets_another_doorkeeper_while_its_camera_goes_on(
    doors: Doors, caplog: pytest.LogCaptureFixture, keys: dict[str, Any]
) -> None:
    changed, other = doors.pipeline.lines
    capture, keeper, untouched = changed.capture, changed.doorkeeper, other.doorkeeper
    write(front(**keys), back())
    follow(doors)
    assert doors.pipeline.lines == [changed, other]
    assert changed.capture is capture
    assert changed.doorkeeper is not keeper
    assert other.doorkeeper is untouched
    assert caplog.messages[-1] == f"configuration read again: front: {next(iter(keys))}"


def test_what_is_drawn_is_what_may_pass_now() -> None:
    write(front(policy={"allowed": ["mask", "noMask"]}))
    page = LivePage(port=0)
    watched = Doors(
        load(None),
        ColourDetector(),  # type: ignore[arg-type]
        watching=[lambda stack, door, source, overwrite: page.add(door.name, live=False)],
    )
    with page, watched.pipeline:
        results = watched.pipeline.results()
        assert next(found[1].decision.verdicts for found in results if found) == ("allowed",)
        write(front(policy={"allowed": ["noMask"]}))
        follow(watched)
        # A masked face is now denied for a class that was allowed before.
        decisions = (found[1].decision for found in results if found)
        denied = next(decision for decision in decisions if decision.allowed == ("noMask",))
        assert denied.verdicts == ("denied",)
        with urlopen(f"{page.address}picture?door=front", timeout=WAIT_SECONDS) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("keys", [{"source": "bare"}, {"rotate_degrees": 90}, {"mirror": True}])
def test_another_source_restarts_its_own_door_alone(doors: Doors, keys: dict[str, Any]) -> None:
    before, other = doors.pipeline.lines
    write(front(**keys), back())
    follow(doors)
    lines = {line.name: line for line in doors.pipeline.lines}
    assert lines["back"] is other
    assert lines["front"] is not before


def test_doors_come_and_go(
    doors: Doors, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    write(front(), {"name": "side", "source": "bare"})
    follow(doors)
    assert sorted(line.name for line in doors.pipeline.lines) == ["front", "side"]
    assert capsys.readouterr().out.startswith("back: ")
    assert caplog.messages[-1] == "configuration read again: back: removed; side: added"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        # no YAML
        ("doors: [", "line 1"),
        # a value out of range
        ("doors: [{name: front, policy: {min_faces: 0}}]", "min_faces"),
        # what needs a restart of the program
        ("doors: [{name: front, source: bare}]\nwindow: never", "window: a change found"),
        # a class that the model does not know
        ("doors: [{name: front, source: bare, policy: {allowed: [hat]}}]", "hat"),
        # a source that is not there
        ("doors: [{name: front, source: nowhere.mp4}]", "nowhere.mp4"),
    ],
)
def test_what_cannot_be_used_is_refused_as_a_whole(
    doors: Doors, caplog: pytest.LogCaptureFixture, content: str, reason: str
) -> None:
    before = [(line, line.doorkeeper, line.locks) for line in doors.pipeline.lines]
    Path("config.yaml").write_text(content)
    follow(doors)
    assert [(line, line.doorkeeper, line.locks) for line in doors.pipeline.lines] == before
    [message] = caplog.messages
    assert message.startswith("configuration refused: ")
    assert reason in message


@pytest.mark.parametrize("keys", [{}, {"source": "bare"}])
def test_an_actuator_that_is_not_to_be_had_leaves_the_door_as_it_was(
    doors: Doors,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    keys: dict[str, Any],
) -> None:
    from monitor import parts

    make = parts.make

    def picky(section: Any, **options: Any) -> Any:
        if section.name == "bell":
            raise ConfigError("bell: no such pin")
        return make(section, **options)

    monkeypatch.setattr(parts, "make", picky)
    write(front(actuators=[{"kind": "log", "name": "bell"}], **keys), back())
    follow(doors)
    assert caplog.messages[-1] == "configuration refused: bell: no such pin"
    lines = {line.name: line for line in doors.pipeline.lines}
    assert sorted(lines) == ["back", "front"]
    assert len(lines["front"].locks) == 1
    # and a good one is followed again
    write(front(policy={"hold_seconds": 2.0}), back())
    follow(doors)
    assert caplog.messages[-1] == "configuration read again: front: policy"


def test_a_running_process_reads_its_file_again_on_sighup() -> None:
    write(front(), window="never")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", _MONITOR, "run"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stderr is not None
    said = iter(process.stderr)
    assert any("locked" in line for line in said)
    Path("config.yaml").write_text("doors: 3")
    process.send_signal(signal.SIGHUP)
    assert any("configuration refused: config.yaml: doors" in line for line in said)
    write(front(policy={"hold_seconds": 0.0}), window="never")
    process.send_signal(signal.SIGHUP)
    assert any("configuration read again: front: policy" in line for line in said)
    assert any("unlocked" in line for line in said)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
