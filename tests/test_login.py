from __future__ import annotations

import pytest

from monitor.web.login import BLOCKED_SECONDS, SESSION_SECONDS, WRONG_TOKENS, Blocked, Login

TOKEN = "a token that is long enough"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("token", "accepted"),
    [
        pytest.param(TOKEN, True, id="the token"),
        pytest.param("", False, id="nothing"),
        pytest.param(TOKEN[:-1], False, id="its beginning"),
        pytest.param(TOKEN + "x", False, id="more than it"),
        pytest.param(TOKEN.upper(), False, id="other letters"),
        pytest.param("\N{LOCK}", False, id="not ASCII"),
    ],
)
def test_only_the_token_is_accepted(token: str, accepted: bool) -> None:
    assert Login(TOKEN).accepts(token, "10.0.0.1") is accepted


def test_after_some_wrong_tokens_a_client_has_to_wait_and_others_do_not() -> None:
    clock = Clock()
    login = Login(TOKEN, clock=clock)
    for _ in range(WRONG_TOKENS):
        clock.now += 1.0
        assert not login.accepts("guess", "10.0.0.1")
    with pytest.raises(Blocked):
        login.accepts(TOKEN, "10.0.0.1")
    assert login.accepts(TOKEN, "10.0.0.2")
    clock.now = 1001.0 + BLOCKED_SECONDS
    assert login.accepts(TOKEN, "10.0.0.1")


def test_the_right_token_clears_the_count_of_wrong_ones() -> None:
    login = Login(TOKEN, clock=Clock())
    for _ in range(3):
        for _ in range(WRONG_TOKENS - 1):
            assert not login.accepts("guess", "10.0.0.1")
        assert login.accepts(TOKEN, "10.0.0.1")


def test_a_crowd_of_clients_does_not_fill_the_memory() -> None:
    login = Login(TOKEN, clock=Clock())
    for number in range(5000):
        login.accepts("guess", f"client {number}")
    assert len(login._wrong) <= 1000


def test_a_cookie_is_known_until_it_ends_also_after_a_restart() -> None:
    clock = Clock()
    cookie = Login(TOKEN, clock=clock).cookie()
    again = Login(TOKEN, clock=clock)
    assert again.knows(cookie)
    clock.now += SESSION_SECONDS - 1
    assert again.knows(cookie)
    clock.now += 1
    assert not again.knows(cookie)


def test_a_cookie_made_with_another_token_is_not_known() -> None:
    assert not Login(TOKEN).knows(Login("another token, as long").cookie())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda cookie: "", id="none"),
        pytest.param(lambda cookie: "9" + cookie, id="a later end"),
        pytest.param(lambda cookie: cookie[:-1], id="a shorter signature"),
        pytest.param(lambda cookie: cookie.partition(".")[0], id="no signature"),
        pytest.param(lambda cookie: "." + cookie.partition(".")[2], id="no end"),
        pytest.param(lambda cookie: "\xe9.\xe9", id="not ASCII"),
    ],
)
def test_a_cookie_that_was_tampered_with_is_not_known(change: object) -> None:
    login = Login(TOKEN)
    assert callable(change)
    assert not login.knows(change(login.cookie()))
