"""Fields: the kinds of single values that the configuration holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from .schema import Listed, filled


def _printable(text: str) -> str:
    if not (text and text.isprintable()):
        raise ValueError("printable text")
    return text


def _argument(text: str) -> str:
    if "\0" in text:
        raise ValueError("text without a NUL character")
    return text


def _enclosing(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if len(set(polygon)) < 3:
        raise ValueError("at least 3 different points")
    return polygon


Topic = Annotated[str, Field(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+)*$")]
Text = Annotated[str, AfterValidator(_printable)]
Argument = Annotated[str, AfterValidator(_argument)]
Arguments = Annotated[Listed[Argument], AfterValidator(filled)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(gt=0, le=1)]
Point = Annotated[tuple[Fraction, Fraction], Field(strict=False)]
Polygon = Annotated[Listed[Point], AfterValidator(_enclosing)]
