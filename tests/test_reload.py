"""A configuration that is read again: what changes, what stays, and what is refused."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cv2
import pytest
import yaml
from colours import ColourDetector, picture
from test_cli import _MONITOR, WAIT_SECONDS

from monitor.actuators.worker import Worker
from monitor.app.doors import Doors
from monitor.app.run import _made, _shown, run
from monitor.config import Config, load
from monitor.errors import ActuatorError, UsageError
from monitor.override_socket import ask
from monitor.web.live_page import LivePage
from monitor.zones_file import add_ignored

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


POSTER = [(0.12345678, 0.2), (0.5, 0.2), (0.5, 0.9)]


def test_zones_that_were_drawn_anew_count_from_the_next_frame(
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(front(zones_file="zones.json"), back())
    with watched() as doors:
        changed, other = doors.pipeline.lines
        capture, untouched = changed.capture, other.doorkeeper
        add_ignored(Path("zones.json"), POSTER)
        follow(doors)
        assert len(changed.doorkeeper.zones.ignore) == 1
        assert changed.capture is capture
        assert other.doorkeeper is untouched
        follow(doors)
    assert caplog.messages == [
        "configuration read again: front: zones_file",
        "configuration read again: nothing new",
    ]


def test_a_zone_that_was_drawn_in_the_window_is_nothing_new(
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(front(zones_file="zones.json", zones={"ignore": [[[0, 0], [1, 0], [0, 1]]]}))
    with watched() as doors:
        [line] = doors.pipeline.lines
        [pane] = doors.panes
        assert pane.keep_zone is not None
        pane.keep_zone(POSTER)
        assert len(line.doorkeeper.zones.ignore) == 2
        follow(doors)
    assert caplog.messages == ["configuration read again: nothing new"]


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


def test_an_actuator_that_was_taken_away_is_no_longer_told_of() -> None:
    write(front(actuators=[{"kind": "log", "name": "strike"}]))
    page = LivePage(port=0)
    watched = Doors(
        load(None),
        ColourDetector(),  # type: ignore[arg-type]
        watching=[partial(_shown, page)],
        made=partial(_made, page, {}),
    )

    def told(path: str) -> str:
        # Whatever its status: a door may not be ready yet.
        connection = HTTPConnection(page.address.split("/")[2], timeout=WAIT_SECONDS)
        with closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    with page, watched.pipeline:
        results = watched.pipeline.results()
        while "strike" not in told("/healthz"):
            next(results)
        write(front(actuators=[{"kind": "log", "name": "bell"}]))
        follow(watched)
        while "bell" not in told("/healthz"):
            next(results)
        assert "strike" not in told("/healthz")
        states = [line for line in told("/metrics").splitlines() if "actuator_state{" in line]
        assert states
        assert not [line for line in states if "strike" in line]


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


def test_a_door_that_is_gone_and_could_not_be_locked_is_said_and_counted_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strike = {"kind": "command", "name": "strike", "lock": ["test", "!", "-e", "stuck"]}
    write(front(), back(actuators=[strike | {"unlock": ["true"]}]))

    def change(doors: Doors) -> None:
        states(doors)
        Path("stuck").touch()
        write(front(policy={"hold_seconds": 2.0}))
        follow(doors)
        # and nobody tries again
        follow(doors)

    doors = watched()
    with pytest.raises(ActuatorError, match="back: an actuator could not be locked"), doors:
        change(doors)
    assert caplog.messages[-2:] == [
        "configuration read again, with failures: "
        "back: removed, but could not be locked; front: policy",
        "configuration read again: nothing new",
    ]


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
        # a file that was not written to its end
        ("window: auto", "doors: nothing found, expected a list of them as before"),
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


def test_without_doors_before_and_after_the_built_in_one_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Path("config.yaml").write_text("window: auto")
    doors = Doors(load(None), ColourDetector())  # type: ignore[arg-type]
    with doors.pipeline:
        for _ in range(2):
            follow(doors)
    assert caplog.messages == ["configuration read again: nothing new"] * 2


PIN = {"kind": "gpio", "name": "relay", "pin": 17}
# certificates that are not there
HOOK = {"kind": "webhook", "name": "hook", "url": "https://localhost", "ca_file": "none.pem"}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An actuator that its section alone does not show to be wrong."""
    monkeypatch.setenv("DOOR_SECRET", "key of the signature")
    return HOOK | {"secret_env": "DOOR_SECRET"}


@pytest.fixture
def board() -> Iterator[Any]:
    """A board of pins, each of which may be held only once."""
    gpiozero = pytest.importorskip("gpiozero", reason="gpiozero is not installed")
    from gpiozero.pins.mock import MockFactory

    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.close()
    gpiozero.Device.pin_factory = before


def watched(**others: Any) -> Doors:
    """The configured doors, whose actuators are driven by recorded sources, too."""
    return Doors(load(None), ColourDetector(), actuate=True, **others)  # type: ignore[arg-type]


