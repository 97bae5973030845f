"""The live page beside `monitor run`: where it is served, to whom, and when it is not."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.config import load
from monitor.errors import ConfigError

Clip = Callable[..., Path]
TOKEN = "a token that is long enough"

_WITHOUT_THE_EXTRA = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("starlette", "uvicorn", "prometheus_client"):
            raise {error}(f"no {{name}}", name=name)

sys.meta_path.insert(0, NotInstalled())
from colours import ColourDetector
from monitor import cli, parts
parts.Detector = ColourDetector
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def configure(web: str) -> None:
    Path("config.yaml").write_text(f"web: {{{web}}}\n", "utf-8")


@pytest.mark.usefixtures("colour_model")
def test_run_says_where_the_page_is_and_serves_it_until_it_ends(
    clip: Clip, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("port: 0")
    healthy: list[int] = []

    def look(*_: object) -> None:
        said.append(capsys.readouterr().err)
        found = re.search(r"live page: (http://127\.0\.0\.1:\d+/)\n", "".join(said))
        assert found
        with urllib.request.urlopen(f"{found[1]}metrics", timeout=30) as answer:
            healthy.append(answer.status)

    said: list[str] = []
    monkeypatch.setattr("monitor.service.Service.ready", look)
    assert main(["run", "--no-window", "--source", str(clip("hall", [("masked", 5)]))]) == 0
    assert healthy == [200]
    assert not [thread for thread in threading.enumerate() if thread.name == "live page"]


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize(
    ("arguments", "serve"), [(["run", "--no-window", "--source"], "never"), (["replay"], "always")]
)
def test_there_is_no_page_where_none_is_wanted_and_none_in_a_replay(
    clip: Clip, capsys: pytest.CaptureFixture[str], arguments: list[str], serve: str
) -> None:
    configure(f"serve: {serve}, port: 0")
    assert main([*arguments, str(clip("hall", [("bare", 2)]))]) == 0
    assert "page" not in capsys.readouterr().err


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize(("serve", "code"), [("always", 1), ("auto", 0)])
def test_a_port_in_use_is_said_at_the_start(
    clip: Clip, capsys: pytest.CaptureFixture[str], serve: str, code: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        configure(f"serve: {serve}, port: {port}")
        assert main(["run", "--no-window", "--source", str(clip("hall", [("bare", 2)]))]) == code
    err = capsys.readouterr().err
    assert f"web: 127.0.0.1, port {port}: Address already in use; expected" in err


@pytest.mark.parametrize(
    ("error", "serve", "code"),
    [
        ("ModuleNotFoundError", "always", 2),
        ("ModuleNotFoundError", "auto", 0),
        # what a version without a name that is needed raises
        ("ImportError", "always", 2),
        ("ImportError", "auto", 0),
    ],
)
def test_without_the_extra_doors_are_watched_all_the_same(
    clip: Clip, error: str, serve: str, code: int
) -> None:
    configure(f"serve: {serve}")
    arguments = ["run", "--no-window", "--source", str(clip("hall", [("bare", 2)]))]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_THE_EXTRA.format(error=error), *arguments],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert "pip install '.[web]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert (": 2 frames, " in done.stdout) is (code == 0)


@pytest.mark.parametrize(
    ("web", "complaint"),
    [
        ("host: 0.0.0.0", "expected token_env or token_file with the host 0.0.0.0"),
        ("host: '::'", "expected token_env or token_file with the host ::"),
        ("host: door.example", "expected token_env or token_file with the host door.example"),
        ("host: 0.0.0.0, token_env: SHORT", "expected a token of at least 16 characters"),
        ("token_env: NOT_SET", "no environment variable of that name"),
        ("token_file: nowhere", "'nowhere': No such file"),
        ("token: abc", "web.token: unknown key"),
        ("port: 65536", "web.port: found 65536, expected"),
        ("serve: maybe", "web.serve: found 'maybe', expected"),
    ],
)
def test_a_page_for_others_without_a_good_token_is_refused(
    monkeypatch: pytest.MonkeyPatch, web: str, complaint: str
) -> None:
    monkeypatch.setenv("SHORT", "fifteen letters")
    monkeypatch.delenv("NOT_SET", raising=False)
    configure(web)
    with pytest.raises(ConfigError, match=re.escape(complaint)) as refusal:
        load(None)
    assert "fifteen letters" not in str(refusal.value)


@pytest.mark.parametrize(
    "web",
    [
        "host: localhost",
        "host: '::1'",
        "host: 127.0.0.5",
        "host: 0.0.0.0, token_env: DOOR_TOKEN",
        "host: 0.0.0.0, token_file: token",
        "token_file: token",
    ],
)
def test_a_page_for_this_machine_or_with_a_token_is_accepted(
    monkeypatch: pytest.MonkeyPatch, web: str
) -> None:
    monkeypatch.setenv("DOOR_TOKEN", TOKEN)
    Path("token").write_text(f"{TOKEN}\n", "utf-8")
    configure(web)
    section = load(None).web
    assert (section.token is not None) is ("token" in web)
    assert section.token is None or section.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(section)
