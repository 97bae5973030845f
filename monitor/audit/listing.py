"""Listing the audit: as a table to read, as CSV, or as one JSON object a line."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TextIO

from ..errors import UsageError
from .event import Event, stamp
from .ledger import FILE, read_events

Form = Literal["table", "csv", "json"]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_COLUMNS = (
    ("time", 23),
    ("door", 12),
    ("what", 8),
    ("state", 8),
    ("evidence", 9),
    ("ms", 6),
)


def list_events(
    folder: str | None,
    *,
    check_interrupt: Callable[[], None] = lambda: None,
    since: str | None = None,
    door: str | None = None,
    form: Form = "table",
) -> None:
    """Print the entries of an audit, also while a monitor adds to it.

    folder: of the audit; None when the configuration names none.
    check_interrupt: called between entries; may raise to end the list.
    since: see `parse_since`; None for all.
    door: a name; None for every door.

    Raises UsageError for a wrong option, ConfigError for a record of a newer version, and
    MaskgateError for one that is missing or cannot be read.
    """
    if folder is None:
        raise UsageError("events: no audit is configured; expected audit: folder:, or --folder")
    start = parse_since(since, datetime.now().astimezone()) if since else None
    events = read_events(Path(folder) / FILE, since=start, door=door)
    write_events(_each(events, check_interrupt), form, sys.stdout)


def parse_since(text: str, now: datetime) -> datetime:
    """A time as people write it: 90s, 15m, 2h or 7d ago, or ISO 8601, local unless it says more.

    now: with a time zone.

    Raises UsageError for anything else.
    """
    try:
        if ago := re.fullmatch(r"(\d{1,6})([smhd])", text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since: {text!r} found, expected 90s, 15m, 2h, 7d, or a time like 2026-01-31T08:30"
        ) from None


def write_events(events: Iterable[Event], form: Form, out: TextIO) -> None:
    """Write entries, one a line, each as soon as it is read."""
    if form == "json":
        for event in events:
            print(json.dumps(_plain(event), ensure_ascii=False), file=out)
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([field.name for field in fields(Event)])
        for event in events:
            values = {**_plain(event), "faces": json.dumps(event.faces, ensure_ascii=False)}
            writer.writerow(values.values())
    else:
        for line in _table(events):
            print(line, file=out)


def _each(events: Iterable[Event], check_interrupt: Callable[[], None]) -> Iterator[Event]:
    for event in events:
        check_interrupt()
        yield event


def _plain(event: Event) -> dict[str, Any]:
    return {**asdict(event), "at": stamp(event.at), "kind": str(event.kind)}


def _table(events: Iterable[Event]) -> Iterator[str]:
    yield " ".join(f"{name:<{width}}" for name, width in _COLUMNS) + " why"
    for event in events:
        local = event.at.astimezone().replace(tzinfo=None)
        latency = "" if event.latency_ms is None else f"{event.latency_ms:.0f}"
        cells = (
            local.isoformat(" ", "milliseconds"),
            event.door,
            event.kind,
            event.state or "",
            event.evidence or "",
            latency,
        )
        padded = (f"{cell:<{width}}" for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
        reason = f"{event.actuator}: {event.reason}" if event.actuator else event.reason
        yield f"{' '.join(padded)} {reason}"