def states(doors: Doors) -> dict[str, list[str]]:
    """How the actuators of each door are, once each of them says so."""
    found: dict[str, list[str]] = {}
    for line in doors.pipeline.lines:
        workers = [lock for lock in line.locks if isinstance(lock, Worker)]
        deadline = time.monotonic() + WAIT_SECONDS
        while any(worker.state == "unknown" for worker in workers):
            assert time.monotonic() < deadline, line.name
            threading.Event().wait(0.01)
        found[line.name] = [worker.state for worker in workers]
    return found


@pytest.mark.parametrize("keys", [{}, {"source": "bare"}])
def test_an_actuator_that_is_not_to_be_had_leaves_its_door_as_it_was(
    board: Any, hook: dict[str, Any], caplog: pytest.LogCaptureFixture, keys: dict[str, Any]
) -> None:
    write(front(actuators=[PIN]), back())
    with watched() as doors:
        write(front(actuators=[PIN, hook], **keys), back())
        follow(doors)
        [refused] = caplog.messages
        assert refused.startswith("configuration read again, with failures: front: as before: ")
        assert "none.pem" in refused
        assert states(doors) == {"front": ["locked"], "back": ["locked"]}
        # and a good one is followed again
        write(front(actuators=[PIN], policy={"hold_seconds": 2.0}), back())
        follow(doors)
        assert caplog.messages[-1] == "configuration read again: front: policy"
        assert states(doors) == {"front": ["locked"], "back": ["locked"]}


@pytest.mark.parametrize("keys", [{}, {"source": "bare"}])
def test_a_door_that_cannot_be_as_before_either_ends_locked_until_it_is_read_again(
    board: Any, hook: dict[str, Any], caplog: pytest.LogCaptureFixture, keys: dict[str, Any]
) -> None:
    write(front(actuators=[PIN]), back())
    with watched() as doors:
        # the other door takes the pin before it is needed again
        write(back(actuators=[PIN]), front(actuators=[hook], **keys))
        follow(doors)
        message = caplog.messages[-1]
        assert "back: actuators; front: told to lock, and out of action: " in message
        # first what was wrong, then what kept the door from going on
        assert 0 < message.index("none.pem") < message.index("pin 17")
        assert states(doors) == {"back": ["locked"]}
        assert len(doors.panes) == 1
        write(front(actuators=[PIN]), back())
        follow(doors)
        assert caplog.messages[-1] == "configuration read again: back: actuators; front: added"
        assert states(doors) == {"front": ["locked"], "back": ["locked"]}
        assert len(doors.panes) == 2


def test_two_doors_may_change_their_pins_with_each_other(
    board: Any, caplog: pytest.LogCaptureFixture
) -> None:
    other = PIN | {"pin": 18}
    write(front(actuators=[PIN]), back(actuators=[other]))
    with watched() as doors:
        write(front(actuators=[other]), back(actuators=[PIN]))
        follow(doors)
        assert caplog.messages == ["configuration read again: front: actuators; back: actuators"]
        assert states(doors) == {"front": ["locked"], "back": ["locked"]}


def test_what_became_of_each_door_is_said_and_what_is_in_force_is_told(
    hook: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[Config, str]] = []
    write(front(), back(), {"name": "side", "source": "bare"})
    with watched(follows=lambda config, what: told.append((config, what))) as doors:
        hold = {"policy": {"hold_seconds": 2.0}}
        lost = {"name": "gate", "source": "bare", "actuators": [hook]}
        write(front(**hold), back(actuators=[hook], **hold), lost)
        follow(doors)
        assert sorted(line.name for line in doors.pipeline.lines) == ["back", "front"]
    [(wanted, before), (in_force, after)] = told
    assert before == "side: removed; front: policy; back: actuators, policy; gate: added"
    assert wanted == load(None)
    assert caplog.messages == [f"configuration read again, with failures: {after}"]
    removed, changed, kept, absent = after.split("; ")
    assert (removed, changed) == ("side: removed", "front: policy")
    assert kept.startswith("back: as before: actuator hook: ca_file: none.pem")
    assert absent.startswith(
        "gate: told to lock, and out of action: actuator hook: ca_file: none.pem"
    )
    write(front(**hold), back())
    assert in_force == load(None)


