"""Whatever stands in the configuration is read or refused in words; nothing else happens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_config import SHIPPED

from monitor.config import Config, load
from monitor.errors import ConfigError

TEXT = SHIPPED.read_text("utf-8")
DEFAULTS = yaml.safe_load(TEXT)


def read_or_refused(content: str | bytes) -> Config | str:
    """What `load` makes of a file: the configuration, or the words of its refusal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        try:
            return load(path)
        except ConfigError as error:
            said = str(error)
    # A message that no terminal can show is no message.
    assert said.encode("utf-8").startswith(f"{path}: ".encode())
    return said


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**301)
    | st.floats()
    | st.text()
    | st.sampled_from(["demo", "mask", "log", "command", "never", 0, 1, 0.5])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside a value, itself included."""
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    return [path, *(way for key, part in inside for way in places(part, (*path, key)))]


def with_value(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of nested values, with another one in a place."""
    if not path:
        return value
    copied = dict(tree) if isinstance(tree, dict) else list(tree)
    copied[path[0]] = with_value(tree[path[0]], path[1:], value)
    return copied


@given(st.sampled_from(places(DEFAULTS)), values)
def test_any_value_in_any_place_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    read_or_refused(yaml.safe_dump(with_value(DEFAULTS, place, value), allow_unicode=True))


@given(st.integers(0, len(TEXT)), st.integers(0, 60), st.text(max_size=20))
def test_any_edit_of_the_shipped_file_is_read_or_refused(start: int, cut: int, typed: str) -> None:
    edited = TEXT[:start] + typed + TEXT[start + cut :]
    read_or_refused(edited.encode("utf-8"))


@given(st.text(alphabet=st.sampled_from("ab01: -[]{},#&*!|>'\"%@\\\n\t.~?<=Uux"), max_size=60))
@settings(max_examples=300)
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refused(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refused(content)


def bomb(key: str) -> str:
    """Ten to the tenth values in eleven lines, wherever the key puts them."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]")
    return "\n".join([*lines, key])


@pytest.mark.parametrize(
    "text",
    [
        # aliases of aliases, where a list, a text and polygons belong
        bomb("doors: *j"),
        bomb("doors: [{name: x, source: *j}]"),
        bomb("doors: [{name: x, zones: {watch: *j}}]"),
        # values that hold themselves
        "doors: &a [*a, *a]",
        "model: &m {path: *m}",
        "doors: [{name: x, zones: {watch: &a [*a]}}]",
        # a kind where none belongs, called as what stands beside it
        "doors: [{name: 1, kind: name, source: demo}]",
        "doors: [{name: x, kind: policy, policy: {closed: [{begin: 1, end: 2}]}}]",
        # nested deeper than anybody reads
        "{a: " * 3000 + "}" * 3000,
        "doors: " + "[" * 300 + "]" * 300,
        # numbers beyond all bounds
        "model: {threads: " + "9" * 4000 + "}",
        "doors: [{name: x, source: " + "9" * 4000 + "}]",
        "doors: [{name: x, policy: {hold_seconds: " + "9" * 4000 + "}}]",
        "doors: [{name: x, policy: {hold_seconds: 1e999999}}]",
        # characters that are none
        'window: "\\U99999999"',
        'window: "\\ud800"',
        'doors: [{name: x, source: "\\ud800"}]',
        'doors: [{name: x, source: "a\\0b"}]',
    ],
)
def test_what_only_an_attacker_writes_is_refused(text: str) -> None:
    assert isinstance(read_or_refused(text), str)
