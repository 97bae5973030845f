"""The audit: a lasting record of every change of a door's state, and of pictures if wanted."""

from __future__ import annotations

from .event import Event, Kind
from .ledger import Ledger, read_events
from .trail import Trail

__all__ = ["Event", "Kind", "Ledger", "Trail", "read_events"]
