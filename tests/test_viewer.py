"""The viewer: what keys and mouse do to what is seen, without a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from colours import CLASSES, picture

from monitor.cli import main
from monitor.decision import Decision, Door
from monitor.detections import Detections
from monitor.errors import MaskgateError
from monitor.evidence import Evidence
from monitor.frame import Frame, Image
from monitor.result import Result
from monitor.view import pane as pane_module
from monitor.view.overlay import draw_help, draw_notes, draw_zones
from monitor.view.pane import Pane
from monitor.view.pen import Pen
from monitor.view.viewer import KEYS, Viewer
from monitor.zones import Polygon, Zones

WIDTH_PX, HEIGHT_PX = 640, 360
CORNERS = [(0.1, 0.1), (0.4, 0.1), (0.4, 0.5)]


def result(scene: str, *, door: Door = Door.LOCKED, time: float = 0.0) -> Result:
    nobody = Detections.empty(CLASSES)
    decision = Decision(time, Evidence.UNKNOWN, door, "no face", nobody, 0.0, 1.0)
    return Result(Frame(picture(scene, WIDTH_PX, HEIGHT_PX), 0, time), decision)


class Watch:
    """A viewer of doors, at a time that is set by hand."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str] = ("front",),
        keep: Callable[[Polygon], None] | None = None,
        live: bool = False,
    ) -> None:
        self.now = 100.0
        self.zones = Zones()
        self.folder = folder
        self.panes = [
            Pane(
                name,
                live=live,
                zones=lambda: self.zones,
                keep_zone=keep,
                clock=lambda: self.now,
            )
            for name in names
        ]
        self.viewer = Viewer(lambda: self.panes, snapshots=folder, clock=lambda: self.now)
        # past the note that stands at the beginning
        self.now += 60.0

    def see(self, seen: Result) -> None:
        for pane in self.panes:
            pane.see(seen, 10.0)

    def picture(self) -> Image:
        image = self.viewer.picture()
        assert image is not None
        return image

    def press(self, *keys: str) -> None:
        for key in keys:
            self.viewer.press(key)

    def top(self) -> Image:
        """The part of the picture in which notes stand."""
        return self.picture()[:30]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    watch = Watch(tmp_path)
    watch.see(result("masked"))
    return watch


def test_there_is_nothing_to_see_before_the_first_result(tmp_path: Path) -> None:
    viewer = Watch(tmp_path).viewer
    assert viewer.picture() is None
    for key in ("s", "space", "h", "f"):
        viewer.press(key)
    assert list(tmp_path.iterdir()) == []


def test_a_pause_stops_the_picture_but_not_what_is_said_of_the_door(watch: Watch) -> None:
    watch.press("space")
    before = watch.picture()
    watch.see(result("bare", door=Door.UNLOCKED))
    after = watch.picture()
    np.testing.assert_array_equal(after[:280], before[:280])
    assert (after[-40:] != before[-40:]).any()
    # that it is paused is said
    assert (before[:10] == 0).all(axis=2).any()
    watch.press("space")
    np.testing.assert_array_equal(watch.picture()[100, 100], result("bare").frame.image[0, 0])


def test_the_age_grows_while_a_live_camera_is_silent(tmp_path: Path) -> None:
    watch = Watch(tmp_path, live=True)
    watch.see(result("masked", time=watch.now))
    before = watch.picture()
    watch.now += 3.0
    assert (watch.picture() != before).any()


def test_a_snapshot_is_what_is_shown_and_the_window_says_where_it_is(watch: Watch) -> None:
    shown, quiet = watch.picture(), watch.top()
    watch.press("s")
    (path,) = watch.folder.glob("front-*.png")
    np.testing.assert_array_equal(cv2.imread(str(path)), shown)
    assert (watch.top() != quiet).any()
    watch.now += 60.0
    np.testing.assert_array_equal(watch.top(), quiet)


def test_a_snapshot_that_cannot_be_saved_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    watch = Watch(tmp_path / "file")
    watch.see(result("masked"))
    quiet = watch.top()
    watch.press("s")
    assert (watch.top() != quiet).any()


