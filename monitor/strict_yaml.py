"""YAML that means what it says: duplicate keys are refused and only plain scalars are converted."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from .errors import ConfigError

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema instead of those of YAML 1.1.

    So `1e-3` is a number, while `on`, `no`, `12:30:00`, `010` and dates stay the text they are and
    are refused wherever a number or a truth value belongs. https://yaml.org/spec/1.2.2/#103-core-schema
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _refusal(f"tag {tag!r} found, expected plain values", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag != _TAG + "str":
                raise _refusal("a key that is not text found, expected text", key.start_mark)
            if key.value in seen:
                first = f"first on line {seen[key.value]}"
                raise _refusal(
                    f"key {key.value!r} found twice, {first}, expected once", key.start_mark
                )
            seen[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        return int(self.construct_scalar(node))

    def construct_number(self, node: yaml.ScalarNode) -> float:
        return float(re.sub(r"\.(inf|nan)$", r"\1", self.construct_scalar(node).lower()))


def _refusal(problem: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


_SCALARS = (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)
for _tag, _pattern, _first in _SCALARS:
    # An empty scalar is looked up under the empty string, not under a first letter.
    _letters = [*_first, ""] if _tag == "null" else list(_first)
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(f"^(?:{_pattern})$"), _letters)
_Loader.add_constructor(_TAG + "int", _Loader.construct_integer)
_Loader.add_constructor(_TAG + "float", _Loader.construct_number)


def read_yaml(path: Path) -> object:
    """The plain data in a YAML file: mappings, lists, text, numbers, truth values and None.

    Raises ConfigError, naming the line, when the file cannot be read, is empty, is not UTF-8, is
    not YAML, names a key twice or says more than plain values can, such as a tag.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}, expected a YAML file") from None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}: line {line}: byte {content[error.start]:#04x} found, expected UTF-8 text"
        ) from None
    try:
        value: object = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(f"{path}: line {line}: {problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            f"{path}: line {line}: character U+{error.character:04X} found, expected printable text"
        ) from None
    except RecursionError:
        raise ConfigError(f"{path}: too deeply nested, expected plain values") from None
    except (ValueError, OverflowError) as error:  # a number or a character code beyond all bounds
        raise ConfigError(f"{path}: {error}, expected plain values") from None
    if value is None:
        raise ConfigError(f"{path}: nothing found in it, expected keys and values")
    return value
