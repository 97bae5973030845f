"""What the live page lists from before it was served."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.audit import Event, Kind, Ledger, read_events
from monitor.cli import main
from monitor.web.changes import KEPT, Change, RecentChanges
from monitor.web.earlier import earlier_changes

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def entry(second: int, kind: Kind, state: str | None, evidence: str | None = None) -> Event:
    at = NOON + timedelta(seconds=second)
    return Event(at, kind, "hall", f"reason {second}", state=state, evidence=evidence)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite3"


def test_changes_of_the_door_and_denials_are_listed_and_nothing_else(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.append(
            [
                entry(0, Kind.START, None),
                entry(1, Kind.DOOR, "locked", "unknown"),
                entry(2, Kind.EVIDENCE, "locked", "clear"),
                entry(3, Kind.DOOR, "unlocked", "clear"),
                entry(4, Kind.ACTUATOR, "unlocked"),
                entry(5, Kind.DOOR, "locked", "violation"),
                entry(6, Kind.EVIDENCE, "locked", "violation"),
                entry(7, Kind.OVERRIDE, "unlocked"),
                entry(8, Kind.DOOR, "unlocked", "violation"),
            ]
        )
    noon = NOON.timestamp()
    assert earlier_changes(path) == [
        Change(1, noon + 1, "hall", "locked", "reason 1", pictured=False),
        Change(2, noon + 3, "hall", "unlocked", "reason 3", pictured=False),
        Change(3, noon + 5, "hall", "denied", "reason 5", pictured=False),
        Change(4, noon + 6, "hall", "denied", "reason 6", pictured=False),
        Change(5, noon + 8, "hall", "unlocked", "reason 8", pictured=False),
    ]


def test_of_many_only_the_latest_are_listed_and_later_ones_go_on_counting(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.append([entry(second, Kind.DOOR, "locked") for second in range(3 * KEPT)])
    earlier = earlier_changes(path)
    assert (len(earlier), earlier[-1].reason) == (KEPT, f"reason {3 * KEPT - 1}")
    changes = RecentChanges(earlier, clock=lambda: 7.0)
    changes.note("hall", "unlocked", "now", lambda: b"picture")
    changes.take_in()
    newest, before = changes.newest(2)
    assert newest == Change(KEPT + 1, 7.0, "hall", "unlocked", "now")
    assert before == earlier[-1]
    assert changes.picture(KEPT + 1) == b"picture"
    assert changes.picture(KEPT) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("20260131-hall.jpg", True, id="as this program names them"),
        pytest.param(None, False, id="an entry without one"),
        pytest.param("", False, id="no name"),
        pytest.param("../audit.sqlite3", False, id="a step up"),
        pytest.param("/etc/passwd", False, id="from the root"),
        pytest.param("more/20260131-hall.jpg", False, id="a step down"),
    ],
)
def test_the_snapshot_of_an_entry_is_shown_from_its_own_folder_alone(
    path: Path, name: str | None, shown: bool
) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.append([replace(entry(0, Kind.DOOR, "locked"), picture=name)])
    [change] = earlier_changes(path, snapshots=True)
    assert change.pictured is shown
    assert change.snapshot == (path.parent / "pictures" / str(name) if shown else None)
    assert RecentChanges([change]).picture(1) == change.snapshot


def test_kept_snapshots_are_not_shown_once_they_are_off(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.append([replace(entry(0, Kind.DOOR, "locked"), picture="20260131-hall.jpg")])
    [change] = earlier_changes(path, snapshots=False)
    assert (change.pictured, change.snapshot) == (False, None)


def of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE other (id)")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda path: None, False, id="no file"),
        pytest.param(lambda path: path.touch(), False, id="nothing in it"),
        pytest.param(lambda path: path.write_bytes(b"damaged" * 999), True, id="damaged"),
        pytest.param(of_another_program, True, id="another program's"),
        pytest.param(lambda path: path.mkdir(), True, id="a folder"),
    ],
)
def test_a_record_that_cannot_be_read_lists_nothing(
    path: Path, make: Callable[[Path], object], said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    make(path)
    assert list(earlier_changes(path)) == []
    assert ("nothing earlier is listed" in caplog.text) is said


def test_a_folder_that_cannot_even_be_looked_into_lists_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # No system has such long names; a folder of another user's gives the same error.
    unreachable = path.parent / ("x" * 300) / path.name
    assert list(earlier_changes(unreachable)) == []
    assert "nothing earlier is listed" in caplog.text
    assert "File name too long" in caplog.text


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize("snapshots", [False, True], ids=["snapshots off", "snapshots on"])
def test_a_run_lists_what_the_audit_tells_of_the_run_before(
    snapshots: bool,
    clip: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = f"audit: {{folder: record, snapshots: {str(snapshots).lower()}}}"
    Path("config.yaml").write_text(f"{kept}\nweb: {{port: 0}}\n")
    arguments = ["run", "--no-window", "--source", str(clip("hall", [("bare", 3)]))]
    assert main(arguments) == 0
    listed: list[dict[str, object]] = []
    pictures: list[bytes] = []

    def look(*_: object) -> None:
        found = re.findall(r"live page: (http://\S+)", capsys.readouterr().err)
        with urllib.request.urlopen(f"{found[-1]}changes", timeout=30) as answer:
            listed.extend(json.load(answer))
        if snapshots:
            with urllib.request.urlopen(f"{found[-1]}changes/1.jpg", timeout=30) as answer:
                pictures.append(answer.read())

    monkeypatch.setattr("monitor.service.Service.ready", look)
    assert main(arguments) == 0
    assert (listed[-1]["number"], listed[-1]["what"], listed[-1]["pictured"]) == (
        1,
        "denied",
        snapshots,
    )
    # As it was kept: with its faces veiled, and nothing drawn on it.
    before = [event.picture for event in read_events(Path("record/audit.sqlite3")) if event.picture]
    assert pictures == [Path("record/pictures", name).read_bytes() for name in before[:1]]
