"""The options that say how the views of training differ from their pictures."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from monitor.contract import ResizeRule
from monitor.errors import UsageError

from ..views.coverings import Coverings
from ..views.transforms import Augmentation

# the stride of P7
SMALLEST_CROP_PX = 128
CROP_STEP_PX = 32
OWN_SIZE_CROP_PX = 512
COVER_SHARE = 0.3


def add_augmentation(parser: argparse.ArgumentParser) -> None:
    """Declare `--random-transform` and the options that only mean something with it."""
    add = parser.add_argument
    add("--random-transform", action="store_true", help="show random parts in random light")
    add("--crop", type=int, metavar="PX", help="side of such a part; else by the size of pictures")
    add("--mosaic", type=float, default=0.0, help="share of them joined from four pictures")
    add(
        "--upside-down",
        type=float,
        default=0.0,
        help="share of them turned upside down, as 0.5 for pictures from above",
    )
    add(
        "--cover",
        metavar="BARE=MASKED",
        help="draw masks, hands and scarves onto faces of class BARE; under a mask over the nose "
        "they become MASKED",
    )
    add("--cover-share", type=float, help=f"of those faces; else {COVER_SHARE}")


def wrong_augmentation(options: argparse.Namespace) -> list[str]:
    """What is wrong with the values of these options; empty if nothing."""
    crop, wrong = options.crop, []
    if crop is not None and (crop < SMALLEST_CROP_PX or crop % CROP_STEP_PX):
        wrong.append(
            f"--crop: {crop} found, expected a multiple of {CROP_STEP_PX}, at least "
            f"{SMALLEST_CROP_PX}"
        )
    for name in ("mosaic", "upside_down", "cover_share"):
        share = getattr(options, name)
        if share is not None and not 0 <= share <= 1:
            wrong.append(f"{_option(name)}: {share} found, expected a share of 0 to 1")
    unused = {"crop": None, "mosaic": 0.0, "upside_down": 0.0, "cover": None}
    given = [_option(name) for name, value in unused.items() if getattr(options, name) != value]
    if given and not options.random_transform:
        wrong.append(f"{', '.join(given)}: found without --random-transform, expected both")
    if options.cover_share is not None and options.cover is None:
        wrong.append("--cover-share: found without --cover, expected both")
    return wrong


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def augmentation_of(
    options: argparse.Namespace, resize: ResizeRule, classes: Sequence[str]
) -> Augmentation | None:
    """How views differ from their pictures; None without `--random-transform`.

    A view has about as many pixels as the largest whole picture has after resizing.

    classes: names in the order of the score columns. Raises UsageError when `--cover` names others.
    """
    if not options.random_transform:
        return None
    side_px = options.crop
    if side_px is None and (resize.min_side_px is None or resize.max_side_px is None):
        side_px = OWN_SIZE_CROP_PX
    elif side_px is None:
        side_px = math.sqrt(resize.min_side_px * resize.max_side_px)
        side_px = max(round(side_px / CROP_STEP_PX) * CROP_STEP_PX, SMALLEST_CROP_PX)
    coverings = _coverings(options, classes)
    return Augmentation(side_px, options.mosaic, options.upside_down, coverings)


def _coverings(options: argparse.Namespace, classes: Sequence[str]) -> Coverings | None:
    if options.cover is None:
        return None
    bare, _, masked = options.cover.partition("=")
    if bare == masked or not {bare, masked} <= set(classes):
        raise UsageError(
            f"--cover: {options.cover!r} found, expected BARE=MASKED, two of the classes "
            f"{', '.join(classes)}"
        )
    share = COVER_SHARE if options.cover_share is None else options.cover_share
    return Coverings(share, classes.index(bare), classes.index(masked))
