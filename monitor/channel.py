"""The one queue between threads: newest-first for live pictures, lossless for recorded ones."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Closed(Exception):
    """The channel is closed and holds nothing more."""


class Channel(Generic[Item]):
    """A bounded queue that many threads may share.

    capacity: most items held at once, at least 1.
    overwrite: when full, drop the oldest item (live) instead of waiting for room (recorded).
    changed: notified of every change; given where a thread waits for several channels at once.
    """

    def __init__(
        self,
        capacity: int = 1,
        *,
        overwrite: bool,
        changed: threading.Condition | None = None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity: found {capacity}, expected at least 1")
        self._capacity = capacity
        self._overwrite = overwrite
        self._items: deque[Item] = deque()
        self._closed = False
        self._dropped = 0
        self._changed = changed or threading.Condition()

    def __len__(self) -> int:
        """How many items wait to be taken."""
        with self._changed:
            return len(self._items)

    @property
    def closed(self) -> bool:
        """Whether nothing more is accepted; what waits is still delivered."""
        with self._changed:
            return self._closed

    @property
    def dropped(self) -> int:
        """How many items were overwritten before anyone took them."""
        with self._changed:
            return self._dropped

    def put(self, item: Item) -> None:
        """Add an item; raises Closed once the channel is closed, also while waiting for room."""
        with self._changed:
            while not self._closed and len(self._items) >= self._capacity:
                if self._overwrite:
                    self._items.popleft()
                    self._dropped += 1
                else:
                    self._changed.wait()
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def get(self, timeout_seconds: float | None = None) -> Item:
        """Take the oldest item.

        Raises TimeoutError when none came in time, and Closed when none will ever come; what was
        put before `close` is still delivered.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_seconds)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._closed:
                raise Closed
            raise TimeoutError

    def close(self) -> None:
        """Accept nothing more and wake everyone who waits; may be called again."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
