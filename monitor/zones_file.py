"""The zones file: zones that were drawn, beside those of the configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .door_section import ZonesSection
from .errors import MaskgateError
from .replacing import replacing
from .schema import read
from .strict_yaml import read_yaml
from .zones import Polygon

# A fraction of a pixel, also of the largest pictures.
_DIGITS = 5


def read_zones(path: Path) -> ZonesSection:
    """The zones in a file of YAML or JSON, with the keys `watch` and `ignore`.

    A file that is not there yet holds none. Raises ConfigError when it is broken or out of reach.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return ZonesSection()
    except OSError:
        pass  # Reading it says the same, in words.
    return read(ZonesSection, read_yaml(path), str(path))


def add_ignored(path: Path, polygon: Polygon) -> Polygon:
    """Add a polygon to a zones file, which is at every moment either the old or the new one.

    path: is made if it is not there, but its folder must be. What is in it is written anew as JSON,
        which is YAML as well; comments are lost.
    polygon: points (x, y), each a fraction 0 to 1 of the frame.

    Returns the polygon as it will be read again, rounded. Raises ConfigError when the file is
    broken, and MaskgateError when it cannot be written.
    """
    zones = read_zones(path)
    drawn = [(round(x, _DIGITS), round(y, _DIGITS)) for x, y in polygon]
    content: dict[str, list[Any]] = {"watch": list(zones.watch), "ignore": [*zones.ignore, drawn]}
    read(ZonesSection, content, str(path))
    try:
        with replacing(path, durable=True) as partial:
            partial.write_text(_text(content), encoding="utf-8")
    except OSError as error:
        raise MaskgateError(f"{path}: {error.strerror}; zone not saved") from None
    return drawn


def _text(content: dict[str, list[Any]]) -> str:
    """JSON with a polygon a line."""
    keys = []
    for key, polygons in content.items():
        lines = ",\n  ".join(json.dumps(polygon) for polygon in polygons)
        keys.append(f'"{key}": [\n  {lines}\n]' if polygons else f'"{key}": []')
    return "{" + ",\n".join(keys) + "}\n"
