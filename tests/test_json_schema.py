"""The schema for editors: takes what the program takes, and refuses what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_config import SHIPPED

from monitor.cli import main

LOOKS: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
CHECKED = {"$ref", "anyOf", "oneOf", "type", "const", "enum", "pattern", "items", "prefixItems"} | {
    *("properties", "required", "additionalProperties", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
}
SAID = {"$defs", "default", "description", "discriminator", "title", "format", "writeOnly"}


def fits(schema: dict[str, Any], value: Any, whole: dict[str, Any]) -> bool:
    """Whether a value is as a schema says; knows the words that are used in this one alone."""
    assert schema.keys() <= CHECKED | SAID, schema.keys() - CHECKED - SAID
    if "$ref" in schema:
        return fits(whole["$defs"][schema["$ref"].rpartition("/")[2]], value, whole)
    for choices in (schema.get("anyOf"), schema.get("oneOf")):
        if choices is not None:
            return any(fits(choice, value, whole) for choice in choices)
    if "type" in schema and not LOOKS[schema["type"]](value):
        return False
    if value != schema.get("const", value) or value not in schema.get("enum", [value]):
        return False
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, dict):
        keys, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        return (
            all(key in value for key in schema.get("required", ()))
            and (others or value.keys() <= keys.keys())
            and all(fits(keys.get(key, {}), part, whole) for key, part in value.items())
        )
    if isinstance(value, list):
        kinds = schema.get("prefixItems", [schema.get("items", {})] * len(value))
        return (
            schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
            and len(kinds) == len(value)
            and all(fits(kind, part, whole) for kind, part in zip(kinds, value, strict=True))
        )
    return isinstance(value, bool | None) or (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", value - 1)
        and value < schema.get("exclusiveMaximum", value + 1)
    )


@pytest.fixture
def schema(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `monitor check --schema` writes."""
    assert main(["check", "--schema"]) == 0
    written: dict[str, Any] = json.loads(capsys.readouterr().out)
    return written


def test_the_shipped_file_fits(schema: dict[str, Any]) -> None:
    assert fits(schema, yaml.safe_load(SHIPPED.read_text("utf-8")), schema)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a camera by its number, and a door like the shipped one
        ("doors: [{name: front, source: 0}]", True),
        # a polygon
        ("doors: [{name: x, zones: {watch: [[[0, 0], [1, 0], [1, 1]]]}}]", True),
        # a key that there is none of
        ("dors: []", False),
        # a value that is none of those listed
        ("window: maybe", False),
        # a number out of range
        ("doors: [{name: x, policy: {min_faces: 0}}]", False),
        # a score below those that the detector tells of, and the least of them
        ("doors: [{name: x, policy: {deny: 0.04}}]", False),
        ("doors: [{name: x, policy: {deny: 0.05}}]", True),
        # a camera before the first
        ("doors: [{name: x, source: -1}]", False),
        # a camera after the last that has a number
        ("doors: [{name: x, source: 100}]", False),
        # a point with three sides
        ("doors: [{name: x, zones: {watch: [[[0, 0, 0], [1, 0], [1, 1]]]}}]", False),
        # an actuator without what it needs
        ("doors: [{name: x, actuators: [{kind: command, name: y}]}]", False),
    ],
)
def test_an_editor_sees_what_the_program_would_say(
    schema: dict[str, Any], text: str, expected: bool
) -> None:
    assert fits(schema, yaml.safe_load(text), schema) == expected


def test_the_configuration_need_not_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("broken: [")
    assert main(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "maskgate"
