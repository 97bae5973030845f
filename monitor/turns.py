"""Turns: several channels that one thread takes from, none of which waits for long."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from .channel import Channel, Closed

Key = TypeVar("Key")
Item = TypeVar("Item")


class Turns(Generic[Key, Item]):
    """Takes from whichever channel holds something, in turn.

    Whoever was served goes to the end of the queue, so that with N channels that always hold
    something each gets every Nth turn, however fast any of them is filled.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._channels: dict[Key, Channel[Item]] = {}
        self._closed = False
        self._held_open = False

    def join(self, key: Key, *, overwrite: bool) -> Channel[Item]:
        """A new channel of capacity 1; raises Closed after `close`.

        key: what its items are handed on with; any that is not in use.
        overwrite: as for `Channel`.
        """
        with self._changed:
            if self._closed:
                raise Closed
            channel: Channel[Item] = Channel(1, overwrite=overwrite, changed=self._changed)
            self._channels[key] = channel
            return channel

    def leave(self, key: Key) -> None:
        """Close and forget a channel with whatever it holds; may be called again."""
        with self._changed:
            channel = self._channels.pop(key, None)
            if channel is not None:
                channel.close()

    @contextlib.contextmanager
    def held_open(self) -> Iterator[None]:
        """Inside, `get` waits on though every channel is closed: another is about to join.

        Raises Closed when nothing will ever come.
        """
        with self._changed:
            if self._over():
                raise Closed
            before, self._held_open = self._held_open, True
        try:
            yield
        finally:
            with self._changed:
                self._held_open = before
                self._changed.notify_all()

    def put(self, key: Key, item: Item) -> None:
        """Add an item as `Channel.put` does; raises Closed also for a key that has left."""
        with self._changed:
            channel = self._channels.get(key)
            if channel is None:
                raise Closed
            channel.put(item)

    def get(self, timeout_seconds: float | None = None) -> tuple[Key, Item]:
        """The next key and item.

        Raises TimeoutError when none came in time, and Closed when none will ever come: after
        `close`, or once every channel is closed and empty. What was put before is still delivered.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._next() is not None or self._over(), timeout_seconds
            )
            key = self._next()
            if key is None:
                raise Closed if self._over() else TimeoutError
            channel = self._channels[key] = self._channels.pop(key)
            return key, channel.get()

    def holds(self, key: Key) -> bool:
        """Whether something of this key waits for its turn."""
        with self._changed:
            return key in self._channels and len(self._channels[key]) > 0

    def close(self) -> None:
        """Close every channel and accept no more; may be called again."""
        with self._changed:
            self._closed = True
            for channel in self._channels.values():
                channel.close()
            self._changed.notify_all()

    def _next(self) -> Key | None:
        return next((key for key, channel in self._channels.items() if len(channel)), None)

    def _over(self) -> bool:
        if self._closed:
            return True
        # Without any channel there may be one later: that of a door which could not be begun.
        channels = self._channels.values()
        ended = bool(channels) and all(channel.closed for channel in channels)
        return ended and not self._held_open
