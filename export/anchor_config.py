"""Anchor config: sizes, ratios, scales and strides, and the .ini file that holds them.

The file is keras-retinanet's, whose users have some: a section `anchor_parameters` with `sizes`,
`strides`, `ratios` and `scales`, numbers separated by spaces, and maybe a section `pyramid_levels`
with `levels`.
"""

from __future__ import annotations

import configparser
import math
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import UsageError
from monitor.replacing import replacing

SECTION, LEVELS_SECTION = "anchor_parameters", "pyramid_levels"
KEYS = ("sizes", "strides", "ratios", "scales")
FINEST_STRIDE, COARSEST_STRIDE = 4, 128


@dataclass(frozen=True)
class AnchorConfig:
    """Which anchors a network has; the defaults are those of the RetinaNet paper.

    sizes: side of the square of the same area, pixels of the network's input; one a level.
    strides: distance between two positions of each level, the same pixels; powers of two in a row
        from 4 or 8 up to 32, 64 or 128.
    ratios: height over width.
    scales: factors on every size.

    Raises ValueError where they are not so.
    """

    sizes: tuple[float, ...] = (32.0, 64.0, 128.0, 256.0, 512.0)
    strides: tuple[int, ...] = (8, 16, 32, 64, 128)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    scales: tuple[float, ...] = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))

    def __post_init__(self) -> None:
        doubling = [s for s in (4, 8, 16, 32, 64, 128) if s >= min(self.strides, default=0)]
        if list(self.strides) != doubling[: len(self.strides)] or not (
            self.strides and self.strides[0] <= 8 and self.strides[-1] >= 32
        ):
            raise ValueError(
                f"strides: {_text(self.strides)} found, expected each the double of the one "
                f"before, from {FINEST_STRIDE} or 8 up to 32, 64 or {COARSEST_STRIDE}"
            )
        if len(self.sizes) != len(self.strides):
            raise ValueError(
                f"sizes: {len(self.sizes)} found, expected {len(self.strides)}, one a stride"
            )
        for name in ("sizes", "ratios", "scales"):
            values = getattr(self, name)
            if not values or not all(0 < value < math.inf for value in values):
                raise ValueError(f"{name}: {_text(values)} found, expected numbers above 0")

    @property
    def per_position(self) -> int:
        """How many anchors one position of a level has."""
        return len(self.ratios) * len(self.scales)


def read_anchor_config(path: Path) -> AnchorConfig:
    """Read the .ini file; raises UsageError for anything that is not one."""
    parser = configparser.ConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"), source=str(path))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the anchor config: {error.strerror}") from None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not an .ini file: {str(error).splitlines()[0]}") from None
    if SECTION not in parser:
        raise UsageError(f"{path}: no section [{SECTION}] found")
    found = set(parser[SECTION])
    if found != set(KEYS):
        raise UsageError(
            f"{path}: [{SECTION}]: {', '.join(sorted(found))} found, expected {', '.join(KEYS)}"
        )
    try:
        values = {key: tuple(float(word) for word in parser[SECTION][key].split()) for key in KEYS}
        config = AnchorConfig(
            values["sizes"],
            tuple(_whole(stride) for stride in values["strides"]),
            values["ratios"],
            values["scales"],
        )
        if LEVELS_SECTION in parser:
            levels = tuple(int(word) for word in parser[LEVELS_SECTION].get("levels", "").split())
            if levels != tuple(stride.bit_length() - 1 for stride in config.strides):
                raise ValueError(
                    f"levels: {_text(levels)} found, expected those of the strides "
                    f"{_text(config.strides)}: a level's stride is 2 to the power of the level"
                )
    except (ValueError, configparser.Error) as error:
        raise UsageError(f"{path}: {error}") from None
    return config


def anchor_config_text(config: AnchorConfig) -> str:
    """The .ini file's text; what `read_anchor_config` reads back is the same to six digits."""
    lines = [f"{key} = {_text(getattr(config, key))}" for key in KEYS]
    return "\n".join([f"[{SECTION}]", *lines, ""])


def write_anchor_config(path: Path, config: AnchorConfig) -> None:
    """Write the .ini file; raises UsageError when that is not possible."""
    try:
        with replacing(path) as partial:
            partial.write_text(anchor_config_text(config), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot write the anchor config: {error.strerror}") from None


def _whole(value: float) -> int:
    if not value.is_integer():
        raise ValueError(f"strides: {value:g} found, expected whole pixels")
    return int(value)


def _text(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.7g}" for value in values)
