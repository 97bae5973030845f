"""Orders that are given on the live page, by the dialog as people see it, in a real browser."""

from __future__ import annotations

import pytest
from browser import Tab, says
from live_page import Site

from monitor.decision import Door

VIDEOS = "[...document.querySelectorAll('.view img')].filter((image) => image.naturalWidth)"
NAMES = tuple(f"door {number}" for number in range(4))


@pytest.fixture(scope="module")
def other(tab: Tab) -> Tab:
    """Another window of the same browser."""
    return tab.beside()


def test_a_door_is_ordered_unlocked_only_after_the_page_has_asked_again(tab: Tab) -> None:
    with Site(orders=True) as site:
        site.show("bare")
        tab.leave()
        tab.go(site.page.address)
        tab.wait_for(says(".word", "Locked"))
        tab.wait_for("document.querySelector('.order')?.checkVisibility()")
        fill_in(tab, "Ada", "unlock")
        assert tab.text(".what") == (
            "Unlock front for 10 s, whatever the camera sees? Ada takes responsibility."
        )
        assert site.overrides["front"].order() is None
        tab.evaluate("document.querySelector('.confirm').click()")
        tab.wait_for(says("dialog .said", "front: unlocked by Ada for 10 s"))
        site.show("bare")
        tab.wait_for(says(".word", "Unlocked"))
        assert tab.text(".reason").startswith("unlocked by Ada")
        assert tab.errors == []


def test_an_order_that_is_refused_says_why(tab: Tab) -> None:
    with Site(orders=True) as site:
        site.show("bare")
        site.overrides["front"].request("lock", 60.0, "Ben")
        tab.go(site.page.address)
        tab.wait_for("document.querySelector('.order')?.checkVisibility()")
        fill_in(tab, "Ada", "unlock")
        tab.evaluate("document.querySelector('.confirm').click()")
        tab.wait_for("document.querySelector('dialog .said').innerText")
        assert tab.text("dialog .said").startswith("Refused: front: locked by Ben, for ")


def test_nobody_without_a_name_is_asked_to_confirm(tab: Tab) -> None:
    with Site(orders=True) as site:
        tab.go(site.page.address)
        tab.wait_for("document.querySelector('.order')?.checkVisibility()")
        tab.evaluate("document.querySelector('.order').click()")
        for name in ("''", "'  '"):
            tab.evaluate(f"document.querySelector('[name=by]').value = {name}")
            tab.evaluate("document.querySelector('[value=unlock]').click()")
            assert tab.evaluate("document.querySelector('dialog').dataset.step") == "ask"


def test_a_page_that_takes_no_orders_has_no_button_for_them(tab: Tab) -> None:
    with Site() as site:
        site.show("bare")
        tab.go(site.page.address)
        tab.wait_for(says(".word", "Locked"))
        assert not tab.evaluate("document.querySelector('.order').checkVisibility()")


def fill_in(tab: Tab, name: str, action: str) -> None:
    """Ask for an order as a user does, up to the question whether it is meant."""
    tab.evaluate("document.querySelector('.order').click()")
    tab.evaluate(f"document.querySelector('[name=by]').value = {name!r}")
    tab.evaluate(f"document.querySelector('[value={action}]').click()")
    tab.wait_for("document.querySelector('.confirm').checkVisibility()")


@pytest.mark.parametrize(("action", "door"), [("unlock", Door.UNLOCKED), ("lock", Door.LOCKED)])
def test_an_order_is_carried_out_while_another_window_shows_as_many_videos_as_it_can(
    tab: Tab, other: Tab, action: str, door: Door
) -> None:
    with Site(*NAMES, orders=True) as site:
        look_from_both(tab, other, site)
        fill_in(tab, "Ada", action)
        tab.evaluate("document.querySelector('.confirm').click()")
        tab.wait_for("document.querySelector('dialog').dataset.step === 'done'")
        assert tab.text("dialog .said") == f"door 0: {action}ed by Ada for 10 s"
        ordered = site.overrides["door 0"].order()
        assert ordered
        assert ordered.door is door
        other.leave()
        tab.wait_for(f"{VIDEOS}.length === {len(NAMES)}")
    tab.leave()


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "waited for"])
def test_an_order_that_finds_no_connection_is_given_up_and_never_carried_out_later(
    tab: Tab, other: Tab, closed: bool
) -> None:
    with Site(*NAMES, orders=True) as site:
        look_from_both(tab, other, site)
        # More than there are connections, and each asks for its own before the order does.
        other.evaluate("Array.from({length: 9}, () => fetch('video?door=door+0')) && null")
        fill_in(tab, "Ada", "unlock")
        tab.evaluate("document.querySelector('.confirm').click()")
        if closed:
            tab.evaluate("document.querySelector('dialog').close()")
        else:
            tab.wait_for("document.querySelector('dialog').dataset.step === 'done'")
            assert tab.text("dialog .said") == (
                "No answer within 3 s, given up: look whether the door has changed."
            )
        other.leave()
        # What this window asks for comes through again, and the order is not in front of it.
        tab.wait_for(f"{VIDEOS}.length === {len(NAMES)}")
        assert site.overrides["door 0"].order() is None
    tab.leave()


def look_from_both(tab: Tab, other: Tab, site: Site) -> None:
    """Open the page in a window that shows all videos, then in one that has too few connections."""
    for name in NAMES:
        site.show("bare", name)
    other.go(site.page.address)
    other.wait_for(f"{VIDEOS}.length === {len(NAMES)}")
    tab.go(site.page.address)
    tab.wait_for("document.querySelector('.order')?.checkVisibility()")
