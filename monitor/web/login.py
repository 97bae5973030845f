"""Who may look: everyone at this machine, or whoever has shown the token."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable

SESSION_SECONDS = 12 * 3600
WRONG_TOKENS = 5
BLOCKED_SECONDS = 60.0
_CLIENTS_KEPT = 1000


class Blocked(Exception):
    """Too many wrong tokens came from this client; none is looked at for a while."""


class Login:
    """Compares tokens, and signs the cookies that stand for them afterwards.

    A cookie holds the time at which it ends, signed with the token: it outlives a restart, and a
    new token ends it.

    token: what has to be shown.
    clock: seconds since 1970.
    """

    def __init__(self, token: str, *, clock: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
        self._clock = clock
        # The times of the latest wrong tokens, by client; who came first is forgotten first.
        self._wrong: dict[str, deque[float]] = {}

    def accepts(self, token: str, client: str) -> bool:
        """Whether this is the token.

        client: the address it comes from. Raises Blocked after too many wrong ones from there.
        """
        now = self._clock()
        wrong = self._wrong.get(client)
        if wrong and len(wrong) == WRONG_TOKENS and now - wrong[0] < BLOCKED_SECONDS:
            raise Blocked
        if hmac.compare_digest(token.encode(), self._token):
            self._wrong.pop(client, None)
            return True
        if wrong is None:
            if len(self._wrong) >= _CLIENTS_KEPT:
                del self._wrong[next(iter(self._wrong))]
            wrong = self._wrong[client] = deque(maxlen=WRONG_TOKENS)
        wrong.append(now)
        return False

    def cookie(self) -> str:
        """A cookie for somebody who has shown the token."""
        ends_at = str(int(self._clock()) + SESSION_SECONDS)
        return f"{ends_at}.{self._signature(ends_at)}"

    def knows(self, cookie: str) -> bool:
        """Whether this is a cookie of ours that has not ended."""
        ends_at, _, signature = cookie.partition(".")
        ours = hmac.compare_digest(signature.encode(), self._signature(ends_at).encode())
        # Signed by us, so it is a number.
        return ours and self._clock() < int(ends_at)

    def _signature(self, ends_at: str) -> str:
        return hmac.new(
            self._token, f"maskgate until {ends_at}".encode(), hashlib.sha256
        ).hexdigest()
