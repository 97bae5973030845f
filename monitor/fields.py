"""Fields: the kinds of single values that the configuration holds."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from .contract import SCORE_FLOOR
from .schema import Listed, Unshown, filled


def _printable(text: str) -> str:
    if not (text and text.isprintable()):
        raise ValueError("printable text")
    return text


def _argument(text: str) -> str:
    if "\0" in text:
        raise ValueError("text without a NUL character")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        right = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and parts.port != 0
            and "@" not in parts.netloc
            and "#" not in text
            and text.isascii()
            and text.isprintable()
            and " " not in text
        )
    except ValueError:
        right = False
    if not right:
        # It may hold a password.
        raise Unshown(
            "something else found, expected http:// or https:// and a host, "
            "without user, password, space or #"
        )
    return text


def _enclosing(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if len(set(polygon)) < 3:
        raise ValueError("at least 3 different points")
    return polygon


Topic = Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*$")]


def _time_of_day(value: object) -> time:
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return time.fromisoformat(value)
    raise ValueError("a time of day from 00:00 to 23:59")


TimeOfDay = Annotated[
    time, PlainValidator(_time_of_day), WithJsonSchema({"type": "string", "format": "HH:MM"})
]
Text = Annotated[str, AfterValidator(_printable)]
Argument = Annotated[str, AfterValidator(_argument)]
Arguments = Annotated[Listed[Argument], AfterValidator(filled)]
WebAddress = Annotated[str, AfterValidator(_address)]
Fraction = Annotated[float, Field(ge=0, le=1)]
# No face that scores less is told of, so that no lower threshold would be in force.
Score = Annotated[float, Field(ge=SCORE_FLOOR, le=1)]
Point = Annotated[tuple[Fraction, Fraction], Field(strict=False)]
Polygon = Annotated[Listed[Point], AfterValidator(_enclosing)]
