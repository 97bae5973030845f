"""The ledger: the SQLite file that keeps the audit's entries."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import ConfigError, MaskgateError
from .event import Event, Kind, stamp

FILE = "audit.sqlite3"
# What the name of one that was kept aside begins with.
DAMAGED = f"{FILE}.damaged-"
SCHEMA_VERSION = 1
# "mask" as four bytes: tells this program's files from other SQLite files.
APPLICATION_ID = 0x6D61736B
BUSY_SECONDS = 5.0

_COLUMNS = tuple(field.name for field in fields(Event))
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    door TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT,
    evidence TEXT,
    actuator TEXT,
    source TEXT,
    frame INTEGER,
    faces TEXT NOT NULL,
    latency_ms REAL,
    model_sha256 TEXT,
    config_sha256 TEXT,
    picture TEXT,
    clip TEXT
);
CREATE INDEX events_at ON events (at);
PRAGMA application_id = {application_id};
PRAGMA user_version = {version};
COMMIT;
"""
_INSERT = f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' for _ in _COLUMNS)})"
# A file that is too large loses its oldest entries in parts of this many of the whole.
_PRUNED_PARTS = 20


class Ledger:
    """The file, open for writing until `close`.

    A committed entry survives a process that is killed, and a loss of power (write-ahead log,
    synchronous FULL). Several processes may write to one file.

    path: made where there is none.

    Raises ConfigError for a file of a newer version or of another program, and sqlite3.Error when
    it cannot be opened or is damaged, see `is_damage`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # The thread that opens it to see whether it will do is not the one that writes to it.
        self._database = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
            self._file = _identity(path)
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        if not _is_ours(self._database, self._path):
            # Before the first table: it cannot be turned on later without copying the file.
            self._database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        schema = _SCHEMA.format(application_id=APPLICATION_ID, version=SCHEMA_VERSION)
        try:
            if not _is_ours(self._database, self._path):
                self._database.executescript(schema)
        except sqlite3.OperationalError:
            self._roll_back()
            # Another process may have been faster.
            if not _is_ours(self._database, self._path):
                raise

    def append(self, events: Sequence[Event]) -> None:
        """Commit entries, all or none.

        Raises sqlite3.Error when that fails, and OSError when the file is no longer where it was:
        it would take entries for as long as it is open, and nobody could ever read them.
        """
        if _identity(self._path) != self._file:
            raise OSError(errno.ESTALE, "another file found where it was")
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(_INSERT, [_row(event) for event in events])
            self._database.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def prune(self, before: datetime, most_bytes: int) -> None:
        """Delete entries from before a time, and the oldest ones of a file that is too large."""
        self._database.execute("DELETE FROM events WHERE at < ?", (stamp(before),))
        while self._used_bytes() > most_bytes:
            (count,) = self._database.execute("SELECT count(*) FROM events").fetchone()
            if not count:
                break
            oldest = "SELECT id FROM events ORDER BY id LIMIT ?"
            some = max(count // _PRUNED_PARTS, 1)
            self._database.execute(f"DELETE FROM events WHERE id IN ({oldest})", (some,))
        # A script is stepped to its end; `execute` would free a single page.
        self._database.executescript("PRAGMA incremental_vacuum")
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _used_bytes(self) -> int:
        pages, free, page_bytes = (
            int(self._database.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * page_bytes

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def read_events(
    path: Path,
    *,
    since: datetime | None = None,
    door: str | None = None,
    newest: int | None = None,
) -> Iterator[Event]:
    """The entries in the order in which they were written, also while a monitor writes.

    path: the file.
    since: leave out what is older.
    door: leave out other doors.
    newest: at most so many of the newest, and these in the opposite order; None for all.

    Raises ConfigError for a file of a newer version or of another program, and MaskgateError when
    it cannot be read.
    """
    try:
        path.stat()
    except OSError as error:
        raise MaskgateError(f"{path}: {error.strerror}; expected the record of a run") from None
    try:
        uri = f"{path.absolute().as_uri()}?{_mode(path)}"
        database = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)
        known = _is_ours(database, path)
    except sqlite3.Error as error:
        raise _unreadable(path, error) from None
    return _read(database, path, since, door, newest) if known else iter(())


def _mode(path: Path) -> str:
    # Beside a file that others may write to, SQLite makes two more, which such a folder forbids.
    alone = not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()
    return "mode=ro&immutable=1" if alone else "mode=ro"


def _read(
    database: sqlite3.Connection,
    path: Path,
    since: datetime | None,
    door: str | None,
    newest: int | None,
) -> Iterator[Event]:
    order = "id" if newest is None else "id DESC"
    query = (
        f"SELECT {', '.join(_COLUMNS)} FROM events "
        f"WHERE at >= ? AND (? IS NULL OR door = ?) ORDER BY {order} LIMIT ?"
    )
    values = (stamp(since) if since else "", door, door, -1 if newest is None else newest)
    with closing(database):
        try:
            for row in database.execute(query, values):
                yield _event(row)
        except (sqlite3.Error, ValueError) as error:
            raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> MaskgateError:
    return MaskgateError(f"{path}: {error}; expected the record of a run")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file's content is damaged, which no retry mends."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return (code & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_ours(database: sqlite3.Connection, path: Path) -> bool:
    """True for a ledger of this version, False for a file without any content."""
    (application_id,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        return False
    if application_id != APPLICATION_ID:
        raise ConfigError(f"{path}: a database of another program found, expected an audit record")
    if version > SCHEMA_VERSION:
        raise ConfigError(
            f"{path}: audit record of version {version} found, expected at most "
            f"{SCHEMA_VERSION}: a newer maskgate wrote it"
        )
    return True


def _row(event: Event) -> tuple[Any, ...]:
    values = {name: getattr(event, name) for name in _COLUMNS}
    values["at"] = stamp(event.at)
    values["faces"] = json.dumps(event.faces, ensure_ascii=False)
    return tuple(values.values())


def _event(row: tuple[Any, ...]) -> Event:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["at"] = datetime.fromisoformat(values["at"]).astimezone(UTC)
    values["kind"] = Kind(values["kind"])
    values["faces"] = tuple(json.loads(values["faces"]))
    return Event(**values)
