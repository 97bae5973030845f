"""Baseline: the figures of a bench beside those of an earlier one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError


def read_baseline(path: Path) -> dict[str, Any]:
    """What an earlier `monitor bench --json` wrote; raises UsageError for anything else."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected what --json wrote") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; expected what --json wrote") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: no mapping found, expected what --json wrote")
    return content


def ratios(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    """A line for each figure that both benches have: what it was, what it is, and the ratio."""
    earlier = dict(_figures(before))
    for name, value in _figures(now):
        if earlier.get(name):
            was = earlier[name]
            yield f"{name:<44} {was:10.2f} {value:10.2f} {value / was:8.2f}"


def _figures(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _figures(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield prefix + key, float(value)
