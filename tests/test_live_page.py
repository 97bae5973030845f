"""The live page as people see it, in a real browser."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from browser import Tab, says
from colours import picture
from live_page import TOKEN, Site

from monitor.actuators.lease import Change, Lease
from monitor.web import changes

SHOWN = "document.querySelector('.view img')?.naturalWidth"
IMAGES = "[...document.querySelectorAll('.view img')]"
DESKTOP, PHONE = (1400, 900), (390, 844)


def shows(count: int, width: str = "> 0") -> str:
    """The condition, in JavaScript, that there are so many pictures, each of such a width."""
    return f"{IMAGES}.length === {count} && {IMAGES}.every((image) => image.naturalWidth {width})"


def unlock(site: Site, door: str = "front") -> None:
    """Show a masked face for as long as it takes, whatever was seen before."""
    for _ in range(20):
        site.show("masked", door)


def test_a_change_of_the_door_is_seen_without_a_reload(tab: Tab) -> None:
    with Site() as site:
        tab.go(site.page.address)
        tab.wait_for(says(".word", "Not known"))
        site.show("bare")
        tab.wait_for(says(".word", "Locked"))
        tab.wait_for(SHOWN)
        unlock(site)
        tab.wait_for(says(".word", "Unlocked"))
        tab.wait_for("document.querySelectorAll('#changes li').length === 2")
        assert tab.text("#changes li strong") == "Unlocked"
        tab.wait_for("document.querySelector('#changes li img').naturalWidth")
        assert tab.text(".reason") == "1 face masked"
        assert tab.text("#connection") == "live"


def test_what_happened_before_the_start_is_listed_without_a_picture(tab: Tab) -> None:
    with Site(earlier=[before(1)]) as site:
        tab.leave()
        tab.go(site.page.address)
        tab.wait_for("document.querySelectorAll('#changes li').length === 1")
        assert tab.text("#changes li strong") == "Denied"
        assert not tab.evaluate("document.querySelector('#changes img')")
        site.show("bare")
        tab.wait_for("document.querySelectorAll('#changes li').length === 2")
        assert tab.text("#changes li strong") == "Denied"
        tab.wait_for("document.querySelector('#changes li img').naturalWidth")
        assert tab.errors == []


def test_what_happened_before_the_start_is_listed_with_its_snapshot_while_that_is_kept(
    tab: Tab, tmp_path: Path
) -> None:
    kept, gone = tmp_path / "kept.jpg", tmp_path / "gone.jpg"
    kept.write_bytes(jpeg(1280, 720))
    with Site(earlier=[before(1, kept), before(2, gone)]) as site:
        tab.leave()
        tab.look(width_px=PHONE[0], height_px=PHONE[1])
        tab.go(site.page.address)
        tab.wait_for("document.querySelector('#changes li:nth-child(2) img')?.naturalWidth")
        # A picture that is gone leaves no broken one.
        tab.wait_for("document.querySelectorAll('#changes li img').length === 1")
        assert tab.evaluate("document.querySelectorAll('#changes li').length") == 2
        assert not tab.evaluate("document.querySelector('#changes li:nth-child(1) a')")
        small = tab.evaluate("document.querySelector('#changes img').clientWidth")
        assert small < PHONE[0] / 2
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        tab.go(tab.evaluate("document.querySelector('#changes a').href"))
        tab.wait_for("document.images[0]?.naturalWidth === 1280")


def before(number: int, snapshot: Path | None = None) -> changes.Change:
    at = 1_770_000_000.0 + number
    return changes.Change(number, at, "front", "denied", "no mask", snapshot is not None, snapshot)


def jpeg(width_px: int, height_px: int) -> bytes:
    _, encoded = cv2.imencode(".jpg", picture("bare", width_px, height_px))
    return encoded.tobytes()


def test_the_health_of_each_door_is_shown(tab: Tab) -> None:
    with Site("front", "back") as site:
        lease = Lease(unlocked=False, reason="the start")
        site.doors["front"].changed(Change("strike", "unknown", "it failed", lease, None))
        site.show("nobody", "front")
        tab.go(site.page.address)
        tab.wait_for("document.querySelectorAll('.door').length === 2")
        front, back = ".door:nth-child(1) ", ".door:nth-child(2) "
        tab.wait_for(says(f"{front}.word", "Locked"))
        assert tab.text(f"{front}.camera") == "works"
        assert tab.text(f"{front}.actuators") == "strike: unknown"
        assert tab.text(f"{back}.word") == "Not known"
        assert tab.text(f"{back}.camera").startswith("nothing new for")
        for part in (".old", "svg", ".view img"):
            # of what is not there nothing is said, and no half of a padlock shown
            assert not tab.evaluate(f"document.querySelector('{back}{part}').checkVisibility()")


def test_more_doors_than_a_browser_has_connections_are_all_shown(tab: Tab) -> None:
    names = [f"door {number}" for number in range(8)]
    with Site(*names) as site:
        for name in names:
            site.show("bare", name)
        tab.go(site.page.address)
        tab.wait_for(shows(8))
        unlock(site, "door 7")
        tab.wait_for(says(".door:nth-child(8) .word", "Unlocked"))


def test_a_door_that_is_gone_is_shown_no_more(tab: Tab) -> None:
    with Site("front", "back") as site:
        for name in ("front", "back"):
            unlock(site, name)
        tab.go(site.page.address)
        tab.wait_for(shows(2))
        site.page.remove("front")
        tab.wait_for("document.querySelectorAll('.door').length === 1")
        assert tab.text(".door h2") == "back"
        site.begin("front")
        site.show("bare", "front")
        tab.wait_for(shows(2))


def test_a_door_that_begins_anew_does_not_go_on_showing_what_it_was(tab: Tab) -> None:
    with Site() as site:
        site.show("masked")
        tab.go(site.page.address)
        tab.wait_for(SHOWN)
        site.page.remove("front")
        site.begin("front")
        tab.wait_for("!document.querySelector('.view img').hasAttribute('src')")
        # As many pictures as before: it is not by their number that it is told.
        site.show("masked", width_px=96)
        tab.wait_for(f"{SHOWN} === 96")


def test_when_doors_move_up_the_first_ones_are_still_those_that_show_video(tab: Tab) -> None:
    names = [f"door {number}" for number in range(6)]
    with Site(*names) as site:
        for name in names:
            site.show("bare", name)
        tab.go(site.page.address)
        tab.wait_for(shows(6))
        # It is the last one afterwards.
        site.page.remove("door 0")
        site.begin("door 0")
        for name in names:
            site.show("bare", name, width_px=96)
        tab.wait_for(shows(6, "=== 96"))
        told = f"{IMAGES}.filter((image) => image.src.includes('video')).map((image) => image.alt)"
        assert tab.evaluate(told) == [f"What the camera of {name} sees" for name in names[1:5]]


def test_doors_are_shown_in_the_order_that_is_asked_for(tab: Tab) -> None:
    names = "[...document.querySelectorAll('.door h2')].map((name) => name.innerText).join()"
    with Site("front", "side", "back") as site:
        tab.go(site.page.address)
        tab.wait_for(f"{names} === 'front,side,back'")
        # begins anew, as after a change of its camera
        site.page.remove("front")
        site.begin("front")
        tab.wait_for(f"{names} === 'side,back,front'")
        site.page.arrange(["front", "gone", "side"])
        tab.wait_for(f"{names} === 'front,side,back'")


def test_without_a_connection_nothing_old_passes_for_live(tab: Tab) -> None:
    with Site() as site:
        unlock(site)
        tab.go(site.page.address)
        tab.wait_for(says(".word", "Unlocked"))
        port = int(site.host.partition(":")[2])
    tab.wait_for(says(".word", "Not known"))
    assert "what is shown is old" in tab.text("#connection")
    with Site(port=port) as site:
        unlock(site)
        tab.wait_for(says(".word", "Unlocked"))
        tab.wait_for(SHOWN)


def test_a_page_that_nobody_looks_at_asks_for_no_pictures(tab: Tab) -> None:
    with Site() as site:
        site.show("bare")
        tab.go(site.page.address)
        tab.wait_for(SHOWN)
        tab.evaluate("Object.defineProperty(document, 'hidden', {value: true}) && null")
        tab.wait_for("!document.querySelector('.view img').hasAttribute('src')")


def test_the_wrong_token_is_refused_and_the_right_one_shows_the_doors(tab: Tab) -> None:
    with Site(token=TOKEN) as site:
        tab.go(site.page.address)
        tab.wait_for("document.getElementById('token')")
        assert tab.evaluate("location.pathname") == "/login"
        log_in(tab, "a guess")
        tab.wait_for(says("[role=alert]", "That is not the token."))
        assert tab.evaluate("document.querySelectorAll('.door').length") == 0
        log_in(tab, TOKEN)
        tab.wait_for("document.querySelector('.door')")
        unlock(site)
        tab.wait_for(says(".word", "Unlocked"))
        tab.wait_for(SHOWN)
        assert tab.evaluate("document.cookie") == ""
    # Other tests go to the same host, where no token is needed.
    tab.forget()


def log_in(tab: Tab, token: str) -> None:
    tab.evaluate(f"document.getElementById('token').value = {token!r}")
    tab.evaluate("document.querySelector('form').requestSubmit()")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size_px", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_the_screen_and_breaks_no_rule_of_its_own(
    tab: Tab, size_px: tuple[int, int], dark: bool, tmp_path: Path
) -> None:
    width_px, height_px = size_px
    with Site("front", "a name that is far too long for a small screen" * 3) as site:
        site.show("bare")
        tab.leave()
        tab.look(width_px=width_px, height_px=height_px, dark=dark)
        tab.go(site.page.address)
        tab.wait_for(SHOWN)
        tab.wait_for(says(".word", "Locked"))
        assert tab.evaluate("document.documentElement.scrollWidth") <= width_px
        ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in ground.strip("rgb()").split(",")) / 3
        assert (brightness < 128) is dark
        assert contrast(tab, ".state") >= 4.5
        assert contrast(tab, "#changes time") >= 4.5
        tab.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 5000
    assert tab.errors == []


def contrast(tab: Tab, selector: str) -> float:
    """The contrast of an element's text with the ground it stands on, as WCAG defines it."""
    element = f"document.querySelector({selector!r})"
    tab.wait_for(element)
    ground = (
        f"(() => {{ let at = {element}; const clear = 'rgba(0, 0, 0, 0)';"
        "while (getComputedStyle(at).backgroundColor === clear) at = at.parentElement;"
        "return getComputedStyle(at).backgroundColor; })()"
    )
    darker, lighter = sorted(
        luminance(tab.evaluate(colour)) for colour in (ground, f"getComputedStyle({element}).color")
    )
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of a colour such as rgb(0, 114, 178)."""
    parts = [int(part) / 255 for part in colour.strip("rgb()").split(",")]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
