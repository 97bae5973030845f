"""The configuration as a table: every key, what may stand there, and its default."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .config import Config

HEAD = "| key | values | default |\n| --- | --- | --- |"
_NUMBERS = {"integer": "whole number", "number": "number"}
_PLAIN = {"string": "text", "boolean": "`true` or `false`", "null": "`null`"}

Schema = dict[str, Any]


def config_table() -> str:
    """The table as Markdown, made from the schema that configuration files are checked with."""
    schema = Config.model_json_schema()
    rows = _rows(schema, schema["$defs"], "")
    return "\n".join([HEAD, *(f"| `{key}` | {values} | {given} |" for key, values, given in rows)])


def _rows(section: Schema, known: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    for name, field in section["properties"].items():
        key = f"{path}{name}"
        nested = list(_sections(field, known, key))
        if nested:
            for below, part in nested:
                yield from _rows(part, known, f"{below}.")
        else:
            default = "needed" if name in section.get("required", ()) else _shown(field)
            yield key, _values(_resolved(field, known), known), default


def _sections(field: Schema, known: Schema, key: str) -> Iterator[tuple[str, Schema]]:
    """The sections under a key, each with its path: none for a value, several for a choice."""
    field = _resolved(field, known)
    if "items" in field:
        yield from _sections(field["items"], known, f"{key}[]")
    elif "discriminator" in field:
        for kind, reference in field["discriminator"]["mapping"].items():
            yield f"{key}({kind})", _resolved({"$ref": reference}, known)
    elif "properties" in field:
        yield key, field


def _resolved(field: Schema, known: Schema) -> Schema:
    reference = field.get("$ref")
    return known[reference.rpartition("/")[2]] if reference else field


def _values(field: Schema, known: Schema) -> str:
    field = _resolved(field, known)
    if "const" in field:
        return _code(field["const"])
    if "enum" in field:
        return " or ".join(map(_code, field["enum"]))
    if "anyOf" in field:
        return " or ".join(_values(part, known) for part in field["anyOf"])
    kind = field.get("type")
    if kind == "array":
        items = field.get("items") or field["prefixItems"][0]
        count = f"{len(field['prefixItems'])} of " if "prefixItems" in field else "list of "
        return f"{count}({_values(items, known)})"
    if kind in _NUMBERS:
        return " ".join([_NUMBERS[kind], *_bounds(field)])
    return _PLAIN.get(str(kind), "text")


def _bounds(field: Schema) -> Iterator[str]:
    if "exclusiveMinimum" in field:
        yield f"above {field['exclusiveMinimum']:g}"
    elif "minimum" in field:
        yield f"from {field['minimum']:g}"
    if "maximum" in field:
        yield f"to {field['maximum']:g}"


def _shown(field: Schema) -> str:
    return _code(field.get("default"))


def _code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    print(config_table())
