"""Orders that are given on the live page, over real connections."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

import pytest
from live_page import TOKEN, Answer, Site

from monitor.decision import Door
from monitor.web.orders import MOST_ORDERS

GOOD = {"door": "front", "action": "unlock", "seconds": "5", "by": "Ada"}


def order(site: Site, headers: dict[str, str] | None = None, **changed: str) -> Answer:
    return site.ask("/order", form=urlencode({**GOOD, **changed}), headers=headers)


def door(site: Site) -> Door | None:
    ordered = site.overrides["front"].order()
    return ordered.door if ordered else None


@pytest.mark.parametrize("action", ["lock", "unlock"])
def test_a_door_is_ordered_and_who_did_it_and_from_where_is_in_the_log(
    action: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Site("front", "back", orders=True) as site:
        answer = order(site, action=action)
        assert (answer.status, answer.body) == (200, f"front: {action}ed by Ada for 5 s\n".encode())
        assert door(site) == f"{action}ed"
        assert site.overrides["back"].order() is None
    said = f"front: {action}ed by Ada for 5 s on the live page from 127.0.0.1"
    assert caplog.record_tuples == [("monitor.door", logging.WARNING, said)]


def test_unless_it_is_enabled_there_is_no_such_address() -> None:
    with Site() as site:
        assert order(site).status == 404
        assert door(site) is None


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("https://attacker.example", id="another site"),
        pytest.param("null", id="a page that hides where it is from"),
        pytest.param("", id="none"),
        pytest.param("http://127.0.0.1:1", id="another port of this machine"),
    ],
)
def test_an_order_of_another_site_is_refused(origin: str) -> None:
    with Site(orders=True) as site:
        assert order(site, {"Origin": origin}).status == 403
        assert door(site) is None


def test_a_link_orders_nothing() -> None:
    with Site(orders=True) as site:
        assert site.ask(f"/order?{urlencode(GOOD)}").status == 405
        assert door(site) is None


def test_where_a_token_is_needed_to_look_it_is_needed_to_order() -> None:
    with Site(token=TOKEN, orders=True) as site:
        assert order(site).status == 401
        assert door(site) is None
        login = site.ask("/login", form=urlencode({"token": TOKEN}))
        cookie = login.headers["set-cookie"].partition(";")[0]
        assert order(site, {"Cookie": cookie, "Origin": "null"}).status == 403
        assert door(site) is None
        assert order(site, {"Cookie": cookie}).status == 200
        assert door(site) is Door.UNLOCKED


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"by": ""}, 409),  # nobody
        ({"by": "  "}, 409),
        ({"by": "Ada\nfront: locked by Ben"}, 409),  # would forge a line of the log
        ({"by": "A" * 65}, 409),
        ({"seconds": "61"}, 409),  # longer than the configuration allows
        ({"seconds": "0"}, 409),
        ({"seconds": "nan"}, 409),
        ({"seconds": "soon"}, 409),
        ({"action": "open"}, 400),  # no such action
        ({"door": "cellar"}, 400),  # no such door
        ({"by": "A" * 5000}, 400),  # too long a form has no fields
    ],
)
def test_an_order_that_makes_no_sense_changes_nothing(
    changed: dict[str, str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Site(orders=True) as site:
        assert order(site, **changed).status == status
        assert door(site) is None
    assert all(record.message.isprintable() for record in caplog.records)


def test_a_lock_that_lasts_refuses_an_unlock_and_says_whose_it_is() -> None:
    with Site(orders=True) as site:
        site.overrides["front"].request("lock", 60.0, "Ben")
        answer = order(site)
        assert answer.status == 409
        assert answer.body.startswith(b"Refused: front: locked by Ben, for another ")
        assert door(site) is Door.LOCKED


def test_too_many_unlocks_have_to_wait_and_keep_no_lock_from_passing() -> None:
    with Site(orders=True) as site:
        answers = [order(site).status for _ in range(MOST_ORDERS + 1)]
        assert answers == [200] * MOST_ORDERS + [429]
        assert order(site, action="lock").status == 200
        assert door(site) is Door.LOCKED
