"""What the live page's server answers, over real connections."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from live_page import TOKEN, WAIT_SECONDS, Site

from monitor.errors import MaskgateError
from monitor.result import Result
from monitor.web.changes import Change
from monitor.web.login import WRONG_TOKENS

PATHS = ["/", "/state", "/video?door=front", "/picture?door=front", "/changes", "/changes/1.jpg"]
LOGIN = urlencode({"token": TOKEN})


@pytest.fixture(autouse=True)
def _the_server_ends() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "live page"]


def numbered(result: Result) -> bytes:
    """In place of a picture: its number, and as many bytes as a large picture has."""
    return b"picture %04d" % result.frame.index + bytes(100_000)


def parts(answer: http.client.HTTPResponse) -> Iterator[int]:
    """The numbers of the pictures in a stream."""
    # The head of the next part comes at once, not with its picture: until then a browser shows
    # nothing.
    head = [b"--frame\r\n", b"Content-Type: image/jpeg\r\n", b"\r\n"]
    while True:
        assert [answer.readline() for _ in head] == head
        yield int(answer.readline()[8:12])


def until(condition: Callable[[], object]) -> None:
    """Wait until a function returns something true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_every_answer_forbids_whatever_the_page_does_not_need() -> None:
    with Site() as site:
        for path in ("/", "/page.js", "/healthz", "/nowhere", "/login"):
            headers = site.ask(path).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none';")
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/order.js", "/page.js", "/page.css", "/icon.svg", "/login"])
def test_the_page_takes_nothing_from_elsewhere_and_nothing_inline(path: str) -> None:
    with Site() as site:
        text = site.ask(path).body.decode()
    addresses = set(re.findall(r"(?:https?:)?//[\w.]+", text)) - {"http://www.w3.org"}
    assert not {address for address in addresses if "." in address}
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=\"", text)


def test_the_picture_and_the_changes_of_a_door_can_be_had() -> None:
    with Site("front door", "back/yard") as site:
        assert site.ask("/picture?door=back/yard").status == 404
        for _ in range(3):
            site.show("masked", "back/yard")
        answer = site.ask(f"/picture?door={quote('back/yard')}")
        assert (answer.headers["content-type"], answer.body[:2]) == ("image/jpeg", b"\xff\xd8")
        until(lambda: json.loads(site.ask("/changes").body))
        [change] = json.loads(site.ask("/changes").body)
        assert (change["door"], change["what"]) == ("back/yard", "unlocked")
        assert site.ask(f"/changes/{change['number']}.jpg").body[:2] == b"\xff\xd8"
        assert site.ask("/changes/99.jpg").status == 404
        assert site.ask("/picture?door=cellar").status == 404
        assert site.ask("/video").status == 404


def kept(path: Path) -> Change:
    """A change from before the start, whose snapshot is to be in that file."""
    return Change(1, 1_770_000_000.0, "front", "denied", "no mask", True, path)


def test_the_snapshot_of_an_earlier_change_is_had_by_its_number_alone(tmp_path: Path) -> None:
    snapshot = tmp_path / "20260131-front.jpg"
    snapshot.write_bytes(b"\xff\xd8 kept")
    with Site(earlier=[kept(snapshot)]) as site:
        answer = site.ask("/changes/1.jpg")
        assert (answer.status, answer.body) == (200, b"\xff\xd8 kept")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"
        # Nothing says where it lies, so nothing can be asked for by that.
        listed = site.ask("/changes").body
        assert json.loads(listed)[0]["pictured"]
        assert snapshot.name.encode() not in listed
        for name in (
            snapshot.name,
            "2.jpg",
            "-1.jpg",
            "one.jpg",
            # More digits than Python takes for a number.
            f"{'1' * 5000}.jpg",
            "1.jpg/..",
            f"../{snapshot.name}",
            f"..%2f{snapshot.name}",
            quote(str(snapshot), safe=""),
        ):
            assert site.ask(f"/changes/{name}").status == 404


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("expired.jpg", id="deleted since"),
        pytest.param("", id="a folder"),
        pytest.param("\0.jpg", id="no name at all"),
    ],
)
def test_a_snapshot_that_cannot_be_had_is_not_found(path: str, tmp_path: Path) -> None:
    with Site(earlier=[kept(tmp_path / path)]) as site:
        assert site.ask("/changes/1.jpg").status == 404


def test_the_snapshot_of_an_earlier_change_needs_the_token_too(tmp_path: Path) -> None:
    snapshot = tmp_path / "20260131-front.jpg"
    snapshot.write_bytes(b"\xff\xd8 kept")
    with Site(token=TOKEN, earlier=[kept(snapshot)]) as site:
        assert site.ask("/changes/1.jpg").status == 401
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert site.ask("/changes/1.jpg", headers=shown).status == 200


