"""The server of the live page, on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType

import uvicorn

from ..errors import MaskgateError
from .connection import MOST_CONNECTIONS, Connection
from .page import Page

_UPKEEP_SECONDS = 0.1
_GRACE_SECONDS = 2
_JOIN_SECONDS = 5.0
_NICENESS = 10
# What the system may hold for one viewer: about the size of a picture. With the usual megabytes, a
# slow viewer would see what was a minute ago.
_SEND_BUFFER_BYTES = 32 * 1024


class Server:
    """Serves a page for as long as its context lasts.

    Entering it raises MaskgateError where the address cannot be had.

    make_page: makes the page; called on the server's thread.
    upkeep: called there now and then.
    host: the address to be bound.
    port: 0 for any that is free.
    """

    def __init__(
        self,
        make_page: Callable[[], Page],
        *,
        upkeep: Callable[[], None] = lambda: None,
        host: str = "127.0.0.1",
        port: int = 8080,
    ) -> None:
        self._make_page = make_page
        self._upkeep = upkeep
        self._host = host
        self._port = port
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="live page", daemon=True)

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    def __enter__(self) -> Server:
        self._socket = self._bound()
        self._port = self._socket.getsockname()[1]
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join(_JOIN_SECONDS)

    def _bound(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            listener.bind((self._host, self._port))
            # Connections wait here until the thread takes them.
            listener.listen()
        except OSError as error:
            listener.close()
            raise MaskgateError(
                f"web: {self._host}, port {self._port}: {error.strerror}; "
                "expected an address of this machine and a free port"
            ) from None
        return listener

    def _serve(self) -> None:
        if sys.platform == "linux":
            # The thread that decides goes first; here, each has a priority of its own.
            os.nice(_NICENESS)
        asyncio.run(self._run())

    async def _run(self) -> None:
        page = self._make_page()
        server = uvicorn.Server(
            uvicorn.Config(
                page.app(),
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                # So many are accepted before the first of them can be turned away.
                backlog=MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[self._socket]))
        while not (self._ending.is_set() or serving.done()):
            self._upkeep()
            await asyncio.wait([serving], timeout=_UPKEEP_SECONDS)
        page.end()
        server.should_exit = True
        await serving
