"""The changes from before the page was served, as far as the audit tells of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ..audit.event import Event, Kind
from ..audit.ledger import read_events
from ..audit.retention import PICTURES
from ..decision import denies
from ..errors import MaskgateError
from .changes import KEPT, Change

_log = logging.getLogger("monitor.web")

# Most entries are about what the page does not list.
_MOST_READ = 10 * KEPT


def earlier_changes(path: Path, *, snapshots: bool = False) -> Sequence[Change]:
    """The latest changes in a ledger, the oldest first; none where it cannot be read.

    path: the ledger's file.
    snapshots: whether the pictures that lie beside it are shown.
    """
    try:
        events = list(read_events(path, newest=_MOST_READ)) if path.exists() else []
    except (OSError, MaskgateError) as error:
        _log.warning("live page: nothing earlier is listed: %s", error)
        return ()
    told = [(event, what) for event in events if (what := _what(event))][:KEPT]
    folder = path.parent / PICTURES if snapshots else None
    return [
        _change(number, event, what, folder)
        for number, (event, what) in enumerate(reversed(told), 1)
    ]


def _change(number: int, event: Event, what: str, folder: Path | None) -> Change:
    name = event.picture
    # Whoever can write into the record must not choose which of this machine's files are shown.
    snapshot = folder / name if folder and name and Path(name).name == name else None
    at = event.at.timestamp()
    return Change(number, at, event.door, what, event.reason, snapshot is not None, snapshot)


def _what(event: Event) -> str | None:
    """What the page calls an entry; None for one that it does not list."""
    if denies(event.evidence, event.state):
        return "denied"
    return event.state if event.kind is Kind.DOOR else None
