"""The trail: takes entries from every thread and writes them to the ledger on a thread of its own.

Whatever happens to the disk, the door goes on: what cannot be written is kept in memory and tried
again, ever less often, and what no longer fits there is counted and the count recorded.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .event import Event, Kind
from .ledger import DAMAGED, FILE, Ledger, is_damage
from .retention import prune_pictures

_log = logging.getLogger("monitor.audit")

_MOST_WAITING = 10_000
_MOST_IN_ONE_COMMIT = 256
_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 60.0
_MOST_DOUBLINGS = 10
_PRUNE_SECONDS = 60.0
_SHUTDOWN_SECONDS = 5.0


class Trail:
    """The audit of a process; a context manager, inside which entries are written.

    folder: holds the ledger and the folders of pictures; made where there is none.
    keep_days: entries and pictures are deleted when they are older.
    keep_mb: most megabytes that all of it may take; pictures go before entries, oldest first.
    model_sha256, config_sha256: written into every entry; the second may change, see `reload`.
    most_waiting: entries kept in memory while they cannot be written.
    first_retry_seconds: wait before what failed is tried again; doubled each time, up to 60 s.

    Raises ConfigError on entering when the ledger is of a newer version or of another program.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keep_days: float = 90.0,
        keep_mb: float = 500.0,
        model_sha256: str | None = None,
        config_sha256: str | None = None,
        most_waiting: int = _MOST_WAITING,
        first_retry_seconds: float = _FIRST_RETRY_SECONDS,
    ) -> None:
        self._folder = folder
        self._keep = timedelta(days=keep_days)
        self._keep_bytes = int(keep_mb * 1e6)
        self._model_sha256 = model_sha256
        self._config_sha256 = config_sha256
        self._most_waiting = most_waiting
        self._first_retry_seconds = first_retry_seconds
        self._changed = threading.Condition()
        self._waiting: deque[Event] = deque()
        self._closed = False
        self._ledger: Ledger | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._prune_at = 0.0
        self._discarded = 0
        self._lost_recorded = 0
        self._pictures_stay = False
        self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
        self.recorded = 0

    @property
    def path(self) -> Path:
        """The ledger's file."""
        return self._folder / FILE

    @property
    def lost(self) -> int:
        """How many entries had to be given up."""
        return self._discarded

    def note(self, kind: Kind, door: str, reason: str, **more: Any) -> None:
        """Record a change, from any thread; returns at once.

        kind, door, reason, more: see `Event`.
        """
        event = Event(
            kind=kind,
            door=door,
            reason=reason,
            model_sha256=self._model_sha256,
            config_sha256=self._config_sha256,
            **{"at": datetime.now(UTC), **more},
        )
        with self._changed:
            if not self._closed:
                self._waiting.append(event)
                self._discard()
                self._changed.notify()

    def reload(self, door: str, reason: str, config_sha256: str) -> None:
        """Record that another configuration is in force from now on."""
        self._config_sha256 = config_sha256
        self.note(Kind.RELOAD, door, reason)

    def __enter__(self) -> Trail:
        # The thread meets such an error again, says so and goes on trying: the door matters more.
        with contextlib.suppress(OSError, sqlite3.Error):
            self._open().close()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_SHUTDOWN_SECONDS)
        if self._thread.is_alive():
            _log.error("audit: still busy after %g s; entries may be lost", _SHUTDOWN_SECONDS)

    def _work(self) -> None:
        while self._wait():
            self._write()
        self._write()
        if self._waiting or self.lost > self._lost_recorded:
            _log.error("audit: %d entries lost", len(self._waiting) + self.lost)
        if self._ledger is not None:
            self._ledger.close()

    def _wait(self) -> bool:
        """Wait until something is to be written or deleted; False once nothing more can come."""
        with self._changed:
            while not self._closed:
                due = self._retry_at if self._waiting else self._prune_at
                patience_seconds = due - time.monotonic()
                if patience_seconds <= 0:
                    break
                self._changed.wait(patience_seconds)
            return not self._closed

    def _discard(self) -> None:
        """Give up what is too much: the oldest about evidence alone, or else the oldest of all."""
        surplus = len(self._waiting) - self._most_waiting
        if surplus <= 0:
            return
        evidence = (n for n, event in enumerate(self._waiting) if event.kind is Kind.EVIDENCE)
        for index in reversed(list(islice(evidence, surplus))):
            del self._waiting[index]
        while len(self._waiting) > self._most_waiting:
            self._waiting.popleft()
        self._discarded += surplus

    def _write(self) -> None:
        try:
            self._ledger = self._ledger or self._open()
            while self._waiting or self.lost > self._lost_recorded:
                self._commit(self._ledger)
            if time.monotonic() >= self._prune_at:
                self._prune(self._ledger)
        except (OSError, sqlite3.Error, ConfigError) as error:
            self._fail(error)
            return
        if self._failures:
            _log.warning("audit: %s is written again, %d entries lost so far", self.path, self.lost)
        self._failures = 0

    def _commit(self, ledger: Ledger) -> None:
        # Taken out, so that none of them is discarded while it is written.
        with self._changed:
            count = min(len(self._waiting), _MOST_IN_ONE_COMMIT)
            events = [self._waiting.popleft() for _ in range(count)]
            lost = self._discarded
        loss = [self._loss(lost - self._lost_recorded)] if lost > self._lost_recorded else []
        try:
            ledger.append([*loss, *events])
        except UnicodeEncodeError as error:
            # A text that is not UTF-8, such as of a file's name: no retry would write it.
            _log.error("audit: %d entries given up: %s", len(events), error)
            with self._changed:
                self._discarded += len(events)
        except (OSError, sqlite3.Error):
            with self._changed:
                self._waiting.extendleft(reversed(events))
                self._discard()
            raise
        else:
            self._lost_recorded = lost
            self.recorded += len(loss) + len(events)

    def _loss(self, count: int) -> Event:
        reason = f"{count} entries lost while the record could not be written"
        return Event(datetime.now(UTC), Kind.LOST, "", reason)

    def _prune(self, ledger: Ledger) -> None:
        self._prune_at = time.monotonic() + _PRUNE_SECONDS
        before = datetime.now(UTC) - self._keep
        ledger.prune(before, self._keep_bytes)
        self.prune_pictures()

    def prune_pictures(self) -> None:
        """Delete pictures that are too old or too many, from any thread; a failure is said once."""
        try:
            prune_pictures(self._folder, datetime.now(UTC) - self._keep, self._keep_bytes)
        except OSError as error:
            # No failure of the record, which goes on as it is.
            if not self._pictures_stay:
                _log.error("audit: %s; pictures that cannot be deleted stay", error)
            self._pictures_stay = True
        else:
            self._pictures_stay = False

    def _fail(self, error: Exception) -> None:
        if not self._failures:
            _log.error("audit: %s: %s; tried again until it can be written", self.path, error)
        doublings = min(self._failures, _MOST_DOUBLINGS)
        wait_seconds = min(self._first_retry_seconds * 2**doublings, _LONGEST_RETRY_SECONDS)
        self._failures += 1
        self._retry_at = self._prune_at = time.monotonic() + wait_seconds
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
        if isinstance(error, sqlite3.Error) and is_damage(error):
            with contextlib.suppress(OSError):
                self._move_aside()

    def _open(self) -> Ledger:
        self._folder.mkdir(parents=True, exist_ok=True)
        return Ledger(self.path)

    def _move_aside(self) -> None:
        """Keep a damaged ledger under another name, so that a new one can be begun."""
        name = f"{DAMAGED}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / (FILE + ending)).rename(self._folder / (name + ending))
        _log.error("audit: the damaged record is kept as %s; a new one begins", name)
        loss = f"the record before was damaged and is kept as {name}"
        with self._changed:
            self._waiting.appendleft(Event(datetime.now(UTC), Kind.LOST, "", loss))
