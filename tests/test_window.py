from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from virtual_display import Script, virtual_display

from monitor.window import display_works

_SHOW = """
import numpy as np
from monitor.window import Window, display_works
assert display_works()
with Window() as window:
    assert not window.wants_to_quit()
    window.show(np.zeros((48, 64, 3), np.uint8))
    assert not window.wants_to_quit()
"""

_WAIT_FOR_THE_END = """
import numpy as np
from monitor.window import Window
with Window() as window:
    window.show(np.zeros((48, 64, 3), np.uint8))
    while not window.wants_to_quit():
        pass
"""


@pytest.mark.parametrize(
    "display",
    [
        pytest.param(None, id="none named"),
        pytest.param(":4242", id="nobody there: the GUI library aborts"),
    ],
)
def test_a_display_that_does_not_work_is_noticed(
    monkeypatch: pytest.MonkeyPatch, display: str | None
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    assert not display_works()


def test_a_picture_is_shown_quietly_where_there_is_a_display() -> None:
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        pytest.skip("xvfb-run is not installed")
    command = [xvfb, "-a", sys.executable, "-c", _SHOW]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "key",
    [
        "q",
        "Escape",
        # the button in its frame
        None,
    ],
)
def test_the_user_may_end_it_by_a_key_or_by_closing_the_window(key: str | None) -> None:
    with virtual_display() as display, Script(display, _WAIT_FOR_THE_END) as script:
        window = display.window("maskgate")
        if key:
            display.press(window, key)
        else:
            display.close(window)
        assert script.ended() == (0, "")
