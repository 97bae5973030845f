"""The trail: it records what it can, and never stops what it watches."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.audit import Event, Kind, Ledger, Trail, read_events
from monitor.audit.ledger import FILE
from monitor.errors import ConfigError

WAIT_SECONDS = 60.0
TEXT = "x" * 1000

# Fills a disk that ends at argv[2] bytes a file, makes room, and says what was raised and logged.
_FULL_DISK = """
import json, logging, resource, sys, threading
from pathlib import Path
from monitor.audit import Kind, Trail

said, failed = [], threading.Event()

class Book(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
        failed.set()

logging.getLogger("monitor.audit").addHandler(Book())
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
with Trail(Path(sys.argv[1]), first_retry_seconds=0.01) as trail:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), unlimited[1]))
    noted = 0
    while not failed.wait(0.001):
        trail.note(Kind.DOOR, "hall", str(noted).ljust(1000))
        noted += 1
    for _ in range(20):
        trail.note(Kind.DOOR, "hall", str(noted).ljust(1000))
        noted += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
print(json.dumps({"noted": noted, "lost": trail.lost, "said": said}))
"""


class Said(logging.Handler):
    """What the audit logs; `failed` is set by the first error."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.failed = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if record.levelno >= logging.ERROR:
            self.failed.set()


@pytest.fixture
def said() -> Iterator[Said]:
    handler = Said()
    log = logging.getLogger("monitor.audit")
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


def rows(folder: Path) -> list[tuple[str, str]]:
    return [(str(event.kind), event.reason) for event in read_events(folder / "audit.sqlite3")]


def test_entries_of_many_threads_are_all_written(tmp_path: Path) -> None:
    with Trail(tmp_path / "new" / "folder", model_sha256="m", config_sha256="c") as trail:
        threads = [
            threading.Thread(
                target=lambda name=name: [  # type: ignore[misc]
                    trail.note(Kind.DOOR, name, str(n)) for n in range(100)
                ]
            )
            for name in ("hall", "gate")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_SECONDS)
    events = list(read_events(trail.path))
    assert (trail.recorded, trail.lost, len(events)) == (200, 0, 200)
    for name in ("hall", "gate"):
        of_one = [event.reason for event in events if event.door == name]
        assert of_one == [str(n) for n in range(100)]
    assert {(event.model_sha256, event.config_sha256) for event in events} == {("m", "c")}


def test_a_reload_is_noted_and_its_hash_stands_in_what_follows(tmp_path: Path) -> None:
    with Trail(tmp_path, config_sha256="old") as trail:
        trail.note(Kind.START, "hall", "begins")
        trail.reload("hall", "config.yaml changed", "new")
        trail.note(Kind.STOP, "hall", "ends")
    found = [(str(event.kind), event.config_sha256) for event in read_events(trail.path)]
    assert found == [("start", "old"), ("reload", "new"), ("stop", "new")]


