"""Secrets: read from where the configuration names, refused when unsure, never shown."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from monitor.errors import ConfigError
from monitor.schema import Section, read
from monitor.secret import EnvSecret, FileSecret, unless

HIDDEN = "hunter2-ünïcode"


class Broker(Section):
    """A section whose password may be left out."""

    password_env: EnvSecret | None = None
    password_file: Annotated[FileSecret | None, unless("password_env")] = None


class Bell(Section):
    """A section that must have its secret."""

    secret_env: EnvSecret | None = None
    secret_file: Annotated[
        FileSecret | None, unless("secret_env", required=True), Field(validate_default=True)
    ] = None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{HIDDEN}\n", "utf-8")
    path.chmod(0o600)
    return path


def test_a_secret_comes_from_the_variable_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELL", HIDDEN)
    bell = read(Bell, {"secret_env": "BELL"}, "door.yaml")
    assert bell.secret_env
    assert bell.secret_env.get_secret_value() == HIDDEN


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_comes_from_the_file_that_is_named_without_its_line_end(
    file: Path, ending: str
) -> None:
    file.write_bytes((HIDDEN + ending).encode())
    bell = read(Bell, {"secret_file": str(file)}, "door.yaml")
    assert bell.secret_file
    assert bell.secret_file.get_secret_value() == HIDDEN


def test_a_secret_is_never_shown(file: Path) -> None:
    bell = read(Bell, {"secret_file": str(file)}, "door.yaml")
    for shown in (repr(bell), str(bell), repr(bell.model_dump()), bell.model_dump_json()):
        assert HIDDEN not in shown
        assert "hunter2" not in shown


def test_an_optional_secret_may_be_left_out() -> None:
    assert read(Broker, {}, "door.yaml") == Broker()


@pytest.mark.parametrize(
    ("kind", "content", "complaint"),
    [
        pytest.param(
            Bell, {}, "secret_file: nothing found, expected this or secret_env", id="neither"
        ),
        pytest.param(
            Broker,
            {"password_env": "BELL", "password_file": "{file}"},
            "password_file: found beside password_env, expected one of the two",
            id="both",
        ),
        # Whoever puts the secret itself there must not find it in a log.
        pytest.param(
            Bell,
            {"secret_env": HIDDEN},
            "secret_env: no environment variable of that name found, expected one that is set",
            id="the secret in place of a name",
        ),
        pytest.param(
            Bell, {"secret_env": "EMPTY"}, "secret_env: nothing found in the variable", id="empty"
        ),
        pytest.param(Bell, {"secret_env": "A\0B"}, "no environment variable", id="a NUL in a name"),
        pytest.param(Bell, {"secret_env": 3}, "secret_env: found 3, expected text", id="no text"),
        pytest.param(
            Bell, {"secret_file": "{file}/x"}, "secret_file: .*: Not a directory", id="no file"
        ),
        pytest.param(Bell, {"secret_file": "{file}.none"}, "No such file", id="a missing file"),
        pytest.param(Bell, {"secret_file": "/"}, "Is a directory", id="a folder"),
        pytest.param(Bell, {"secret_file": "a\0b"}, "null byte", id="a NUL in a path"),
        pytest.param(Bell, {"secret_file": "/dev/null"}, "nothing found in", id="an empty file"),
        pytest.param(Bell, {"secret_file": "/dev/zero"}, "more found", id="a file without end"),
    ],
)
def test_a_secret_that_is_not_there_is_a_configuration_error(
    kind: type[Section],
    content: dict[str, object],
    complaint: str,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BELL", HIDDEN)
    monkeypatch.setenv("EMPTY", "")
    named = {
        key: value.replace("{file}", str(file)) if isinstance(value, str) else value
        for key, value in content.items()
    }
    with pytest.raises(ConfigError, match=complaint) as refusal:
        read(kind, named, "door.yaml")
    assert HIDDEN not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"\xff\xfe", "other bytes found, expected UTF-8", id="not text"),
        pytest.param(b"one\ntwo\n", "a line break or control character", id="two lines"),
        pytest.param(b"\n", "nothing found", id="an empty line"),
    ],
)
def test_a_file_that_holds_no_single_line_of_text_is_refused(
    file: Path, content: bytes, complaint: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=complaint):
        read(Bell, {"secret_file": str(file)}, "door.yaml")


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_file_that_everyone_may_read_is_warned_about(
    file: Path, mode: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        read(Bell, {"secret_file": str(file)}, "door.yaml")
    assert bool(caplog.messages) is warned
    assert HIDDEN not in caplog.text
