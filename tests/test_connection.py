"""How long the live page's server keeps connections, and how many."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest
from live_page import TOKEN, WAIT_SECONDS, Site

from monitor.web import connection, form
from monitor.web.connection import MOST_CONNECTIONS

ASKED = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
UNFINISHED_FORM = (
    b"POST /login HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: 100\r\n\r\ntoken="
)


@pytest.fixture
def site() -> Iterator[Site]:
    """A page behind a token, whose server does not wait long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "IDLE_SECONDS", 0.2)
        patch.setattr(form, "BODY_SECONDS", 0.2)
        with Site(token=TOKEN) as site:
            yield site


def connected(site: Site) -> socket.socket:
    host, _, port = site.host.partition(":")
    return socket.create_connection((host, int(port)), WAIT_SECONDS)


def rest(client: socket.socket) -> bytes:
    """What the server says until it ends the connection."""
    said = b""
    try:
        while some := client.recv(65536):
            said += some
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(b"", 0, id="nothing asked"),
        pytest.param(ASKED[:-2], 0, id="half a request"),
        pytest.param(ASKED, 1, id="nothing more asked"),
        pytest.param(ASKED + ASKED[:9], 1, id="half a request after another"),
        pytest.param(UNFINISHED_FORM, 1, id="half a form"),
    ],
)
def test_who_asks_nothing_more_is_not_kept(site: Site, sent: bytes, answers: int) -> None:
    with connected(site) as client:
        client.sendall(sent)
        assert rest(client).count(b"HTTP/1.1 ") == answers


def test_a_request_that_comes_byte_by_byte_is_not_waited_for(site: Site) -> None:
    with connected(site) as client:
        client.settimeout(0.02)
        for _ in range(round(WAIT_SECONDS / 0.02)):
            try:
                client.sendall(b"G")
                if client.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                return
        raise AssertionError("the connection is still open")


def test_what_is_being_answered_is_not_cut_off_however_long_it_takes(site: Site) -> None:
    with connected(site) as client, connected(site) as idle:
        client.sendall(
            b"GET /state HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n\r\n" % TOKEN.encode()
        )
        # Of connections that come after it, some have come to their end several times over.
        rest(idle)
        for _ in range(5):
            with connected(site) as another:
                rest(another)
        seen = b""
        while seen.count(b"data:") < 6:
            some = client.recv(65536)
            assert some
            seen += some


def test_more_connections_than_are_kept_are_ended_at_once_and_are_few_again_later() -> None:
    with Site(token=TOKEN) as site:
        clients = [connected(site) for _ in range(MOST_CONNECTIONS + 20)]
        assert [rest(client) for client in clients[MOST_CONNECTIONS:]] == [b""] * 20
        for client in clients:
            client.close()
        assert site.ask("/healthz").status == 503


def test_who_leaves_amid_a_form_leaves_no_traceback(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        with connected(site) as client:
            client.sendall(UNFINISHED_FORM)
        assert site.ask("/healthz").status == 503
        with connected(site) as another:
            rest(another)
    assert not caplog.records