def test_what_is_noted_after_the_end_is_no_error(tmp_path: Path) -> None:
    with Trail(tmp_path) as trail:
        pass
    trail.note(Kind.DOOR, "hall", "too late")
    assert rows(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_said_once_and_tried_again(
    tmp_path: Path, said: Said
) -> None:
    blocked = tmp_path / "disk"
    blocked.write_text("a file where a folder is wanted")
    with Trail(blocked, first_retry_seconds=0.001) as trail:
        for number in range(20):
            trail.note(Kind.DOOR, "hall", str(number))
        assert said.failed.wait(WAIT_SECONDS)
        blocked.unlink()
    assert rows(blocked) == [("door", str(number)) for number in range(20)]
    assert len(said.lines) == 2
    assert said.lines[0].startswith(f"audit: {blocked}/audit.sqlite3: [Errno 17] File exists")
    assert said.lines[1].endswith("audit.sqlite3 is written again, 0 entries lost so far")


@pytest.mark.parametrize("again", [False, True], ids=["removed", "replaced"])
def test_a_record_that_is_taken_away_is_said_and_begun_anew(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    folder, written, append = tmp_path / "audit", threading.Event(), Ledger.append

    def append_and_tell(ledger: Ledger, events: Sequence[Event]) -> None:
        append(ledger, events)
        written.set()

    monkeypatch.setattr(Ledger, "append", append_and_tell)
    with Trail(folder, first_retry_seconds=0.01) as trail:
        trail.note(Kind.START, "hall", "begins")
        assert written.wait(WAIT_SECONDS)
        folder.rename(tmp_path / "taken")
        if again:
            folder.mkdir()
            Ledger(folder / FILE).close()
        trail.note(Kind.STOP, "hall", "ends")
        assert said.failed.wait(WAIT_SECONDS)
    assert rows(folder) == [("stop", "ends")]
    assert rows(tmp_path / "taken") == [("start", "begins")]


@pytest.mark.skipif(not Path("/sys").is_dir(), reason="needs a folder read-only even to root")
def test_a_read_only_folder_is_no_reason_to_end(said: Said) -> None:
    with Trail(Path("/sys")) as trail:
        trail.note(Kind.DOOR, "hall", "locked")
    assert "unable to open database file" in said.lines[0]
    assert said.lines[1:] == ["audit: 1 entries lost"]


def test_of_too_many_waiting_entries_those_about_evidence_go_first(
    tmp_path: Path, said: Said
) -> None:
    blocked = tmp_path / "disk"
    blocked.write_text("")
    # Not tried again before the end, when the disk is there.
    with Trail(blocked, most_waiting=4, first_retry_seconds=WAIT_SECONDS) as trail:
        assert said.failed.wait(WAIT_SECONDS)
        for number in range(3):
            trail.note(Kind.DOOR, "hall", f"door {number}")
            trail.note(Kind.EVIDENCE, "hall", f"evidence {number}")
        trail.note(Kind.DOOR, "hall", "door 3")
        trail.note(Kind.DOOR, "hall", "door 4")
        blocked.unlink()
    assert trail.lost == 4
    assert rows(blocked) == [
        ("lost", "4 entries lost while the record could not be written"),
        *(("door", f"door {number}") for number in range(1, 5)),
    ]


class Hanging:
    """A disk that hangs on the first commit until it goes on, and may then say that it failed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self._fails = fails
        self._append = Ledger.append
        monkeypatch.setattr(Ledger, "append", lambda ledger, events: self._hang(ledger, events))

    def _hang(self, ledger: Ledger, events: Sequence[Event]) -> None:
        first = not self.begun.is_set()
        self.begun.set()
        assert self.goes_on.wait(WAIT_SECONDS)
        if first and self._fails:
            raise sqlite3.OperationalError("disk I/O error")
        self._append(ledger, events)


LOSS = "{} entries lost while the record could not be written"


@pytest.mark.parametrize(
    ("most_waiting", "fails", "expected"),
    [
        # there is room for all
        (
            10_000,
            False,
            ["before", "door 0", "door 1", *(f"evidence {n}" for n in range(2000)), "door 2"],
        ),
        # what is being written is not lost, and of the others those go that matter least
        (4, False, ["before", LOSS.format(1999), "door 0", "door 1", "evidence 1999", "door 2"]),
        # and of all together where it was not written after all
        (4, True, [LOSS.format(2000), "door 0", "door 1", "evidence 1999", "door 2"]),
        # evidence alone was not enough
        (2, True, [LOSS.format(2002), "door 1", "door 2"]),
    ],
)
def test_while_the_disk_hangs_no_change_of_the_door_is_lost_to_evidence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most_waiting: int,
    fails: bool,
    expected: list[str],
) -> None:
    disk = Hanging(monkeypatch, fails=fails)
    with Trail(tmp_path, most_waiting=most_waiting, first_retry_seconds=0.001) as trail:
        trail.note(Kind.EVIDENCE, "hall", "before")
        assert disk.begun.wait(WAIT_SECONDS)
        trail.note(Kind.DOOR, "hall", "door 0")
        trail.note(Kind.DOOR, "hall", "door 1")
        for number in range(2000):
            trail.note(Kind.EVIDENCE, "hall", f"evidence {number}")
        trail.note(Kind.DOOR, "hall", "door 2")
        disk.goes_on.set()
    written = [reason for _, reason in rows(tmp_path)]
    assert written == expected
    recorded_losses = sum(reason.endswith("could not be written") for reason in written)
    assert trail.lost + len(written) - recorded_losses == 2004


def test_an_entry_that_no_file_can_hold_is_counted_and_those_after_it_are_written(
    tmp_path: Path, said: Said
) -> None:
    with Trail(tmp_path) as trail:
        trail.note(Kind.EVIDENCE, "hall", "fold\udce9r: has ended")
        assert said.failed.wait(WAIT_SECONDS)
        trail.note(Kind.DOOR, "hall", "goes on")
    assert trail.lost == 1
    assert rows(tmp_path) == [
        ("lost", "1 entries lost while the record could not be written"),
        ("door", "goes on"),
    ]
    [line] = said.lines
    assert line.startswith("audit: 1 entries given up: 'utf-8' codec can't encode")


def test_a_full_disk_stops_the_record_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(tmp_path), str(200_000)],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    first, *others = found["said"]
    assert "audit.sqlite3: " in first
    assert others == [f"audit: {tmp_path}/audit.sqlite3 is written again, 0 entries lost so far"]
    assert found["noted"] > 20
    assert [reason.strip() for _, reason in rows(tmp_path)] == [
        str(number) for number in range(found["noted"])
    ]


@pytest.mark.parametrize(
    "kept_bytes",
    [
        pytest.param(0, id="no longer a database"),
        pytest.param(4096, id="damaged behind its first page, which says what it is"),
    ],
)
def test_a_damaged_record_is_kept_aside_and_a_new_one_begun(
    tmp_path: Path, said: Said, kept_bytes: int
) -> None:
    with Trail(tmp_path) as trail:
        trail.note(Kind.DOOR, "hall", "before")
    content = trail.path.read_bytes()
    trail.path.write_bytes(content[:kept_bytes] + b"\xff" * (len(content) - kept_bytes))
    with Trail(tmp_path, first_retry_seconds=0.001) as trail:
        trail.note(Kind.DOOR, "hall", "after")
        assert said.failed.wait(WAIT_SECONDS)
    [aside] = tmp_path.glob("audit.sqlite3.damaged-*Z")
    assert rows(tmp_path) == [
        ("lost", f"the record before was damaged and is kept as {aside.name}"),
        ("door", "after"),
    ]


def test_a_record_of_a_newer_version_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "audit.sqlite3"
    Ledger(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(ConfigError, match="version 9 found"), Trail(tmp_path):
        pass


def test_entries_and_pictures_are_pruned_by_age(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    for name, age_days in (("old.mkv", 8), ("older.mkv", 9), ("new.mkv", 6)):
        (clips / name).write_bytes(b"x" * 1000)
        at = (datetime.now(UTC) - timedelta(days=age_days)).timestamp()
        os.utime(clips / name, (at, at))
    with Trail(tmp_path, keep_days=36_500) as trail:
        trail.note(Kind.DOOR, "hall", "old", at=datetime.now(UTC) - timedelta(days=8))
        trail.note(Kind.DOOR, "hall", "new", at=datetime.now(UTC) - timedelta(days=6))
    with Trail(tmp_path, keep_days=7):
        pass
    assert [path.name for path in clips.iterdir()] == ["new.mkv"]
    assert [event.reason for event in read_events(trail.path)] == ["new"]


DAMAGED = f"{FILE}.damaged-20010909T014640Z"


def old_pictures(folder: Path, *names: str) -> None:
    """Pictures from long ago, each a second after the one before; a folder where a name ends so."""
    (folder / "pictures").mkdir(parents=True)
    for number, name in enumerate(names):
        path = folder / "pictures" / name
        path.mkdir() if name.endswith("/") else path.write_bytes(b"x" * 1000)
        os.utime(path, (1e9 + number, 1e9 + number))


def test_a_folder_among_the_pictures_is_left_alone(tmp_path: Path, said: Said) -> None:
    old_pictures(tmp_path, "keep/", "old.jpg")
    with Trail(tmp_path, keep_days=7) as trail:
        trail.note(Kind.DOOR, "hall", "goes on")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["keep"]
    assert rows(tmp_path) == [("door", "goes on")]
    assert said.lines == []


def test_a_picture_that_cannot_be_deleted_is_said_once_and_holds_nothing_up(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_pictures(tmp_path, "another user's.jpg", "old.jpg")
    unlink = Path.unlink

    def forbidden(path: Path, missing_ok: bool = False) -> None:
        if path.name == "another user's.jpg":
            raise PermissionError(1, "Operation not permitted", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", forbidden)
    with Trail(tmp_path, keep_days=7) as trail:
        for number in range(3):
            trail.prune_pictures()
            trail.note(Kind.DOOR, "hall", str(number))
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["another user's.jpg"]
    assert rows(tmp_path) == [("door", str(number)) for number in range(3)]
    [line] = said.lines
    assert "Operation not permitted: " in line
    assert line.endswith("another user's.jpg\"; pictures that cannot be deleted stay")


def test_the_oldest_pictures_go_when_all_together_takes_too_much(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        path = pictures / f"{number}.jpg"
        path.write_bytes(b"x" * 400_000)
        os.utime(path, (1e9 + number, 1e9 + number))
    with Trail(tmp_path, keep_days=36_500, keep_mb=1.0) as trail:
        trail.note(Kind.DOOR, "hall", "stays")
    assert sorted(path.name for path in pictures.iterdir()) == ["2.jpg", "3.jpg"]
    assert [event.reason for event in read_events(trail.path)] == ["stays"]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        # all of it is older than that
        ({"keep_days": 7}, []),
        # it takes too much with the pictures that came after it, and is older than they are
        ({"keep_days": 36_500, "keep_mb": 0.4}, ["pictures/0.jpg", "pictures/1.jpg"]),
        # neither
        (
            {"keep_days": 36_500, "keep_mb": 2.0},
            [DAMAGED, f"{DAMAGED}-wal", "pictures/0.jpg", "pictures/1.jpg"],
        ),
    ],
)
def test_a_damaged_record_is_kept_no_longer_than_pictures(
    tmp_path: Path, keep: dict[str, float], left: list[str]
) -> None:
    for name in (DAMAGED, f"{DAMAGED}-wal"):
        (tmp_path / name).write_bytes(b"x" * 400_000)
        os.utime(tmp_path / name, (9e8, 9e8))
    old_pictures(tmp_path, "0.jpg", "1.jpg")
    with Trail(tmp_path, **keep) as trail:
        trail.note(Kind.DOOR, "hall", "stays")
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != FILE]
    assert sorted(str(path.relative_to(tmp_path)) for path in files) == left
    assert rows(tmp_path) == [("door", "stays")]
