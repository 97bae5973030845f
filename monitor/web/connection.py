"""A browser's connection to the server, which is not kept for nothing."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 100
IDLE_SECONDS = 10.0


class Connection(H11Protocol):
    """Speaks HTTP, and ends where there are too many connections or nobody asks anything.

    Each connection is a file of the process. Whoever opened as many as it may have, which takes no
    token, would leave none for the commands and sockets that lock a door.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or end at once; called by asyncio."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; called by asyncio."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        self._answered = self.cycle
        self._timer = self.loop.call_later(IDLE_SECONDS, self._end_if_idle)

    def _end_if_idle(self) -> None:
        # uvicorn's own timer stands still from a request's first byte on, and before the first
        # request. What is being answered may take as long as it likes, as a video does.
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is self._answered:
            self.transport.abort()
        else:
            self._watch()
