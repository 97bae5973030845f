"""The configuration: its defaults, what it refuses and how it says so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from monitor.actuators.sections import (
    CommandSection,
    GpioSection,
    LogSection,
    MqttSection,
    WebhookSection,
)
from monitor.config import Config, load
from monitor.door_section import DoorSection
from monitor.errors import ConfigError, SourceError
from monitor.sources import open_source
from monitor.strict_yaml import read_yaml

SHIPPED = Path(__file__).parent.parent / "config.yaml"


def load_text(folder: Path, text: str | bytes) -> Config:
    """The configuration in a file with this text."""
    path = folder / "door.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def test_the_shipped_file_is_the_built_in_defaults() -> None:
    assert load(SHIPPED) == Config()


def keys_of(section: type[BaseModel]) -> set[str]:
    """Every key of a section and of the sections inside it."""
    keys: set[str] = set()
    for name, field in section.model_fields.items():
        keys.add(name)
        nested = [field.annotation, *get_args(field.annotation)]
        for kind in nested:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                keys |= keys_of(kind)
    return keys


@pytest.mark.parametrize(
    "section",
    [Config, DoorSection, LogSection, CommandSection, MqttSection, WebhookSection, GpioSection],
)
def test_every_key_stands_in_the_shipped_file(
    section: type[BaseModel],
) -> None:
    written = set(re.findall(r"^[\s#-]*(\w+):", SHIPPED.read_text("utf-8"), re.MULTILINE))
    assert keys_of(section) <= written


def test_the_commented_actuators_in_the_shipped_file_are_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOOR_SECRET", "key of the signature")
    text = SHIPPED.read_text("utf-8")
    config = load_text(tmp_path, re.sub("^      # ", "      ", text, flags=re.MULTILINE))
    log, command, mqtt, webhook, gpio = config.doors[0].actuators
    assert isinstance(log, LogSection)
    assert isinstance(command, CommandSection)
    assert isinstance(webhook, WebhookSection)
    assert isinstance(gpio, GpioSection)
    assert webhook.secret == "key of the signature"
    assert webhook == WebhookSection(
        kind="webhook", name=webhook.name, url=webhook.url, secret_env="DOOR_SECRET"
    )
    assert gpio == GpioSection(kind="gpio", name=gpio.name, pin=17)
    assert command.lock == ("/usr/local/bin/strike", "lock")
    assert command.timeout_seconds == CommandSection.model_fields["timeout_seconds"].default
    assert mqtt == MqttSection(kind="mqtt", name="lock", host="localhost", topic="maskgate/door")


def test_without_a_name_the_file_in_the_folder_is_read_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None) == Config()
    Path("config.yaml").write_text("window: never\n", "utf-8")
    assert load(None).window == "never"


def test_a_named_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        pytest.param("url: ftp://x/, secret_env: KEY", "url: something else found", id="ftp"),
        pytest.param("url: 'https:///x', secret_env: KEY", "url: something else", id="no host"),
        pytest.param("url: 'http://x:y/', secret_env: KEY", "url: something else", id="no port"),
        pytest.param("url: 'http://a:hidden@x/', secret_env: KEY", "url: some", id="a password"),
        pytest.param("url: http://x/", "secret_file: nothing found, expected this or", id="no key"),
        pytest.param("url: http://x/, secret_env: hidden", "secret_env: no env", id="not set"),
        pytest.param("url: http://x/, secret: hidden", "secret: unknown key found", id="in plain"),
    ],
)
def test_a_webhook_that_is_wrong_is_refused_without_showing_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str, complaint: str
) -> None:
    monkeypatch.setenv("KEY", "key of the signature")
    text = f"doors: [{{name: x, actuators: [{{kind: webhook, name: y, {keys}}}]}}]"
    with pytest.raises(ConfigError, match=rf"doors\[0\]\.actuators\[0\]\.{complaint}") as refusal:
        load_text(tmp_path, text)
    assert "hidden" not in str(refusal.value)


def test_a_light_for_the_denied_needs_a_pin_of_its_own(tmp_path: Path) -> None:
    text = "doors: [{name: x, actuators: [{kind: gpio, name: y, pin: 17, deny_pin: 17}]}]"
    with pytest.raises(ConfigError, match="deny_pin: found 17, expected another pin"):
        load_text(tmp_path, text)


@pytest.mark.parametrize(
    ("value", "source"),
    [("0", 0), ("'0'", "0"), ("rtsp://camera/1", "rtsp://camera/1"), ("demo", "demo")],
)
def test_a_source_is_a_number_or_text(tmp_path: Path, value: str, source: int | str) -> None:
    config = load_text(tmp_path, f"doors: [{{name: front, source: {value}}}]")
    assert config.doors[0].source == source
    assert type(config.doors[0].source) is type(source)


@pytest.mark.parametrize(("index", "exists"), [(0, True), (99, True), (100, False)])
def test_a_camera_index_is_refused_where_no_source_would_take_it(
    tmp_path: Path, index: int, exists: bool
) -> None:
    text = f"doors: [{{name: front, source: {index}}}]"
    if exists:
        assert open_source(load_text(tmp_path, text).doors[0].source).live
        return
    with pytest.raises(ConfigError, match=f"found {index}, expected a camera index of 0 to 99,"):
        load_text(tmp_path, text)
    with pytest.raises(SourceError, match="expected an index of 0 to 99"):
        open_source(index)


@pytest.mark.parametrize(
    "source",
    [
        # the line break that a block of text ends with
        "|\n    rtsp://admin:s3cret@cam/1\n",
        '"rtsp://admin:s3cret@cam/1\\t"',
    ],
)
def test_a_source_that_is_not_one_line_is_refused_without_its_password(
    tmp_path: Path, source: str
) -> None:
    text = f"doors:\n- name: front\n  source: {source}"
    with pytest.raises(ConfigError, match=r"doors\[0\]\.source: .*expected a camera") as refusal:
        load_text(tmp_path, text)
    assert "s3cret" not in str(refusal.value)


def test_a_key_that_is_called_as_the_kind_is_told_from_it(tmp_path: Path) -> None:
    section = "{kind: command, command: x, name: strike, lock: [/bin/true, 1], unlock: [a]}"
    with pytest.raises(ConfigError) as refusal:
        load_text(tmp_path, f"doors: [{{name: x, actuators: [{section}]}}]")
    assert [line.strip() for line in str(refusal.value).splitlines()[1:]] == [
        "doors[0].actuators[0].lock[1]: found 1, expected text",
        "doors[0].actuators[0].command: unknown key found, expected none of that name",
    ]


def test_every_wrong_value_is_said_at_once_with_key_found_and_expected(tmp_path: Path) -> None:
    text = """
