"""Overrides: what may be asked for, how long it lasts, and the socket on which it is asked."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OF_THE_SERVICE_ALONE

from monitor.cli import main
from monitor.decision import Door
from monitor.errors import MaskgateError, UsageError
from monitor.override import Override
from monitor.override_socket import OverrideSocket, ask


class Desk:
    """An override with a clock that moves as the test says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.noted: list[tuple[str, Door | None]] = []
        self.override = Override(
            "front",
            max_seconds=60.0,
            noted=lambda what, door: self.noted.append((what, door)),
            clock=lambda: self.now,
        )

    def door(self) -> Door | None:
        order = self.override.order()
        return None if order is None else order.door


@pytest.mark.parametrize("action", ["lock", "unlock"])
def test_an_override_ends_by_itself(action: str) -> None:
    desk = Desk()
    assert desk.door() is None
    desk.override.request(action, 10.0, "Ada")
    desk.now = 109.9
    order = desk.override.order()
    assert order is not None
    assert (order.door, order.until, order.reason) == (f"{action}ed", 110.0, f"{action}ed by Ada")
    desk.now = 110.0
    assert desk.door() is None


@pytest.mark.parametrize(
    ("requests", "door"),
    [
        # The later of two is the one that counts,
        ([("unlock", 10.0), ("lock", 10.0)], Door.LOCKED),
        ([("lock", 60.0), ("lock", 1.0)], Door.LOCKED),
        ([("unlock", 10.0), ("unlock", 20.0)], Door.UNLOCKED),
    ],
)
def test_a_later_override_replaces_an_earlier_one(
    requests: list[tuple[str, float]], door: Door
) -> None:
    desk = Desk()
    for action, seconds in requests:
        desk.override.request(action, seconds, "Ada")
    order = desk.override.order()
    assert order is not None
    assert (order.door, order.until) == (door, 100.0 + requests[-1][1])


def test_a_lock_that_lasts_stands_against_an_unlock(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.override.request("lock", 30.0, "Ada")
    desk.now = 110.0
    with pytest.raises(UsageError, match="front: locked by Ada, for another 20 s"):
        desk.override.request("unlock", 5.0, "Ben")
    assert desk.door() is Door.LOCKED
    assert "unlock by Ben for 5 s refused: locked by Ada" in caplog.text
    desk.now = 130.0
    desk.override.request("unlock", 5.0, "Ben")
    assert desk.door() is Door.UNLOCKED


@pytest.mark.parametrize(
    ("action", "seconds", "by"),
    [
        ("open", 5.0, "Ada"),  # no such action
        ("unlock", 0.0, "Ada"),  # no time at all
        ("unlock", 60.1, "Ada"),  # longer than allowed
        ("unlock", math.inf, "Ada"),  # without end
        ("unlock", math.nan, "Ada"),  # no number
        ("unlock", 5.0, ""),  # nobody
        ("unlock", 5.0, " "),
        ("unlock", 5.0, "Ada\nfront: locked by Ben"),  # would forge a line of the log
        ("unlock", 5.0, "A" * 65),
    ],
)
def test_a_wrong_request_changes_nothing(action: str, seconds: float, by: str) -> None:
    desk = Desk()
    with pytest.raises(UsageError, match="override: "):
        desk.override.request(action, seconds, by)
    assert desk.door() is None
    [(what, door)] = desk.noted
    assert "refused" in what
    assert "\n" not in what
    assert door is None


def test_every_order_is_noted_with_what_became_of_it() -> None:
    desk = Desk()
    desk.override.request("unlock", 5.0, "Ada", way="on the live page")
    desk.override.request("lock", 10.0, "Ben")
    with pytest.raises(UsageError):
        desk.override.request("unlock", 5.0, "Cleo", way="on the live page")
    desk.now = 111.0
    assert desk.door() is None
    assert desk.noted == [
        ("unlocked by Ada for 5 s on the live page", Door.UNLOCKED),
        ("unlocked by Ada: replaced", None),
        ("locked by Ben for 10 s", Door.LOCKED),
        ("unlock by Cleo for 5 s on the live page refused: locked by Ben, for another 10 s", None),
        ("locked by Ben: ended", None),
    ]


def test_an_order_whose_end_nobody_saw_is_noted_as_over_at_the_next_one() -> None:
    desk = Desk()
    desk.override.request("lock", 5.0, "Ada")
    desk.now = 200.0
    desk.override.request("unlock", 5.0, "Ben")
    assert [what for what, _ in desk.noted] == [
        "locked by Ada for 5 s",
        "locked by Ada: ended",
        "unlocked by Ben for 5 s",
    ]


def test_who_asked_for_what_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    desk = Desk()
    desk.override.request("unlock", 5.0, "Ada")
    desk.now = 105.0
    desk.override.order()
    assert [record.message for record in caplog.records] == [
        "front: unlocked by Ada for 5 s",
        "front: unlocked by Ada: ended",
    ]


def test_a_door_whose_source_has_ended_is_locked_and_may_be_ordered_so() -> None:
    desk = Desk()
    desk.override.request("unlock", 60.0, "Ada")
    desk.override.ended = lambda: True
    assert desk.door() is None
    with pytest.raises(UsageError, match="front: its source has ended, and it stays locked"):
        desk.override.request("unlock", 5.0, "Ada")
    desk.override.request("lock", 10.0, "Ben")
    assert desk.door() is Door.LOCKED
    assert desk.noted[1] == ("unlocked by Ada: ended", None)


@pytest.mark.parametrize(("action", "door"), [("lock", Door.LOCKED), ("unlock", None)])
def test_a_lock_outlasts_its_door_and_an_unlock_does_not(action: str, door: Door | None) -> None:
    desk = Desk()
    desk.override.request(action, 60.0, "Ada")
    desk.override.leave()
    assert [what for what, _ in desk.noted][1:] == ([] if door else ["unlocked by Ada: ended"])
    # an order that was on its way when the door went
    with pytest.raises(UsageError):
        desk.override.request("unlock", 60.0, "Ada")
    # and the door is back
    desk.override.ended = lambda: False
    assert desk.door() is door


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "override.sock"


@pytest.fixture
def override(path: Path) -> Iterator[Override]:
    override = Override("front", max_seconds=60.0)
    with OverrideSocket(path, {"front": override}):
        yield override


def test_a_command_reaches_the_running_monitor(
    path: Path, override: Override, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "door.yaml"
    config.write_text(f"override: {{socket: {path}}}\n")
    asked = ["override", "front", "unlock", "--seconds", "5", "--by", "Ada"]
    assert main([*asked, "--config", str(config)]) == 0
    assert capsys.readouterr().out == "front: unlocked by Ada for 5 s\n"
    order = override.order()
    assert order is not None
    assert order.door is Door.UNLOCKED
    asked[1] = "back"
    assert main([*asked, "--config", str(config)]) == 2
    assert "door 'back' found, expected front" in capsys.readouterr().err
    config.write_text("window: never\n")
    assert main([*asked, "--config", str(config)]) == 2
    assert "not enabled" in capsys.readouterr().err
    config.write_text("override: {socket: 3}\n")
    assert main([*asked, "--config", str(config)]) == 2
    assert "override.socket: found 3, expected text" in capsys.readouterr().err


def test_an_order_is_given_from_where_the_secrets_of_the_monitor_cannot_be_read(
    path: Path, override: Override, tmp_path: Path
) -> None:
    config = tmp_path / "door.yaml"
    config.write_text(f"override: {{socket: {path}}}\n{OF_THE_SERVICE_ALONE}")
    asked = ["override", "front", "lock", "--seconds", "5", "--by", "Ada"]
    assert main([*asked, "--config", str(config)]) == 0
    assert override.order() is not None


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"unlock\n",
        b"[]\n",
        b'{"door": "front", "action": "unlock", "seconds": 5, "by": "Ada"}\n',
        b'{"door": "front", "action": "unlock", "seconds": true, "by": "Ada", "asked_at": 1.0}\n',
        b'{"door": "front", "action": "unlock", "seconds": NaN, "by": "Ada", "asked_at": 1.0}\n',
        b'{"door": "front", "action": "unlock", "seconds": "5", "by": "Ada", "asked_at": 1.0}\n',
        b"\xff\xfe\n",
        b"[" * 1000 + b"\n",
        b" " * 5000 + b"\n",
    ],
)
@pytest.mark.usefixtures("override")
def test_a_line_that_is_no_request_is_refused_and_the_next_one_heard(
    path: Path, override: Override, line: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10.0)
        client.connect(str(path))
        client.sendall(line)
        with client.makefile("rb") as answers:
            assert "refused" in json.loads(answers.readline())
    assert override.order() is None
    ask(path, door="front", action="lock", seconds=1.0, by="Ada")


