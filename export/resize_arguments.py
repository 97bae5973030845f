"""The options that say at which size a network looks at pictures, as keras-retinanet has them."""

from __future__ import annotations

import argparse

from monitor.contract import ResizeRule
from monitor.errors import UsageError

MIN_SIDE_PX, MAX_SIDE_PX = 800, 1333


def add_resize(parser: argparse.ArgumentParser, *, default: bool = True) -> None:
    """Declare `--image-min-side`, `--image-max-side` and `--no-resize`.

    default: whether there is a size when none is given; else the model's own is meant.
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


def read_resize(options: argparse.Namespace) -> ResizeRule | None:
    """The rule that the options describe; None where they leave it to the model.

    One side alone stands for both where there is no default for the other. Raises UsageError.
    """
    least, most = options.image_min_side, options.image_max_side
    if options.no_resize:
        return ResizeRule(None, None)
    if least is None and most is None:
        return None
    try:
        return ResizeRule(most if least is None else least, least if most is None else most)
    except ValueError as error:
        raise UsageError(f"--image-min-side, --image-max-side: {error}") from None
