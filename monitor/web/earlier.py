"""The changes from before the page was served, as far as the audit tells of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ..audit.event import Event, Kind
from ..audit.ledger import read_events
from ..errors import MaskgateError
from ..evidence import Evidence
from ..policy import Door
from .changes import KEPT, Change

_log = logging.getLogger("monitor.web")

# Most entries are about what the page does not list.
_MOST_READ = 10 * KEPT


def earlier_changes(path: Path) -> Sequence[Change]:
    """The latest changes in a ledger, the oldest first; none where it cannot be read.

    path: the ledger's file.
    """
    if not path.exists():
        return ()
    try:
        events = list(read_events(path, newest=_MOST_READ))
    except MaskgateError as error:
        _log.warning("live page: nothing earlier is listed: %s", error)
        return ()
    told = [(event, what) for event in events if (what := _what(event))][:KEPT]
    return [
        Change(number, event.at.timestamp(), event.door, what, event.reason, pictured=False)
        for number, (event, what) in enumerate(reversed(told), 1)
    ]


def _what(event: Event) -> str | None:
    """What the page calls an entry; None for one that it does not list."""
    # An order may unlock a door whatever is seen.
    if event.evidence == Evidence.VIOLATION and event.state == Door.LOCKED:
        return "denied"
    return event.state if event.kind is Kind.DOOR else None
