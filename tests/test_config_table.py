"""The table of the configuration: made from the schema, and what the page shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.config_table import config_table

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"


def test_the_page_shows_the_table_of_today() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| key |")
    shown = table[1] + table[2]
    command = "python -m monitor.config_table"
    assert shown == config_table() + "\n", f"{PAGE.name} is out of date: see {command}"


def test_the_command_that_the_page_names_prints_the_table() -> None:
    command = [sys.executable, "-m", "monitor.config_table"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == config_table() + "\n"


@pytest.mark.parametrize(
    "row",
    [
        "| `model.threads` | whole number from 0 to 256 | `0` |",  # a number with bounds
        "| `model.path` | text or `null` | `null` |",  # something or nothing
        "| `window` | `auto` or `never` | `auto` |",  # one of some words
        "| `doors[].name` | text | needed |",  # without a default
        '| `doors[].policy.allowed` | list of (text) | `["mask"]` |',  # a list
        "| `doors[].actuators[](mqtt).port` | whole number from 1 to 65535 | `1883` |",  # a kind
    ],
)
def test_each_sort_of_key_has_its_row(row: str) -> None:
    assert row in config_table().splitlines()