def test_escape_leaves_what_was_opened_last_and_then_ends(watch: Watch) -> None:
    plain = watch.picture()
    watch.press("f", "h")
    assert (watch.picture() != plain).any()
    watch.press("escape")
    np.testing.assert_array_equal(watch.picture(), plain)
    assert watch.viewer.full_screen
    watch.press("escape")
    assert (watch.viewer.full_screen, watch.viewer.wants_to_quit) == (False, False)
    watch.press("escape")
    assert watch.viewer.wants_to_quit


def test_q_ends_whatever_is_open(watch: Watch) -> None:
    watch.press("f", "h", "q")
    assert watch.viewer.wants_to_quit


def test_other_keys_do_nothing(watch: Watch) -> None:
    plain = watch.picture()
    watch.press("x", "", "enter", "backspace", "1", "0", "7")
    np.testing.assert_array_equal(watch.picture(), plain)


class Kept:
    """Keeps zones, or not."""

    def __init__(self, fault: str = "") -> None:
        self.polygons: list[Polygon] = []
        self._fault = fault

    def __call__(self, polygon: Polygon) -> None:
        if self._fault:
            raise MaskgateError(self._fault)
        self.polygons.append(list(polygon))


def drawing(folder: Path, kept: Kept, names: Sequence[str] = ("front",)) -> Watch:
    """A watch in which a zone is being drawn at the first door: three corners were clicked."""
    watch = Watch(folder, names, keep=kept)
    watch.see(result("masked"))
    watch.press("1", "z")
    for corner in CORNERS:
        watch.viewer.click(corner)
    return watch


@pytest.mark.parametrize(
    ("then", "polygons"),
    [
        pytest.param(lambda watch: watch.press("enter"), [CORNERS], id="Enter closes"),
        pytest.param(lambda watch: watch.viewer.click_right(), [CORNERS], id="right click too"),
        pytest.param(lambda watch: watch.press("escape", "enter"), [], id="Escape cancels"),
        pytest.param(
            lambda watch: (watch.press("backspace"), watch.viewer.click((0, 1)), watch.press("z")),
            [],
            id="z again does not begin anew or close",
        ),
        pytest.param(
            lambda watch: (watch.press("backspace", "enter"), watch.viewer.click((0, 1))),
            [],
            id="too few points stay open",
        ),
        pytest.param(
            lambda watch: (
                watch.press("backspace"),
                watch.viewer.click((0.9, 0.9)),
                watch.press("enter"),
            ),
            [[*CORNERS[:2], (0.9, 0.9)]],
            id="Backspace takes the last one back",
        ),
    ],
)
def test_a_zone_is_drawn_with_the_mouse(
    tmp_path: Path, then: Callable[[Watch], None], polygons: list[Polygon]
) -> None:
    kept = Kept()
    watch = drawing(tmp_path, kept)
    then(watch)
    assert kept.polygons == polygons
    assert not watch.viewer.wants_to_quit


def test_the_polygon_is_seen_while_it_is_drawn(tmp_path: Path) -> None:
    watch = drawing(tmp_path, Kept())
    one = watch.picture()
    watch.viewer.move((0.1, 0.6))
    two = watch.picture()
    watch.press("escape")
    three = watch.picture()
    assert (one != two).any()
    assert (two != three).any()


def test_a_zone_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    watch = drawing(tmp_path, Kept("zones.json: disk full"))
    watch.press("enter")
    assert (watch.top() == 0).all(axis=2).any()


def test_without_a_file_for_zones_none_is_drawn(watch: Watch) -> None:
    quiet = watch.top()
    watch.press("z")
    assert (watch.top() != quiet).any()
    watch.now += 60.0
    for corner in CORNERS:
        watch.viewer.click(corner)
    watch.press("enter")
    np.testing.assert_array_equal(watch.top(), quiet)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["side"], id="its door is gone, another is left alone"),
        pytest.param(["side", "back"], id="its door is gone, several are left"),
        pytest.param(["front"], id="its door was made anew, perhaps with another camera"),
        pytest.param([], id="no door is left"),
    ],
)
def test_a_zone_is_kept_for_the_door_that_it_was_drawn_on_or_not_at_all(
    tmp_path: Path, names: list[str]
) -> None:
    kept, other = Kept(), Kept()
    watch = drawing(tmp_path, kept, ("front", "side"))
    watch.picture()
    watch.panes = Watch(tmp_path, names, keep=other).panes
    watch.press("enter")
    assert (kept.polygons, other.polygons) == ([], [])
    said = watch.top()
    watch.now += 60.0
    assert (watch.top() != said).any()