modle: {}
window: maybe
model: {threads: -1, device: gpu, path: 3}
doors:
  - nme: x
    source: true
    mirror: yes
    rotate_degrees: 45
    zones: {watch: [[[0, 0], [1]], [[0, 0], [1, 1]]], ignore: [[[0, 0], [1, 2], [0, 1, 2]]]}
    policy: {allowed: [], grant: 0.3, deny: 0.5, hold_seconds: .nan, min_faces: 1.5}
    actuators:
      - {kind: command, name: strike, lock: [], timeout_seconds: 0}
      - {kind: bell}
      - {name: log}
      - bell
  - {name: "", policy: 3}
  - {name: y, policy: {grant: 0, deny: 0.049}}
"""
    with pytest.raises(ConfigError) as refusal:
        load_text(tmp_path, text)
    first, *lines = str(refusal.value).splitlines()
    assert first == f"{tmp_path / 'door.yaml'}: 28 errors"
    assert sorted(line.strip() for line in lines) == sorted(
        [
            "modle: unknown key found, expected none of that name",
            "window: found 'maybe', expected 'auto' or 'never'",
            "model.threads: found -1, expected greater than or equal to 0",
            "model.device: found 'gpu', expected 'auto', 'cpu', 'cuda' or 'tensorrt'",
            "model.path: found 3, expected text",
            "doors[0].nme: unknown key found, expected none of that name",
            "doors[0].name: nothing found, expected a value",
            "doors[0].source: found true, expected a camera index of 0 to 99, a device path, "
            "URL, file or folder, or demo",
            "doors[0].mirror: found 'yes', expected true or false",
            "doors[0].rotate_degrees: found 45, expected 0, 90, 180 or 270",
            "doors[0].zones.watch[0][1][1]: nothing found, expected a value",
            "doors[0].zones.watch[1]: found a list of 2, expected at least 3 different points",
            "doors[0].zones.ignore[0][1][1]: found 2, expected less than or equal to 1",
            "doors[0].zones.ignore[0][2]: found a list of 3, expected at most 2 entries",
            "doors[0].policy.allowed: found a list of 0, expected at least 1 entry",
            "doors[0].policy.deny: found 0.5, expected at most grant, 0.3",
            "doors[0].policy.hold_seconds: found nan, expected a finite number",
            "doors[0].policy.min_faces: found 1.5, expected a valid integer",
            "doors[0].actuators[0].lock: found a list of 0, expected at least 1 entry",
            "doors[0].actuators[0].unlock: nothing found, expected a value",
            "doors[0].actuators[0].timeout_seconds: found 0, expected greater than 0",
            "doors[0].actuators[1].kind: found 'bell', expected 'log', 'command', 'mqtt', "
            "'webhook', 'gpio'",
            "doors[0].actuators[2].kind: found nothing, expected a value",
            "doors[0].actuators[3]: found 'bell', expected a mapping of keys to values",
            "doors[1].name: found '', expected printable text",
            "doors[1].policy: found 3, expected a mapping of keys to values",
            "doors[2].policy.grant: found 0, expected greater than or equal to 0.05",
            "doors[2].policy.deny: found 0.049, expected greater than or equal to 0.05",
        ]
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "nothing found in it", id="empty"),
        pytest.param("# only a comment\n", "nothing found in it", id="only a comment"),
        pytest.param("- 1\n", "the whole file: found a list of 1, expected a mapping", id="a list"),
        pytest.param("3", "the whole file: found 3, expected a mapping", id="a number"),
        pytest.param("doors: []", "doors: found a list of 0, expected at least 1", id="no door"),
        pytest.param(
            "doors: [{name: a}, {name: b}, {name: a}]",
            "doors: found a list of 3, expected a name: of its own for each, not 'a' twice",
            id="two doors of one name",
        ),
        pytest.param(
            "doors: [{name: a, actuators: [{kind: gpio, name: b, pin: 1}, {kind: log, name: b}]}]",
            r"doors\[0\]\.actuators: found a list of 2, expected a name: of its own for each, "
            "not 'b' twice",
            id="two actuators of one name",
        ),
        pytest.param(
            "doors: [{name: a, actuators: [{kind: log}, {kind: log}]}]",
            "doors.*actuators: found a list of 2, expected a name: of its own .* 'log' twice",
            id="two actuators without a name",
        ),
        pytest.param(
            "window: auto\n\nwindow: never\n",
            "line 3: key 'window' found twice, first on line 1, expected once",
            id="a key twice",
        ),
        pytest.param(
            "model:\n  {path: a,\n path: b}", "line 3: key 'path' found twice", id="twice inside"
        ),
        pytest.param("model:\n\tpath: a\n", "line 2: .*'.t' that cannot start", id="a tab"),
        pytest.param("model: [1\n", "line 2: .*expected ',' or ']'", id="not closed"),
        pytest.param(b"model:\n path: \xff", "line 2: byte 0xff found, expected UTF-8", id="bytes"),
        pytest.param("a:\n  \x01", r"line 2: character U\+0001 found", id="a control character"),
        pytest.param("a: *b", "line 1: .*undefined alias", id="an alias of nothing"),
        pytest.param("doors: &a [*a]", r"doors\[0\]: found a list", id="an endless alias"),
        pytest.param("<<: {window: never}", "<<: unknown key", id="a merge"),
        pytest.param("a: !!python/name:os.system", "line 1: tag .*expected plain", id="a tag"),
        pytest.param("1: x", "line 1: a key that is not text", id="a number as key"),
        pytest.param("? [a]\n: x", "line 1: a key that is not text", id="a list as key"),
        pytest.param("a: 1\n---\na: 1\n", "line 2: .*single document", id="two documents"),
        pytest.param("[" * 5000, "too deeply nested", id="nested too deeply"),
        pytest.param("a: " + "9" * 5000, "Exceeds the limit", id="a number without end"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    tmp_path: Path, text: str | bytes, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"door\.yaml: {complaint}"):
        load_text(tmp_path, text)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        pytest.param("topic: a/+", "topic: found 'a/+', expected", id="a wildcard"),
        pytest.param("topic: /a", "topic: found '/a', expected", id="a slash at the beginning"),
        pytest.param("topic: a b", "topic: found 'a b', expected", id="a space"),
        pytest.param("topic: a, port: 0", "port: found 0, expected", id="no port"),
        pytest.param(
            "topic: a, ca_file: ca.pem", "ca_file: found 'ca.pem', expected tls: true", id="no TLS"
        ),
        pytest.param("topic: a, password: b", "password: unknown key", id="a password in the file"),
        pytest.param(
            "topic: a, password_env: DOOR_PASSWORD",
            "password_env: found without username, expected one beside it",
            id="a password of nobody",
        ),
        pytest.param(
            "topic: a, password_file: {file}",
            "password_file: found without username, expected one beside it",
            id="a file's password of nobody",
        ),
    ],
)
def test_an_mqtt_section_that_cannot_work_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str, complaint: str
) -> None:
    monkeypatch.setenv("DOOR_PASSWORD", "s3cret")
    (tmp_path / "password").write_text("s3cret\n", "utf-8")
    keys = keys.replace("{file}", str(tmp_path / "password"))
    section = f"{{kind: mqtt, name: lock, host: broker, {keys}}}"
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        load_text(tmp_path, f"doors: [{{name: a, actuators: [{section}]}}]")


def test_two_doors_cannot_have_one_topic_at_one_broker(tmp_path: Path) -> None:
    def doors(*places: tuple[str, str]) -> str:
        section = "{{kind: mqtt, name: lock, host: {}, topic: {}}}"
        return "doors:" + "".join(
            f"\n  - {{name: door {number}, actuators: [{section.format(*place)}]}}"
            for number, place in enumerate(places)
        )

    assert load_text(tmp_path, doors(("a", "hall"), ("b", "hall"), ("a", "yard"))).doors
    for one, other in (("hall", "hall"), ("hall/in_1", "hall_in/1")):
        told = f"a topic of its own for each, also with _ for /, not '{one}' and '{other}'"
        with pytest.raises(ConfigError, match=told):
            load_text(tmp_path, doors(("a", one), ("a", "yard"), ("a", other)))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        # Numbers that YAML 1.1 reads as text.
        ("1e-3", 0.001),
        ("+.5", 0.5),
        # Text that YAML 1.1 reads as truth values, base 60, base 8 or dates.
        ("on", "on"),
        ("no", "no"),
        ("12:30:00", "12:30:00"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        # The rest is as everywhere.
        ("-7", -7),
        ("0", 0),
        ("2.", 2.0),
        ("-.inf", float("-inf")),
        ("true", True),
        ("'true'", "true"),
        ("null", None),
        ("~", None),
        ("", None),
        ("-", [None]),
    ],
)
def test_scalars_are_read_as_in_yaml_1_2(tmp_path: Path, written: str, value: object) -> None:
    path = tmp_path / "scalar.yaml"
    path.write_text(f"key:\n  {written}\n", "utf-8")
    assert read_yaml(path) == {"key": value}
    found = read_yaml(path)
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)