def test_the_state_is_told_as_it_changes() -> None:
    with Site() as site:
        connection = site.connect()
        connection.request("GET", "/state")
        answer = connection.getresponse()
        assert answer.headers["content-type"].startswith("text/event-stream")

        def door() -> dict[str, object]:
            line = next(line for line in iter(answer.readline, b"") if line.startswith(b"data:"))
            told: dict[str, object] = json.loads(line[5:])["doors"][0]
            return told

        assert door()["door"] is None
        for _ in range(3):
            site.show("masked")
        until(lambda: door()["door"] == "unlocked")
        site.show("bare")
        until(lambda: door()["door"] == "locked")


@pytest.mark.parametrize(
    "anew", [pytest.param(False, id="it is gone"), pytest.param(True, id="it begins anew")]
)
def test_the_video_of_a_door_ends_with_what_it_shows(anew: bool) -> None:
    with Site(encode=numbered) as site:
        site.show("masked")
        connection = site.connect()
        connection.request("GET", "/video?door=front")
        answer = connection.getresponse()
        assert next(parts(answer)) == 0
        site.page.remove("front")
        if anew:
            site.begin("front")
        assert answer.read() in (b"", b"--frame\r\nContent-Type: image/jpeg\r\n\r\n")


def test_a_slow_viewer_gets_fewer_pictures_but_the_newest_ones() -> None:
    shown = 60
    with Site(encode=numbered) as site:
        site.show("masked")
        fast, slow = site.connect(), site.connect()
        slow.sock = with_little_room(site.host)
        for connection in (fast, slow):
            connection.request("GET", "/video?door=front")
        seen_fast, seen_slow = parts(fast.getresponse()), parts(slow.getresponse())
        assert (next(seen_fast), next(seen_slow)) == (0, 0)
        # Now the slow one looks away, while the fast one sees every picture.
        for number in range(1, shown):
            site.show("masked")
            assert next(seen_fast) == number
        late = []
        while not late or late[-1] != shown - 1:
            late.append(next(seen_slow))
        assert late == sorted(set(late))
        assert len(late) < shown / 4


def with_little_room(host: str) -> socket.socket:
    """A connection whose system holds few bytes that were not read."""
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    viewer.settimeout(WAIT_SECONDS)
    viewer.connect(tuple_of(host))
    return viewer


def tuple_of(host: str) -> tuple[str, int]:
    name, _, port = host.partition(":")
    return name, int(port)


def test_several_viewers_share_one_encoding_and_none_is_made_without_them() -> None:
    encoded: list[int] = []

    def count(result: Result) -> bytes:
        encoded.append(result.frame.index)
        return numbered(result)

    with Site(encode=count) as site:
        for _ in range(3):
            site.show("nobody")
        assert site.ask("/healthz").status == 200
        assert encoded == []
        viewers = [site.connect() for _ in range(3)]
        for viewer in viewers:
            viewer.request("GET", "/video?door=front")
        streams = [parts(viewer.getresponse()) for viewer in viewers]
        assert [next(stream) for stream in streams] == [2, 2, 2]
        for number in range(3, 10):
            site.show("nobody")
            assert [next(stream) for stream in streams] == [number] * 3
        assert encoded == list(range(2, 10))


def test_the_server_ends_while_viewers_are_connected() -> None:
    with Site() as site:
        site.show("masked")
        for path in ("/video?door=front", "/state"):
            connection = site.connect()
            connection.request("GET", path)
            connection.getresponse()


def test_health_is_503_until_every_door_has_been_looked_at() -> None:
    with Site("front", "back") as site:
        answer = site.ask("/healthz")
        assert answer.status == 503
        site.show("masked", "front")
        assert site.ask("/healthz").status == 503
        site.show("masked", "back")
        answer = site.ask("/healthz")
        assert answer.status == 200
        said = json.loads(answer.body)
        assert (said["live"], said["ready"]) == (True, True)
        assert said["doors"]["back"]["ready"]
        for name in ("front", "back"):
            site.page.remove(name)
        assert site.ask("/healthz").status == 503
        assert 0 <= said["doors"]["back"]["frame_age_seconds"] < WAIT_SECONDS


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        # A name of someone else's that was made to point here.
        ("attacker.example", 403),
        ("127.0.0.1.attacker.example:8080", 403),
        ("", 403),
    ],
)
def test_without_a_token_only_this_machine_by_its_own_names_may_look(
    host: str, status: int
) -> None:
    with Site() as site:
        assert site.ask("/", headers={"Host": host}).status == status


def test_without_the_token_nothing_of_the_doors_is_shown() -> None:
    with Site(token=TOKEN) as site:
        for _ in range(3):
            site.show("masked")
        answer = site.ask("/")
        assert (answer.status, answer.headers["location"]) == (303, "login")
        for path in [*PATHS[1:], "/metrics", "/page.js", "/nowhere"]:
            assert site.ask(path).status == 401
        health = json.loads(site.ask("/healthz").body)
        assert health == {"live": True, "ready": True}


