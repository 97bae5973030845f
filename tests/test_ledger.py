"""The ledger: what is committed stays, whatever becomes of the process that wrote it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.audit import Event, Kind, Ledger, read_events
from monitor.errors import ConfigError, MaskgateError

NOON = datetime(2026, 1, 31, 12, 0, 0, 125_000, UTC)
WAIT_SECONDS = 60.0

# Notes one change after another, and prints how many are committed.
_WRITER = """
import sys
from pathlib import Path
from monitor.audit import Kind, Trail

with Trail(Path(sys.argv[1])) as trail:
    noted = said = 0
    while True:
        if noted - trail.recorded < 100:
            trail.note(Kind.DOOR, "hall", str(noted))
            noted += 1
        if trail.recorded > said:
            said = trail.recorded
            print(said, flush=True)
"""

# Writes so many entries, one a commit, once told to begin.
_APPENDER = """
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from monitor.audit import Event, Kind, Ledger

with closing(Ledger(Path(sys.argv[1]))) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[3])):
        ledger.append([Event(datetime.now(UTC), Kind.DOOR, sys.argv[2], str(number))])
"""

# Whatever the tests run as: to root, nothing is forbidden.
_READ_AS_ANYBODY = """
import os, sys
from pathlib import Path
from monitor.audit import read_events

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print([event.reason for event in read_events(Path(sys.argv[1]))])
"""


def python(program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def entry(number: int, at: datetime = NOON, door: str = "hall") -> Event:
    return Event(at, Kind.DOOR, door, str(number), state="locked")


def reasons(path: Path, **chosen: object) -> list[str]:
    return [event.reason for event in read_events(path, **chosen)]  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite3"


def test_an_entry_is_read_as_it_was_written(path: Path) -> None:
    full = Event(
        NOON,
        Kind.DOOR,
        "hall",
        "1 face masked, ünd",
        state="unlocked",
        evidence="clear",
        actuator="strike",
        source="camera",
        frame=7,
        faces=({"box": [0.0, 1.5, 2.0, 3.0], "label": "mask", "score": 0.9, "scores": {}},),
        latency_ms=81.5,
        model_sha256="a" * 64,
        config_sha256="b" * 64,
        picture="x.jpg",
    )
    with closing(Ledger(path)) as ledger:
        ledger.append([full, entry(1)])
        # While the file is still open for writing, as `monitor events` finds it.
        assert list(read_events(path)) == [full, entry(1)]


def test_entries_are_chosen_by_time_and_door(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        later = NOON + timedelta(milliseconds=1)
        ledger.append([entry(1), entry(2, later), entry(3, later, door="gate")])
    assert reasons(path, since=NOON) == ["1", "2", "3"]
    assert reasons(path, since=later) == ["2", "3"]
    assert reasons(path, since=later, door="hall") == ["2"]
    assert reasons(path, since=later.astimezone(), door="attic") == []


@pytest.mark.parametrize("enough", [1, 40, 200])
def test_what_was_reported_committed_survives_a_kill(tmp_path: Path, enough: int) -> None:
    writer = python(_WRITER, tmp_path)
    assert writer.stdout is not None
    committed = 0
    while committed < enough:
        committed = int(writer.stdout.readline())
    writer.kill()
    said, _ = writer.communicate(timeout=WAIT_SECONDS)
    # The last line may have been cut off by the kill.
    committed = max([committed, *map(int, said.split("\n")[:-1])])
    kept = reasons(tmp_path / "audit.sqlite3")
    assert len(kept) >= committed
    assert kept == [str(number) for number in range(len(kept))]


def test_two_processes_write_to_one_file(path: Path) -> None:
    writers = [python(_APPENDER, path, name, "50") for name in ("hall", "gate")]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=WAIT_SECONDS)
        assert writer.returncode == 0
    for name in ("hall", "gate"):
        assert reasons(path, door=name) == [str(number) for number in range(50)]


def test_a_failed_commit_leaves_nothing_half_written(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        wrong = Event(NOON, Kind.DOOR, None, "no door")  # type: ignore[arg-type]
        with pytest.raises(sqlite3.IntegrityError):
            ledger.append([entry(1), wrong])
        ledger.append([entry(2)])
    assert reasons(path) == ["2"]


@pytest.mark.parametrize(
    ("statements", "complaint"),
    [
        pytest.param(
            "PRAGMA user_version = 2",
            "version 2 found, expected at most 1: a newer maskgate wrote it",
            id="a newer version",
        ),
        pytest.param(
            "PRAGMA application_id = 1", "a database of another program found", id="another program"
        ),
    ],
)
def test_a_file_that_is_not_for_this_program_is_refused(
    path: Path, statements: str, complaint: str
) -> None:
    Ledger(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(statements)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=complaint):
        Ledger(path)
    with pytest.raises(ConfigError, match=complaint):
        read_events(path)
    assert path.read_bytes() == before


def test_a_record_that_is_missing_or_damaged_cannot_be_read(path: Path) -> None:
    with pytest.raises(MaskgateError, match="No such file or directory; expected the record"):
        read_events(path)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(MaskgateError, match="not a database; expected the record"):
        read_events(path)
    with pytest.raises(MaskgateError, match="File name too long; expected the record"):
        read_events(path.parent / ("x" * 300) / path.name)


def test_a_record_can_be_read_in_a_folder_that_may_not_be_written_to() -> None:
    # Not below pytest's own, which nobody else may look into.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        copied = Path(folder) / "copied"
        copied.mkdir()
        with closing(Ledger(copied / "audit.sqlite3")) as ledger:
            ledger.append([entry(7)])
        Path(folder).chmod(0o755)
        copied.chmod(0o555)
        with python(_READ_AS_ANYBODY, copied / "audit.sqlite3") as reader:
            assert reader.communicate(timeout=WAIT_SECONDS)[0] == "['7']\n"


def test_an_empty_file_holds_no_entry_yet(path: Path) -> None:
    path.touch()
    assert reasons(path) == []
    Ledger(path).close()
    assert reasons(path) == []


def test_old_entries_are_pruned_by_age(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.append([entry(day, NOON + timedelta(days=day)) for day in range(5)])
        ledger.prune(NOON + timedelta(days=3), 10**9)
    assert reasons(path) == ["3", "4"]


def test_the_oldest_entries_go_until_the_file_is_small_enough(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.append([entry(number) for number in range(5000)])
        ledger.prune(NOON, 10**9)
        whole_bytes = path.stat().st_size
        ledger.prune(NOON, whole_bytes // 2)
        kept = reasons(path)
        assert path.stat().st_size <= whole_bytes // 2
        assert 1000 < len(kept) < 4000
        assert kept == [str(number) for number in range(5000 - len(kept), 5000)]
        # Smaller than even an empty ledger is: nothing is left, and that is the end of it.
        ledger.prune(NOON, 1)
    assert reasons(path) == []
