"""A real browser without a window, driven over two pipes by its DevTools protocol."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DEADLINE_SECONDS = 60.0
_POLL_SECONDS = 0.05
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# The browser reads from descriptor 3 and writes to 4; descriptors above those cannot be in the way.
_LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Pipes:
    """What all tabs of a browser are driven over: one question at a time, and its answer.

    to_browser, from_browser: file descriptors, for messages that end with a NUL.

    `complaints` are what the browser complained about, by the session of the tab.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to_browser = to_browser
        self._from_browser = from_browser
        self._received = b""
        self._count = 0
        self.complaints: defaultdict[str | None, list[str]] = defaultdict(list)

    def ask(self, session: str | None, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method.

        session: of a tab; None for the browser itself.
        """
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        """Keep what the browser complains about, such as a breach of the security policy."""
        complaints = self.complaints[event.get("sessionId")]
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            complaints.append(event["params"]["entry"]["text"])
        if event.get("method") == "Runtime.exceptionThrown":
            complaints.append(str(event["params"]["exceptionDetails"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            chunk = os.read(self._from_browser, 65536)
            assert chunk, "the browser has ended"
            self._received += chunk
        message, _, self._received = self._received.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


class Tab:
    """One tab in a window of its own: goes to pages, looks at them and acts as a user would."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        target = pipes.ask(None, "Target.createTarget", url="about:blank", newWindow=True)
        attached = pipes.ask(
            None, "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session: str = attached["sessionId"]
        self.errors = pipes.complaints[self._session]
        self._ask("Page.enable")
        self._ask("Log.enable")
        self._ask("Runtime.enable")

    def go(self, address: str) -> None:
        """Go to a page."""
        self._ask("Page.navigate", url=address)
        self.wait_for("document.readyState !== 'loading' && location.href !== 'about:blank'")

    def leave(self) -> None:
        """Go to an empty page, and forget what was complained about until then."""
        self._ask("Page.navigate", url="about:blank")
        self.wait_for("location.href === 'about:blank'")
        self.errors.clear()

    def evaluate(self, expression: str) -> Any:
        """The plain value of a JavaScript expression."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"never came true: {condition}"
            time.sleep(_POLL_SECONDS)

    def text(self, selector: str) -> str:
        """What is written in the first element of a CSS selector."""
        found: str = self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
        return found

    def look(self, *, width_px: int, height_px: int, dark: bool = False) -> None:
        """See pages on a screen of that size, in light or dark colours."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width_px,
            height=height_px,
            deviceScaleFactor=1,
            mobile=width_px < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path) -> None:
        """Save what can be seen as PNG."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def forget(self) -> None:
        """Forget all cookies."""
        self._ask("Network.clearBrowserCookies")

    def beside(self) -> Tab:
        """Another tab of the same browser, which shares its cookies and its connections."""
        return Tab(self._pipes)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._pipes.ask(self._session, method, **parameters)


def says(selector: str, text: str) -> str:
    """The condition, in JavaScript, that an element says this."""
    return f"document.querySelector({selector!r})?.innerText.trim() === {text!r}"


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """A tab of a browser that lives as long as the context; skips the test where there is none.

    profile: an empty folder of its own.
    """
    program = next((name for name in _NAMES if shutil.which(name)), None)
    if program is None:
        pytest.skip("chromium: not installed")
    pipes = [*os.pipe(), *os.pipe()]
    theirs_in, to_browser, from_browser, theirs_out = [
        fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in pipes
    ]
    for end in pipes:
        os.close(end)
    options = [
        "--headless",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
        "--no-first-run",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        # its sandbox refuses to work for root
        *(["--no-sandbox"] if os.getuid() == 0 else []),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", _LAUNCH, str(theirs_in), str(theirs_out), program, *options],
        pass_fds=(theirs_in, theirs_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Tab(Pipes(to_browser, from_browser))
    finally:
        # It ends when its pipe does.
        os.close(to_browser)
        try:
            process.wait(DEADLINE_SECONDS)
        finally:
            process.kill()
            process.wait()
            os.close(from_browser)
