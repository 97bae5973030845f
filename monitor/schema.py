"""Schemas of the files that people write: strict sections, and every wrong value said at once."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from .errors import ConfigError

Value = TypeVar("Value")
Item = TypeVar("Item")
NamedItem = TypeVar("NamedItem", bound="Named")

# Only the list itself is converted, to a tuple, which cannot change; its entries stay strict.
Listed = Annotated[tuple[Item, ...], Field(strict=False)]

_PREFIX = re.compile(r"^(Value error, |[A-Z]\w* should (be |have )?)")


class Section(BaseModel):
    """A mapping of known keys: nothing else is accepted, no type is guessed, nothing changes later.

    A validator that refuses a value raises ValueError with what it expected instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Unshown(ValueError):
    """A value that is refused without being shown; the text says what was found and expected."""


def filled(values: tuple[Item, ...]) -> tuple[Item, ...]:
    """The values, for use as a validator; raises ValueError when there is none."""
    if not values:
        raise ValueError("at least 1 entry")
    return values


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...


def named_apart(values: tuple[NamedItem, ...]) -> tuple[NamedItem, ...]:
    """The values, for use as a validator; raises ValueError when two have the same name."""
    names = [value.name for value in values]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"a name: of its own for each, not {', '.join(map(repr, twice))} twice")
    return values


def read(kind: type[Value], content: object, where: str) -> Value:
    """Make a value of `kind` from plain data.

    kind: a Section, or a container of them.
    content: what a YAML or JSON file holds.
    where: name of the file, for messages.

    Raises ConfigError with a line for each wrong value: key path, found, expected.
    """
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        lines = [_complaint(details, content) for details in error.errors(include_url=False)]
    if len(lines) == 1:
        raise ConfigError(f"{where}: {lines[0]}")
    raise ConfigError(f"{where}: {len(lines)} errors" + "".join(f"\n  {line}" for line in lines))


def _complaint(details: ErrorDetails, content: object) -> str:
    path = _key_path(details["loc"], content)
    expected = _PREFIX.sub("", details["msg"])
    match details["type"]:
        case "extra_forbidden":
            return f"{path}: unknown key found, expected none of that name"
        case "missing":
            return f"{path}: nothing found, expected a value"
        case "union_tag_not_found" | "union_tag_invalid":
            context = details["ctx"]
            key = context["discriminator"].strip("'")
            expected = context.get("expected_tags", "a value")
            return f"{path}.{key}: found {_shown(details['input'].get(key))}, expected {expected}"
        case "value_error" if isinstance(details["ctx"]["error"], Unshown):
            return f"{path}: {expected}"
        case "model_type" | "dict_type" | "model_attributes_type":
            expected = "a mapping of keys to values"
        case "tuple_type":
            expected = "a list"
        case "too_long":
            expected = f"at most {details['ctx']['max_length']} entries"
        case "bool_type":
            expected = "true or false"
        case "string_type":
            expected = "text"
    return f"{path}: found {_shown(details['input'])}, expected {expected}"


def _key_path(location: Sequence[int | str], content: object) -> str:
    """The place of an error as it stands in the file, such as doors[0].policy.grant."""
    path = ""
    holder: Any = content
    for before, step in zip(("", *location), location, strict=False):
        if isinstance(before, int) and isinstance(holder, dict) and step == holder.get("kind"):
            # The validator names the chosen kind of a union as if it were a key.
            continue
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
        # What is missing ends the way; and a kind where none belongs may lead astray.
        with contextlib.suppress(LookupError, TypeError):
            holder = holder[step]
    return path.removeprefix(".") or "the whole file"


def _shown(value: object) -> str:
    """A value of the file, short enough for a message."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list() | tuple():
            return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
