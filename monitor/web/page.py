"""The page's addresses, and what each answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp

from .changes import Changes
from .form import fields_of
from .gate import COOKIE, KNOWN, Gate, blocked, client_of
from .live_door import LiveDoor
from .login import SESSION_SECONDS, Blocked, Login
from .orders import Orders

_STATE_SECONDS = 0.25
_CHANGES_SHOWN = 50

_STATIC = {
    "/": ("index.html", "text/html"),
    "/order.js": ("order.js", "text/javascript"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEAD = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"


class Page:
    """Answers requests; used on the page's thread alone.

    doors: those to be shown, by name and in order.
    changes: what has happened at them.
    metrics: the text for Prometheus; None where there is none.
    login: None where everyone at this machine may look.
    orders: takes those for the doors; None where none can be given on the page.
    picture_seconds: a viewer gets a new picture no sooner than this after the one before.
    """

    def __init__(
        self,
        doors: Callable[[], Mapping[str, LiveDoor]],
        changes: Changes,
        *,
        metrics: Callable[[], tuple[bytes, str]] | None = None,
        login: Login | None = None,
        orders: Orders | None = None,
        picture_seconds: float = 0.1,
    ) -> None:
        self._doors = doors
        self._changes = changes
        self._metrics = metrics
        self._login = login
        self._orders = orders
        self._picture_seconds = picture_seconds
        self._ending = asyncio.Event()
        static = files("monitor.web") / "static"
        self._static = {
            path: ((static / name).read_bytes(), kind) for path, (name, kind) in _STATIC.items()
        }
        self._login_page = (static / "login.html").read_text("utf-8")

    def app(self) -> ASGIApp:
        """What a server runs."""
        routes = [
            *(Route(path, self._file) for path in _STATIC),
            Route("/login", self._login_form),
            Route("/login", self._log_in, methods=["POST"]),
            Route("/state", self._state),
            Route("/video", self._video),
            Route("/picture", self._picture),
            Route("/changes", self._list),
            Route("/changes/{number}.jpg", self._change),
            Route("/healthz", self._health),
            Route("/metrics", self._measured),
        ]
        if self._orders:
            routes.append(Route("/order", self._orders.take, methods=["POST"]))
        return Gate(Starlette(routes=routes), self._login)

    def end(self) -> None:
        """End what would go on for ever, so that the server can."""
        self._ending.set()

    async def _file(self, request: Request) -> Response:
        content, kind = self._static[request.scope["path"]]
        return Response(content, media_type=kind)

    async def _login_form(self, request: Request) -> Response:
        return self._login_answer("")

    async def _log_in(self, request: Request) -> Response:
        if self._login is None:
            return RedirectResponse("./", 303)
        form = await fields_of(request)
        try:
            accepted = self._login.accepts(form.get("token", ""), client_of(request))
        except Blocked:
            return blocked()
        if not accepted:
            return self._login_answer("That is not the token.", 403)
        answer = RedirectResponse("./", 303)
        answer.set_cookie(
            COOKIE,
            self._login.cookie(),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            # Behind a proxy only the browser knows that the way to it is encrypted.
            secure=request.headers.get("origin", "").startswith("https:"),
        )
        return answer

    def _login_answer(self, said: str, status: int = 200) -> Response:
        text = self._login_page.replace("{said}", said)
        return Response(text, status, media_type="text/html")

    async def _state(self, request: Request) -> Response:
        return StreamingResponse(self._states(), media_type="text/event-stream")

    async def _states(self) -> AsyncIterator[str]:
        while not self._ending.is_set():
            newest = self._changes.newest(1)
            state = {
                "doors": [self._shown(door) for door in self._doors().values()],
                "newest_change": newest[0].number if newest else 0,
            }
            yield f"data: {json.dumps(state)}\n\n"
            await self._pause(_STATE_SECONDS)

    def _shown(self, door: LiveDoor) -> dict[str, Any]:
        longest_seconds = self._orders.longest_seconds(door.name) if self._orders else None
        return {**door.state(), "longest_order_seconds": longest_seconds}

    async def _video(self, request: Request) -> Response:
        door = self._door(request)
        if door is None:
            return _unknown_door()
        kind = "multipart/x-mixed-replace; boundary=frame"
        return StreamingResponse(self._pictures(door), media_type=kind)

    async def _pictures(self, door: LiveDoor) -> AsyncIterator[bytes]:
        sent = 0
        yield _HEAD
        # What is over must not stand there as if it were of now.
        while self._doors().get(door.name) is door and not self._ending.is_set():
            number, jpeg = door.jpeg()
            if number != sent:
                sent = number
                # A browser shows a picture when the next one is announced: it must not have to wait
                # for that one, or it would always show the last but one.
                yield jpeg + b"\r\n" + _HEAD
                # Sending waits before it writes, not after. Nothing is sent here, so that the
                # next picture is chosen once there is room for it, and not before.
                yield b""
            await self._pause(self._picture_seconds)

    async def _picture(self, request: Request) -> Response:
        door = self._door(request)
        if door is None:
            return _unknown_door()
        number, jpeg = door.jpeg()
        if not number:
            return PlainTextResponse("no picture yet\n", 404)
        return Response(jpeg, media_type="image/jpeg")

    async def _list(self, request: Request) -> Response:
        shown = self._changes.newest(_CHANGES_SHOWN)
        return JSONResponse(
            [
                {
                    "number": change.number,
                    "at": change.at,
                    "door": change.door,
                    "what": change.what,
                    "reason": change.reason,
                    "pictured": change.pictured,
                }
                for change in shown
            ]
        )

    async def _change(self, request: Request) -> Response:
        try:
            picture = self._changes.picture(int(request.path_params["number"]))
        except ValueError:
            picture = None
        # A disk may be slow, and all of the page waits on this thread.
        jpeg = await asyncio.to_thread(_read, picture) if isinstance(picture, Path) else picture
        if jpeg is None:
            return PlainTextResponse("no picture of it kept\n", 404)
        return Response(jpeg, media_type="image/jpeg")

    async def _health(self, request: Request) -> Response:
        doors = self._doors().values()
        # without any door, as at the very start, nothing is being looked at either
        ready = bool(doors) and all(door.ready for door in doors)
        said: dict[str, Any] = {"live": not any(door.hung for door in doors), "ready": ready}
        if request.scope[KNOWN]:
            said["doors"] = {door.name: door.health() for door in doors}
        return JSONResponse(said, 200 if ready else 503)

    async def _measured(self, request: Request) -> Response:
        if self._metrics is None:
            return PlainTextResponse("no metrics are kept\n", 404)
        content, kind = self._metrics()
        return Response(content, headers={"content-type": kind})

    def _door(self, request: Request) -> LiveDoor | None:
        return self._doors().get(request.query_params.get("door", ""))

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ending.wait(), seconds)
        except TimeoutError:
            return


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        return None


def _unknown_door() -> Response:
    return PlainTextResponse("door: expected the name of one\n", 404)