def test_a_zone_whose_door_has_gone_is_not_drawn_on_another(tmp_path: Path) -> None:
    watch = drawing(tmp_path, Kept(), ("front", "side"))
    del watch.panes[0]
    said = watch.picture()
    watch.now += 60.0
    plain = Watch(tmp_path, ("side",))
    plain.see(result("masked"))
    np.testing.assert_array_equal(watch.picture(), plain.picture())
    assert (said[:30] != plain.top()).any()


@pytest.mark.parametrize("names", [["front"], []])
def test_what_was_shown_of_a_door_does_not_stay_when_the_door_has_gone_or_begins_anew(
    watch: Watch, names: list[str]
) -> None:
    shown = watch.picture()
    watch.panes = Watch(watch.folder, names).panes
    assert shown.any()
    assert watch.picture().shape == shown.shape
    assert not watch.picture().any()


def test_of_several_doors_one_can_be_seen_alone_and_drawn_in(tmp_path: Path) -> None:
    kept = Kept()
    watch = Watch(tmp_path, ("front", "side"), keep=kept)
    watch.panes[1].see(result("masked"), 10.0)
    all_doors = watch.picture()
    assert all_doors.shape[1] > WIDTH_PX
    watch.press("z", "enter", "2")
    assert watch.picture().shape == (HEIGHT_PX, WIDTH_PX, 3)
    watch.press("z")
    for corner in CORNERS:
        watch.viewer.click(corner)
    # no other door while the corners are this one's
    watch.press("0", "enter", "s")
    assert kept.polygons == [CORNERS]
    assert len(list(tmp_path.glob("side-*.png"))) == 1
    watch.now += 60.0
    watch.press("0", "9")
    np.testing.assert_array_equal(watch.picture(), all_doors)


def test_a_door_that_is_new_stands_still_too_and_one_that_is_gone_is_not_asked_for(
    tmp_path: Path,
) -> None:
    watch = Watch(tmp_path, ("front", "side"))
    watch.see(result("masked"))
    watch.press("2", "space")
    watch.picture()
    newer = Watch(tmp_path, ("front",))
    watch.panes = newer.panes
    watch.see(result("masked"))
    before = watch.picture()
    assert before.shape == (HEIGHT_PX, WIDTH_PX, 3)
    watch.see(result("bare"))
    np.testing.assert_array_equal(watch.picture()[:280], before[:280])


@pytest.mark.parametrize(
    ("width_px", "height_px"), [(320, 240), (640, 360), (360, 640), (1920, 1080), (3840, 2160)]
)
def test_help_and_notes_are_readable_at_any_size(width_px: int, height_px: int) -> None:
    smallest_px = min(Pen(np.zeros((240, 320, 3), np.uint8)).row_px, height_px)
    image = np.full((height_px, width_px, 3), 90, np.uint8)
    draw_help(image, (*KEYS, ("1 to 9", "one door alone"), ("0", "all doors")))
    rows, columns = np.nonzero((image == 0).all(axis=2))
    assert np.ptp(rows) >= 8 * 0.7 * smallest_px
    assert columns.min() > 0
    assert columns.max() < width_px - 1
    draw_notes(image, ["a note " * 40])
    assert (image[0] == 0).all()
    assert (image[height_px // 3 : height_px // 2, 0] == 90).all()


def test_zones_are_outlined_and_the_ignored_ones_named() -> None:
    def pixels(zones: Zones) -> int:
        image = picture("nobody", WIDTH_PX, HEIGHT_PX)
        draw_zones(image, zones)
        return int((image > 200).all(axis=2).sum())

    assert pixels(Zones()) == 0
    watched, ignored = pixels(Zones(watch=[CORNERS])), pixels(Zones(ignore=[CORNERS]))
    assert watched > ignored > 100


@pytest.mark.usefixtures("colour_model")
def test_nothing_is_drawn_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, clip: Callable[..., Path]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("drawn")

    for name in ("draw_faces", "draw_band", "draw_zones"):
        monkeypatch.setattr(pane_module, name, fail)
    source = str(clip("door", [("bare", 3), ("masked", 3)]))
    assert main(["run", "--no-window", "--source", source]) == 0