@pytest.mark.parametrize("ago_seconds", [2.5, -5.0, math.nan])
@pytest.mark.usefixtures("override")
def test_an_order_that_its_sender_has_given_up_is_not_carried_out(
    path: Path, override: Override, ago_seconds: float
) -> None:
    question = {"door": "front", "action": "unlock", "seconds": 5, "by": "Ada"}
    question["asked_at"] = time.monotonic() - ago_seconds
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10.0)
        client.connect(str(path))
        client.sendall(json.dumps(question).encode() + b"\n")
        with client.makefile("rb") as answers:
            assert json.loads(answers.readline()) == {"refused": "override: asked too long ago"}
    assert override.order() is None


def test_a_client_that_never_ends_its_line_keeps_nobody_from_ordering(
    path: Path, override: Override
) -> None:
    ended = threading.Event()

    def drip(client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not ended.wait(0.1):
                client.sendall(b" ")

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        dripping = threading.Thread(target=drip, args=(client,))
        dripping.start()
        try:
            ask(path, door="front", action="lock", seconds=60.0, by="Ada")
        finally:
            ended.set()
            dripping.join()
    order = override.order()
    assert order is not None
    assert order.door is Door.LOCKED


def test_nobody_else_can_reach_the_socket(path: Path, override: Override) -> None:
    assert path.parent.stat().st_mode & 0o077 == 0
    with pytest.raises(UsageError, match="cannot listen"):
        OverrideSocket(path, {"front": override})


def test_a_folder_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(UsageError, match="open to others found, expected mode 0700"):
        OverrideSocket(tmp_path / "override.sock", {})


def test_a_socket_left_behind_is_replaced_and_without_a_monitor_the_command_fails(
    path: Path,
) -> None:
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(MaskgateError, match="no running monitor answers"):
        ask(path, door="front", action="lock", seconds=1.0, by="Ada")
    with OverrideSocket(path, {"front": Override("front", max_seconds=60.0)}):
        assert ask(path, door="front", action="lock", seconds=1.0, by="Ada").startswith("front:")
    assert not path.exists()
