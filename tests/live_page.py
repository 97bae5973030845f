"""A door of plain colours behind a live page on a real server."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

from conftest import CLASSES, ColourDetector, picture

from monitor.doorkeeper import Doorkeeper, Result
from monitor.evidence import FrameRule
from monitor.frame import Frame
from monitor.metrics import Metrics
from monitor.policy import Policy
from monitor.web.changes import RecentChanges
from monitor.web.live_door import LiveDoor
from monitor.web.login import Login
from monitor.web.page import Page
from monitor.web.picture import encoded
from monitor.web.server import Server
from monitor.zones import Zones

WAIT_SECONDS = 30.0
TOKEN = "a token that is long enough"


class Scenes:
    """Makes the results of a door at which one picture of a plain colour follows another."""

    def __init__(self) -> None:
        self._count = 0
        self._keeper = Doorkeeper(
            detector=ColourDetector(),
            zones=Zones(),
            judge=Policy(FrameRule(classes=CLASSES), hold_seconds=0.2),
            locks=[],
            live=False,
            grace_seconds=0.5,
            max_age_seconds=1.0,
        )

    def result(self, scene: str, width_px: int = 64, height_px: int = 48) -> Result:
        """What becomes of the next picture, a tenth of a second after the one before."""
        frame = Frame(picture(scene, width_px, height_px), self._count, self._count / 10)
        self._count += 1
        return self._keeper.see(frame)


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Site:
    """Doors, their page and its server; a context manager.

    names: of the doors.
    token: what has to be shown; None where everyone may look.
    encode: makes the pictures.
    """

    def __init__(
        self,
        *names: str,
        token: str | None = None,
        encode: Callable[[str, Result], bytes] | None = None,
        port: int = 0,
    ) -> None:
        encode = encode or (lambda _, result: encoded(result, allowed=("mask",)))
        self.changes = RecentChanges(encode)
        self.metrics = Metrics()
        self.doors = {
            name: LiveDoor(name, encode=encode, note=self.changes.note)
            for name in names or ("front",)
        }
        self._counts = {name: self.metrics.of_door(name, live=False) for name in self.doors}
        self._scenes = {name: Scenes() for name in self.doors}
        login = Login(token) if token else None
        self.server = Server(
            lambda: Page(
                list(self.doors.values()),
                self.changes,
                metrics=self.metrics.text,
                login=login,
                picture_seconds=0.01,
            ),
            upkeep=self.changes.take_in,
            port=port,
        )
        self._stack = ExitStack()

    def show(self, scene: str, door: str = "front") -> None:
        """Let a door's camera see one more picture."""
        result = self._scenes[door].result(scene)
        self.doors[door](result)
        self._counts[door](result)

    @property
    def host(self) -> str:
        """What a browser sends as Host."""
        return self.server.address.split("/")[2]

    def connect(self) -> http.client.HTTPConnection:
        """A connection, for answers that do not end."""
        connection = http.client.HTTPConnection(self.host, timeout=WAIT_SECONDS)
        self._stack.callback(connection.close)
        return connection

    def ask(
        self, path: str, *, form: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to a GET or, with a form, to a POST as this page would send it."""
        connection = http.client.HTTPConnection(self.host, timeout=WAIT_SECONDS)
        origin = {} if form is None else {"Origin": f"http://{self.host}"}
        method = "GET" if form is None else "POST"
        try:
            connection.request(method, path, form, {**origin, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def __enter__(self) -> Site:
        self._stack.enter_context(self.server)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
