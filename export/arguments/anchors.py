"""Anchor arguments: the options that say which anchors there are, and which of them learn a box."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..anchor_config import AnchorConfig, read_anchor_config
from ..matcher import MATCHERS


def add_anchors(parser: argparse.ArgumentParser) -> None:
    """Declare `--config` and `--matcher`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE.ini",
        help="anchor sizes, strides, ratios and scales; else the paper's",
    )
    parser.add_argument(
        "--matcher",
        choices=MATCHERS,
        help="what gives anchors their objects: overlap, or being nearest; else that where a "
        "position has one anchor, overlap where it has more",
    )


def anchor_config(options: argparse.Namespace) -> AnchorConfig:
    """The anchors asked for; raises UsageError for a file that holds none."""
    return read_anchor_config(options.config) if options.config else AnchorConfig()
