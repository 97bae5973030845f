"""The window, with real keys and a real mouse on a virtual display."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from virtual_display import Display, Script, virtual_display

from monitor.view.window import display_works
from monitor.zones_file import read_zones

WIDTH_PX, HEIGHT_PX = 641, 361

_VIEWER = f"""
import numpy as np
from monitor.view.window import Window, display_works

class Telling:
    wants_to_quit = False
    full_screen = False
    def picture(self):
        return np.zeros(({HEIGHT_PX}, {WIDTH_PX}, 3), np.uint8)
    def press(self, key):
        self.full_screen ^= key == "f"
        self.wants_to_quit = key == "q"
        if key:
            print("key", key, flush=True)
    def move(self, point):
        pass
    def click(self, point):
        print("click", *(round(place, 2) for place in point), flush=True)
    def click_right(self):
        print("right", flush=True)

"""

_SHOW = f"""
{_VIEWER}
assert display_works()
with Window(Telling()) as window:
    assert window.update()
    assert window.update()
"""

_UNTIL_THE_END = f"""
{_VIEWER}
with Window(Telling()) as window:
    while window.update():
        pass
print("ended", flush=True)
"""

_GROWING = f"""
{_VIEWER}
class Growing(Telling):
    size_px = 180, 320
    def picture(self):
        return np.zeros((*self.size_px, 3), np.uint8)
    def press(self, key):
        super().press(key)
        self.size_px = {{"l": (450, 800), "s": (180, 320), "n": (450, 400)}}.get(key, self.size_px)

with Window(Growing()) as window:
    while window.update():
        pass
"""

# The monitor, with a detector that sees one masked face, left of the middle, in every picture.
_MONITOR = """
import logging, sys
import numpy as np
from monitor import cli, parts
from monitor.app import run
from monitor.contract import Contract, ResizeRule
from monitor.detections import Detections
from monitor.view.viewer import Viewer

class Telling(Viewer):
    def press(self, key):
        super().press(key)
        if key:
            print("key", key, flush=True)
    def click(self, point):
        super().click(point)
        print("click", flush=True)

class OneFace:
    provider = "none"
    sha256 = "0" * 64
    classes = ("mask", "noMask")
    contract = Contract(classes=classes, resize=ResizeRule(64, 64))
    path = __import__("pathlib").Path("one.onnx")
    def __init__(self, *_, **__):
        pass
    def __call__(self, image):
        box, scores = [[100, 100, 200, 200]], [[0.9, 0.1]]
        return Detections(np.array(box, np.float32), np.array(scores, np.float32), self.classes)

parts.Detector = OneFace
run.Viewer = Telling
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
sys.exit(cli.main(["run", "--config", "door.yaml"]))
"""


@pytest.fixture(scope="module")
def display() -> Iterator[Display]:
    with virtual_display() as found:
        yield found


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


def test_the_window_loses_no_event_to_a_libx11_that_is_newer_than_the_wheel(
    display: Display, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It lost some in some starts only: by which library Qt asks for them is the same in all.
    settings = {"LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": str(tmp_path / "bound")}
    text = f"{_VIEWER}\nwith Window(Telling()) as window:\n    window.update()"
    for name, value in settings.items():
        monkeypatch.setitem(display.environment, name, value)
    with Script(display, text) as script:
        assert script.ended() == (0, "")
    [path] = tmp_path.iterdir()
    bound = [line for line in path.read_text("utf-8").splitlines() if "XSetEventQueueOwner" in line]
    assert bound
    # the wheel's own has a hash in its name
    assert not any("libX11-xcb-" in line for line in bound)


def test_keys_and_clicks_reach_the_viewer(display: Display) -> None:
    with Script(display, _UNTIL_THE_END) as script:
        window = display.window("maskgate")
        assert display.size_px(window) == (WIDTH_PX, HEIGHT_PX)
        for key, name in (
            ("question", "?"),
            ("space", "space"),
            ("Return", "enter"),
            ("KP_Enter", "enter"),
            ("BackSpace", "backspace"),
            ("Escape", "escape"),
            # with shift or caps lock too
            ("shift+s", "s"),
            ("7", "7"),
        ):
            display.press(window, key)
            assert script.line() == f"key {name}"
        for place, told in (((0, 0), "0.0 0.0"), ((320, 180), "0.5 0.5"), ((640, 360), "1.0 1.0")):
            display.click(window, *place)
            assert script.line() == f"click {told}"
        display.click(window, 320, 180, button=3)
        assert script.line() == "right"
        display.press(window, "q")
        assert script.line() == "key q"
        assert script.line() == "ended"
        assert script.ended() == (0, "")


def test_the_window_grows_with_the_picture_takes_its_shape_and_stays_for_smaller_ones(
    display: Display,
) -> None:
    with Script(display, _GROWING) as script:
        window = display.window("maskgate")
        display.wait_for_size(window, (320, 180))
        display.press(window, "l")
        display.wait_for_size(window, (800, 450))
        assert script.line() == "key l"
        display.press(window, "s")
        assert script.line() == "key s"
        assert display.size_px(window) == (800, 450)
        # one door of two: in a window of another shape it would be stretched
        display.press(window, "n")
        display.wait_for_size(window, (400, 450))
        display.press(window, "q")


def test_closing_the_window_ends_it(display: Display) -> None:
    with Script(display, _UNTIL_THE_END) as script:
        display.close(display.window("maskgate"))
        assert script.line() == "ended"
        assert script.ended() == (0, "")


def test_full_screen_fills_the_screen_and_clicks_still_meet_the_picture() -> None:
    # Only a window manager grants it.
    manager = shutil.which("openbox")
    if manager is None:
        pytest.skip("openbox: not installed")
    with virtual_display() as display:
        managing = subprocess.Popen(
            [manager], env=display.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with Script(display, _UNTIL_THE_END) as script:
                window = display.window("maskgate")
                display.press(window, "f")
                assert script.line() == "key f"
                display.wait_for_size(window, (1600, 1200))
                display.click(window, 800, 600)
                assert script.line() == "click 0.5 0.5"
                # beside the picture, which is wider than the screen: no place in it
                display.click(window, 800, 10)
                display.press(window, "q")
                assert script.line() == "key q"
        finally:
            managing.terminate()
            managing.wait()


def until(script: Script, words: str) -> None:
    """Wait for a line with these words."""
    while words not in script.line():
        pass


def test_a_zone_drawn_while_the_monitor_runs_takes_effect_at_once(
    display: Display, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "snapshots: saved\nweb: {serve: never}\ndoors: [{name: front, zones_file: zones.json}]\n"
    Path("door.yaml").write_text(text, "utf-8")
    with Script(display, _MONITOR) as script:
        window = display.window("maskgate")
        until(script, ": 1 face masked")
        display.press(window, "z")
        until(script, "key z")
        for place in ((20, 20), (300, 20), (300, 300), (20, 300)):
            display.click(window, *place)
            until(script, "click")
        display.press(window, "Return")
        until(script, "zone saved")
        until(script, ": no face")
        display.press(window, "s")
        until(script, "picture saved: saved/front-")
        display.press(window, "q")
        until(script, "frames per second")
        assert script.ended() == (0, "")
    (polygon,) = read_zones(Path("zones.json")).ignore
    corners_px = [(20, 20), (300, 20), (300, 300), (20, 300)]
    np.testing.assert_allclose(polygon, np.array(corners_px) / (639, 359), atol=1e-4)
    (path,) = Path("saved").iterdir()
    assert cv2.imread(str(path)).shape == (360, 640, 3)
