"""The gate before the page: who may pass, from where, and what a browser may do with the answer."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .login import BLOCKED_SECONDS, Blocked, Login
from .loopback import is_loopback

COOKIE = "maskgate"
# Where the gate notes, in the scope, whether the request may see everything.
KNOWN = "maskgate.known"
OPEN_PATHS = frozenset({"/login", "/healthz", "/page.css", "/icon.svg"})

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "x-content-type-options": "nosniff",
    # With no-referrer a browser would send forms with an Origin of null.
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Gate:
    """Turns away whoever may not pass, and adds the headers that keep a browser safe.

    app: what lies behind.
    login: None where everyone at this machine may look.
    """

    def __init__(self, app: ASGIApp, login: Login | None) -> None:
        self._app = app
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        request = Request(scope)
        answer = self._refusal(request) or self._app
        await answer(scope, receive, send_safely)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        # A page elsewhere whose name was made to point here would be let in by its address alone.
        if self._login is None and not is_loopback(_name_of(host)):
            return PlainTextResponse("Host: expected localhost or a loopback address\n", 403)
        origin = request.headers.get("origin", "")
        if request.method not in ("GET", "HEAD") and origin.partition("://")[2] != (host or None):
            return PlainTextResponse("Origin: expected this page\n", 403)
        try:
            request.scope[KNOWN] = self._knows(request)
        except Blocked:
            return blocked()
        if request.scope[KNOWN] or request.scope["path"] in OPEN_PATHS:
            return None
        if request.scope["path"] == "/":
            return RedirectResponse("login", 303)
        return PlainTextResponse("the token is needed\n", 401, {"www-authenticate": "Bearer"})

    def _knows(self, request: Request) -> bool:
        if self._login is None:
            return True
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._login.accepts(token, client_of(request))
        return self._login.knows(request.cookies.get(COOKIE, ""))


def blocked() -> Response:
    """The answer to a client that has shown too many wrong tokens."""
    wait = {"retry-after": f"{BLOCKED_SECONDS:.0f}"}
    return PlainTextResponse("too many wrong tokens; try again in a minute\n", 429, wait)


def client_of(request: Request) -> str:
    """The address that the request comes from."""
    return request.client.host if request.client else "unknown"


def _name_of(host: str) -> str:
    """The name or address in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