@pytest.mark.parametrize("key", ["mirror", "policy"])
def test_recorded_doors_beside_others_never_let_them_wait(
    doors: Doors, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    changed = {"mirror": True, "policy": {"hold_seconds": 2.0}}[key]
    write(front(**{key: changed}), back(), {"name": "side", "source": "bare"})
    follow(doors)
    assert [line.overwrite for line in doors.pipeline.lines] == [True, True, True]
    assert caplog.messages == [f"configuration read again: front: {key}; side: added"]


def test_a_clip_that_played_alone_begins_anew_when_others_join(
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(front())
    with watched() as doors:
        assert [line.overwrite for line in doors.pipeline.lines] == [False]
        write(front(), back())
        follow(doors)
        assert [line.overwrite for line in doors.pipeline.lines] == [True, True]
    assert caplog.messages == ["configuration read again: front: no longer alone; back: added"]


def test_a_door_begins_anew_after_the_clip_of_the_only_other_one_has_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Path("short").mkdir()
    cv2.imwrite("short/0.png", picture("bare"))
    write(front(), back(source="short"))
    with watched() as doors:
        results = doors.pipeline.results()
        next(found for found in results if found and "has ended" in found[1].decision.reason)
        write(front(mirror=True), back(source="short"))
        follow(doors)
        assert next(found for found in results if found)[0].name == "front"
    assert caplog.messages == ["configuration read again: front: mirror"]


def test_a_configuration_that_comes_after_the_end_of_the_run_changes_nothing() -> None:
    Path("short").mkdir()
    cv2.imwrite("short/0.png", picture("bare"))
    write(front(source="short"))
    with watched() as doors:
        assert len([found for found in doors.pipeline.results() if found]) == 1
        write(front(source="short", mirror=True))
        follow(doors)
        assert list(doors.pipeline.results()) == []


ORDERED: dict[str, Any] = {
    "override": {"socket": "run/override.sock"},
    "web": {"serve": "never"},
    "window": "never",
}
order = partial(ask, Path("run/override.sock"), door="back", seconds=60.0, by="Ada")


def follow_steps(steps: Iterator[Config | None], **keys: Any) -> None:
    """Run two doors that take orders, the back one with these keys, until the steps end it."""
    write(front(), back(**keys), **ORDERED)
    with pytest.raises(KeyboardInterrupt):
        run(load(None), check_interrupt=lambda: None, newer=partial(next, steps))


def test_a_door_that_is_gone_takes_no_orders_and_keeps_a_lock_that_it_had() -> None:
    def steps() -> Iterator[Config]:
        assert order(action="lock") == "back: locked by Ada for 60 s"
        write(front(), **ORDERED)
        yield load(None)
        with pytest.raises(UsageError, match="door 'back' found, expected front"):
            order(action="lock")
        write(front(), back(), **ORDERED)
        yield load(None)
        with pytest.raises(UsageError, match="back: locked by Ada, for another"):
            order(action="unlock")
        raise KeyboardInterrupt

    follow_steps(steps())


def test_an_unlock_by_hand_does_not_open_a_door_that_was_gone_meanwhile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def steps() -> Iterator[Config]:
        order(action="unlock")
        write(front(), **ORDERED)
        yield load(None)
        assert "back: unlocked by Ada: ended" in caplog.messages
        write(front(), back(), **ORDERED)
        yield load(None)
        order(action="lock")
        assert "back: unlocked by Ada: replaced" not in caplog.messages
        order(action="lock")
        assert "back: locked by Ada: replaced" in caplog.messages
        raise KeyboardInterrupt

    follow_steps(steps())


def test_an_unlock_by_hand_lasts_at_a_door_that_begins_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def steps() -> Iterator[Config]:
        order(action="unlock")
        write(front(), back(mirror=True), **ORDERED)
        yield load(None)
        order(action="lock")
        assert "back: unlocked by Ada: replaced" in caplog.messages
        raise KeyboardInterrupt

    follow_steps(steps())


def test_a_door_whose_source_has_ended_takes_no_unlock_but_a_lock(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def steps() -> Iterator[None]:
        order(action="unlock")
        while "back: unlocked by Ada: ended" not in caplog.messages:
            yield None
        with pytest.raises(UsageError, match="back: its source has ended, and it stays locked"):
            order(action="unlock")
        assert order(action="lock") == "back: locked by Ada for 60 s"
        raise KeyboardInterrupt

    follow_steps(steps(), source="bare/00.png")


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """`monitor run` in this folder, whose door is locked by now."""
    write(front(), window="never")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", _MONITOR, "run"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stderr is not None
        assert any("locked" in line for line in process.stderr)
        yield process
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=WAIT_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 128 + signal.SIGTERM


def test_a_running_process_reads_its_file_again_on_sighup(process: subprocess.Popen[str]) -> None:
    said = iter(process.stderr or ())
    Path("config.yaml").write_text("doors: 3")
    process.send_signal(signal.SIGHUP)
    assert any("configuration refused: config.yaml: doors" in line for line in said)
    write(front(policy={"hold_seconds": 0.0}), window="never")
    process.send_signal(signal.SIGHUP)
    assert any("configuration read again: front: policy" in line for line in said)
    assert any("unlocked" in line for line in said)


def test_a_file_that_is_away_for_a_moment_does_not_bring_the_built_in_door(
    process: subprocess.Popen[str],
) -> None:
    said = iter(process.stderr or ())
    Path("config.yaml").unlink()
    process.send_signal(signal.SIGHUP)
    told = next(line for line in said if "configuration" in line)
    assert "configuration refused: config.yaml: No such file" in told
