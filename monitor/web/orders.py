"""Orders that are given on the page: what a door is to be for a while."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ..errors import UsageError
from ..override import ACTIONS, Override
from .form import fields_of
from .gate import client_of

MOST_ORDERS = 10
WINDOW_SECONDS = 60.0
_LONGEST_CLIENT = 45


class Orders:
    """Passes on the orders of whoever the gate lets in; used on the page's thread alone.

    overrides: of the doors, by name.
    clock: seconds.
    """

    def __init__(
        self, overrides: Mapping[str, Override], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._overrides = overrides
        self._clock = clock
        # Counted apart, so that no number of unlocks keeps a lock waiting.
        self._latest = {action: deque[float](maxlen=MOST_ORDERS) for action in ACTIONS}

    def longest_seconds(self, door: str) -> float | None:
        """For how long a door may be ordered; None where it takes no orders."""
        override = self._overrides.get(door)
        return override.max_seconds if override else None

    async def take(self, request: Request) -> Response:
        """Answer a form with door, action, seconds and by, in words."""
        form = await fields_of(request)
        action = form.get("action", "")
        override = self._overrides.get(form.get("door", ""))
        if override is None or action not in ACTIONS:
            expected = f"the name of a door, and {' or '.join(ACTIONS)}"
            return PlainTextResponse(f"order: expected {expected}\n", 400)
        if not self._counts(action):
            wait = {"retry-after": f"{WINDOW_SECONDS:.0f}"}
            said = f"{MOST_ORDERS} such orders within a minute; try again in a while\n"
            return PlainTextResponse(said, 429, wait)
        # Behind a proxy it is what the proxy says, so it may be anything.
        client = ascii(client_of(request)[:_LONGEST_CLIENT]).strip("'\"")
        try:
            said = override.request(
                action,
                _number(form.get("seconds", "")),
                form.get("by", ""),
                way=f"on the live page from {client}",
            )
        except UsageError as error:
            return PlainTextResponse(f"Refused: {str(error).removeprefix('override: ')}\n", 409)
        return PlainTextResponse(f"{said}\n")

    def _counts(self, action: str) -> bool:
        """Whether one more order is not too many; counts it if so."""
        latest, now = self._latest[action], self._clock()
        if len(latest) == MOST_ORDERS and now - latest[0] < WINDOW_SECONDS:
            return False
        latest.append(now)
        return True


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
