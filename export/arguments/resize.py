"""The options that say at which size a network looks at pictures, as keras-retinanet has them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from monitor.contract import ResizeRule
from monitor.errors import UsageError

MIN_SIDE_PX, MAX_SIDE_PX = 800, 1333
SIDES = "--image-min-side, --image-max-side"


def add_resize(parser: argparse.ArgumentParser, *, default: bool = True) -> None:
    """Declare `--image-min-side`, `--image-max-side` and `--no-resize`.

    default: whether a side that is not given has a length; else the model's own is meant.
    """
    add = parser.add_argument
    least, most = (MIN_SIDE_PX, MAX_SIDE_PX) if default else (None, None)
    kept = "" if default else "; else the model's own"
    add(
        "--image-min-side",
        type=int,
        default=least,
        metavar="PX",
        help=f"scale pictures until the shorter side has this length{kept}",
    )
    add(
        "--image-max-side",
        type=int,
        default=most,
        metavar="PX",
        help=f"or, if that comes first, the longer side this one{kept}",
    )
    add("--no-resize", action="store_true", help="look at pictures at their own size")


@dataclass(frozen=True, slots=True)
class AskedResize:
    """What the options say of the size where the rest is the model's own.

    min_side_px, max_side_px: None for a side that is left to the model.
    no_resize: whether pictures keep their own size, whatever the sides.
    """

    min_side_px: int | None = None
    max_side_px: int | None = None
    no_resize: bool = False

    def rule(self, own: ResizeRule) -> ResizeRule:
        """The rule to look by, with the sides of the model's own that are left to it.

        Raises UsageError.
        """
        if self.no_resize:
            return ResizeRule(None, None)
        least, most = self.min_side_px, self.max_side_px
        if least is None and most is None:
            return own
        if least is not None and most is not None:
            return _rule(least, most)
        if own.min_side_px is None or own.max_side_px is None:
            raise UsageError(
                f"{SIDES}: found one side, expected both: the model looks at pictures at their own "
                "size, and has no other side"
            )
        sides = (
            own.min_side_px if least is None else least,
            own.max_side_px if most is None else most,
        )
        try:
            return _rule(*sides)
        except UsageError as error:
            mine = f"{own.min_side_px} to {own.max_side_px} px"
            raise UsageError(f"{error}; the model's own sides are {mine}") from None


def read_asked_resize(options: argparse.Namespace) -> AskedResize:
    """What options without a default say."""
    return AskedResize(options.image_min_side, options.image_max_side, options.no_resize)


def read_resize(options: argparse.Namespace) -> ResizeRule:
    """The rule that options with a default describe; raises UsageError."""
    if options.no_resize:
        return ResizeRule(None, None)
    return _rule(options.image_min_side, options.image_max_side)


def _rule(least: int, most: int) -> ResizeRule:
    try:
        return ResizeRule(least, most)
    except ValueError as error:
        raise UsageError(f"{SIDES}: {error}") from None
