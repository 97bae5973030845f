"""The picture window, with real keys on a virtual display."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from virtual_display import Display, Script, virtual_display

from export.drawing import picture_window
from export.drawing.picture_window import KEYS, TITLE, open_window
from monitor.errors import UsageError

# says which picture is there, as soon as it listens
_LEAF = """
import numpy as np
from export.drawing.picture_window import PictureWindow

class Telling(PictureWindow):
    def step(self):
        print(number, flush=True)
        return super().step()

def draw(wanted):
    global number
    number = wanted
    return np.zeros((*SIZES[number], 3), np.uint8)

with Telling() as window:
    window.leaf_through(len(SIZES), draw)
print("ended", flush=True)
"""
# height and width of the pictures: small, tall and wide
SIZES = ((200, 300), (2000, 500), (100, 5000))


@pytest.fixture(scope="module")
def display() -> Iterator[Display]:
    with virtual_display() as found:
        yield found


@pytest.fixture
def leafing(display: Display) -> Iterator[Script]:
    """A program that shows pictures of SIZES."""
    with Script(display, f"SIZES = {SIZES}\n{_LEAF}") as script:
        yield script


def test_keys_leaf_to_and_fro_in_a_circle(display: Display, leafing: Script) -> None:
    assert leafing.line() == "0"
    window = display.window(TITLE)
    for key, number in (
        ("m", 1),
        ("space", 2),
        # after the last comes the first
        ("Right", 0),
        ("n", 2),
        ("Left", 1),
    ):
        display.press(window, key)
        assert leafing.line() == str(number)
    # no step, so that the next key leads to the next picture
    display.press(window, "x")
    display.press(window, "m")
    assert leafing.line() == "2"


def test_a_window_is_as_large_as_its_picture_but_fits_the_screen(
    display: Display, leafing: Script
) -> None:
    assert leafing.line() == "0"
    window = display.window(TITLE)
    assert display.size_px(window) == (300, 200)
    for number, size in ((1, (180, 720)), (2, (1280, 26))):
        display.press(window, "m")
        assert leafing.line() == str(number)
        assert display.size_px(window) == size


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda display, window: display.press(window, "q"), id="q"),
        pytest.param(lambda display, window: display.press(window, "Escape"), id="Escape"),
        pytest.param(lambda display, window: display.close(window), id="closed"),
    ],
)
def test_the_user_ends_it(
    display: Display, leafing: Script, end: Callable[[Display, int], None]
) -> None:
    assert leafing.line() == "0"
    end(display, display.window(TITLE))
    assert leafing.line() == "ended"
    # the keys, and nothing that the GUI library has to say
    assert leafing.ended() == (0, f"{KEYS}\n")


def test_without_a_display_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_window, "display_works", lambda: False)
    with pytest.raises(UsageError, match=r"no display found to open a window on; .* --no-gui"):
        open_window()
