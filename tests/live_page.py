"""A door of plain colours behind a live page on a real server."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType

from colours import CLASSES, ColourDetector, picture

from monitor.decision import Order
from monitor.doorkeeper import Doorkeeper
from monitor.evidence import FrameRule
from monitor.frame import Frame
from monitor.override import Override
from monitor.policy import Policy
from monitor.result import Result
from monitor.web.changes import Change
from monitor.web.live_page import LivePage, ShownDoor
from monitor.web.picture import encoded
from monitor.zones import Zones

WAIT_SECONDS = 30.0
TOKEN = "a token that is long enough"


class Scenes:
    """Makes the results of a door at which one picture of a plain colour follows another.

    orders: what overrules the door, see `Doorkeeper`.
    """

    def __init__(self, orders: Sequence[Callable[[], Order | None]] = ()) -> None:
        self._count = 0
        self._keeper = Doorkeeper(
            detector=ColourDetector(),
            zones=Zones(),
            judge=Policy(FrameRule(classes=CLASSES), hold_seconds=0.2),
            locks=[],
            orders=orders,
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
    orders: whether orders can be given on the page.
    earlier: changes from before.
    encode: makes the pictures.
    host, port: where to listen.
    """

    def __init__(
        self,
        *names: str,
        token: str | None = None,
        orders: bool = False,
        earlier: Sequence[Change] = (),
        encode: Callable[[Result], bytes] = encoded,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        names = names or ("front",)
        self.overrides = {name: Override(name, max_seconds=60.0) for name in names}
        self.page = LivePage(
            host=host,
            port=port,
            token=token,
            overrides=self.overrides if orders else None,
            earlier=earlier,
            encode=encode,
            picture_seconds=0.01,
        )
        self._scenes: dict[str, Scenes] = {}
        self.doors: dict[str, ShownDoor] = {}
        for name in names:
            self.begin(name)
        self._stack = ExitStack()

    def begin(self, name: str) -> None:
        """Show a door from its first picture on."""
        self._scenes[name] = Scenes([self.overrides[name].order])
        self.doors[name] = self.page.add(name, live=False)

    def show(self, scene: str, door: str = "front", width_px: int = 64) -> None:
        """Let a door's camera see one more picture."""
        self.doors[door](self._scenes[door].result(scene, width_px))

    @property
    def host(self) -> str:
        """What a browser sends as Host."""
        return self.page.address.split("/")[2]

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
        self._stack.enter_context(self.page)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