def test_a_host_that_holds_a_path_opens_nothing() -> None:
    with Site(token=TOKEN, orders=True) as site:
        for host in ("x/healthz?", "x/login#", "x/page.css?"):
            for path in ("/metrics", "/changes", "/changes/1.jpg", "/picture?door=front"):
                assert site.ask(path, headers={"Host": host}).status == 401
            headers = {"Host": host, "Origin": f"http://{host}"}
            order = "door=front&action=unlock&seconds=30&by=Ann"
            assert site.ask("/order", form=order, headers=headers).status == 401
            assert site.overrides["front"].order() is None


def test_with_the_token_a_browser_gets_a_cookie_that_scripts_and_other_sites_cannot_use() -> None:
    with Site(token=TOKEN) as site:
        answer = site.ask("/login", form=LOGIN)
        assert (answer.status, answer.headers["location"]) == (303, "./")
        cookie, *attributes = answer.headers["set-cookie"].split("; ")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(attributes)
        assert "Secure" not in attributes
        assert TOKEN not in cookie
        # a name of its own, as behind a proxy
        for host in (site.host, "door.example"):
            assert site.ask("/", headers={"Cookie": cookie, "Host": host}).status == 200
        assert site.ask("/", headers={"Cookie": cookie + "0"}).status == 303


def test_over_https_the_cookie_never_travels_unencrypted() -> None:
    with Site(token=TOKEN) as site:
        headers = {"Origin": "https://door.example", "Host": "door.example"}
        answer = site.ask("/login", form=LOGIN, headers=headers)
        assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_a_program_shows_the_token_in_a_header() -> None:
    with Site(token=TOKEN) as site:
        for scheme in ("Bearer", "bearer"):
            headers = {"Authorization": f"{scheme} {TOKEN}"}
            assert site.ask("/metrics", headers=headers).status == 200
        for wrong in (f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN):
            assert site.ask("/metrics", headers={"Authorization": wrong}).status == 401


@pytest.mark.parametrize("way", ["form", "header"])
def test_guessing_is_slowed_down_and_what_is_guessed_meanwhile_is_not_looked_at(way: str) -> None:
    with Site(token=TOKEN) as site:

        def show(token: str) -> int:
            if way == "form":
                return site.ask("/login", form=urlencode({"token": token})).status
            return site.ask("/metrics", headers={"Authorization": f"Bearer {token}"}).status

        refused = 403 if way == "form" else 401
        assert [show("guess") for _ in range(WRONG_TOKENS)] == [refused] * WRONG_TOKENS
        assert show("guess") == show(TOKEN) == 429


def test_behind_a_proxy_guesses_are_counted_for_each_client() -> None:
    with Site(token=TOKEN) as site:

        def show(token: str, client: str) -> int:
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": client}
            return site.ask("/metrics", headers=headers).status

        for _ in range(WRONG_TOKENS):
            assert show("guess", "192.0.2.1") == 401
        assert show(TOKEN, "192.0.2.1") == 429
        assert show(TOKEN, "192.0.2.2") == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        pytest.param("https://attacker.example", 403, id="another site"),
        pytest.param("null", 403, id="a page that hides where it is from"),
        pytest.param("", 403, id="none"),
        pytest.param("http://127.0.0.1:1", 403, id="another port of this machine"),
    ],
)
def test_a_form_of_another_site_is_refused(origin: str, status: int) -> None:
    with Site(token=TOKEN) as site:
        answer = site.ask("/login", form=LOGIN, headers={"Origin": origin})
        assert answer.status == status
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("", id="empty"),
        pytest.param("token=", id="no value"),
        pytest.param("\xff\xfe", id="no text"),
        pytest.param("token=" + "x" * 1_000_000, id="endless"),
    ],
)
def test_a_form_that_makes_no_sense_is_a_wrong_token(form: str) -> None:
    with Site(token=TOKEN) as site:
        assert site.ask("/login", form=form).status == 403


def test_an_address_that_cannot_be_had_is_a_clear_error() -> None:
    with (
        Site() as site,
        pytest.raises(MaskgateError, match=r"127\.0\.0\.1, port \d+: Address already in use"),
        Site(port=tuple_of(site.host)[1]),
    ):
        pass
    with pytest.raises(MaskgateError, match=r"no\.such\.host"), Site(host="no.such.host"):
        pass


def test_it_may_be_bound_to_an_address_of_version_6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("::1: no such address here")
    with Site(host="::1") as site:
        assert site.page.address.startswith("http://[::1]:")
        assert site.ask("/healthz").status == 503
