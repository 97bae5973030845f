"""The contract between training and runtime: what an ONNX file takes, gives and says of itself.

The graph's input `image` is uint8 [B, H, W, 3], BGR. Its outputs are `boxes`, float32 [B, K, 4],
xyxy pixels of that image, and `scores`, float32 [B, K, C], rows sorted by their best class and
padded with zeros. Everything else that the runtime must know stands in the file's `metadata_props`
under the keys written here. Standard library only, so that both halves can import it at no cost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import ForeignModel, ModelError

SPEC_MAJOR = 1
SPEC_VERSION = f"{SPEC_MAJOR}.1"
INPUT = "image"
OUTPUTS = ("boxes", "scores")
KEY_PREFIX = "maskgate."
SIDES_RULE = "sides"
# the only rule of spec 1.0: the longer side alone decides
LONG_SIDE_RULE = "long-side"
# a face whose every class scores less is not told of, neither by the runtime nor in figures
SCORE_FLOOR = 0.05
# of the picture that the network gets; more would fill the memory
LARGEST_SIDE_PX = 4096


@dataclass(frozen=True)
class ResizeRule:
    """At which size the network looks at a frame.

    The frame is scaled so that its shorter side becomes `min_side_px`, or less far where its longer
    side would exceed `max_side_px`; with the two equal, the longer side decides alone. Both sides
    are then rounded to the nearest multiple of `multiple_px` (a half goes up, none falls below one
    multiple), and the picture is stretched to that size bilinearly, without padding.

    min_side_px, max_side_px: pixels, at most LARGEST_SIDE_PX; None for both leaves a frame at its
        own size but for rounding.

    Raises ValueError for anything else.
    """

    min_side_px: int | None
    max_side_px: int | None
    multiple_px: int = 32

    def __post_init__(self) -> None:
        sides = (self.min_side_px, self.max_side_px)
        if not 1 <= self.multiple_px <= LARGEST_SIDE_PX:
            raise ValueError(
                f"resize in steps of {self.multiple_px} px, expected 1 to {LARGEST_SIDE_PX}"
            )
        if sides == (None, None):
            return
        least_px, most_px = (0 if side is None else side for side in sides)
        if not self.multiple_px <= least_px <= most_px <= LARGEST_SIDE_PX:
            raise ValueError(
                f"resize to sides of {self.min_side_px} to {self.max_side_px} px in steps of "
                f"{self.multiple_px} px, expected step <= least <= most <= {LARGEST_SIDE_PX}"
            )

    def size(
        self,
        width_px: int,
        height_px: int,
        *,
        minimum: Callable[[int, int], int] = min,
        maximum: Callable[[int, int], int] = max,
    ) -> tuple[int, int]:
        """(width, height) for the network, in integers throughout, so that a graph computes it too.

        minimum, maximum: of two integers; the export passes ones that a graph can record.
        """
        shortest, longest = minimum(width_px, height_px), maximum(width_px, height_px)

        def fit(side_px: int) -> int:
            if self.min_side_px is None or self.max_side_px is None:
                steps = self._steps(side_px, 1, 1)
            else:
                # rounding keeps the order, so that the smaller scale may be found after it
                by_shortest = self._steps(side_px, self.min_side_px, shortest)
                steps = minimum(by_shortest, self._steps(side_px, self.max_side_px, longest))
            return maximum(steps, 1) * self.multiple_px

        return fit(width_px), fit(height_px)

    def _steps(self, side_px: int, target_px: int, from_px: int) -> int:
        """How many multiples `side_px` has when it is scaled as `from_px` to `target_px`."""
        double = 2 * from_px * self.multiple_px
        return (2 * side_px * target_px + double // 2) // double


@dataclass(frozen=True)
class Contract:
    """What one model file says of itself.

    classes: class names in the order of the score columns.
    resize: the size at which the network looks at a frame.
    grant: default score, 0 to 1, from which an allowed class counts as seen for certain.
    deny: default score, SCORE_FLOOR to `grant`, from which any other class keeps the door shut.
    producer: program and version that wrote the file.
    training: free summary of how and on what the model was trained.
    metrics: figures measured before export, by name.
    """

    classes: tuple[str, ...]
    resize: ResizeRule
    grant: float = 0.5
    deny: float = 0.3
    producer: str = "maskgate"
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """The `metadata_props` of the ONNX file."""
        values: dict[str, Any] = {
            "classes": list(self.classes),
            "resize": {"rule": SIDES_RULE, **asdict(self.resize)},
            "thresholds": {"grant": self.grant, "deny": self.deny},
            "producer": self.producer,
            "training": dict(self.training),
            "metrics": dict(self.metrics),
        }
        props = {KEY_PREFIX + key: json.dumps(value) for key, value in values.items()}
        return {KEY_PREFIX + "spec": SPEC_VERSION, **props}

    @classmethod
    def from_metadata(cls, props: Mapping[str, str], where: str) -> Contract:
        """Read the contract out of an ONNX file's `metadata_props`.

        props: the file's metadata.
        where: name of the file, for messages.

        Raises ModelError when the file was not written for this runtime, ForeignModel when not by
        this program.
        """
        spec = props.get(KEY_PREFIX + "spec")
        if spec is None:
            raise ForeignModel(
                f"{where}: no maskgate metadata found, expected a file of `python -m export onnx`"
            )
        if spec.split(".")[0] != str(SPEC_MAJOR):
            raise ModelError(f"{where}: spec version {spec!r} found, expected {SPEC_MAJOR}.x")
        try:
            values = {
                key: json.loads(props[KEY_PREFIX + key])
                for key in ("classes", "resize", "thresholds", "producer", "training", "metrics")
            }
            thresholds = values["thresholds"]
            contract = cls(
                classes=_read_classes(values["classes"]),
                resize=_read_resize(values["resize"]),
                grant=float(thresholds["grant"]),
                deny=float(thresholds["deny"]),
                producer=str(values["producer"]),
                training=dict(values["training"]),
                metrics=dict(values["metrics"]),
            )
        # the last two from numbers and brackets without an end
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ModelError(f"{where}: damaged maskgate metadata: {error!r}") from None
        contract._check(where)
        return contract

    def _check(self, where: str) -> None:
        wrong = []
        if not self.classes or len(set(self.classes)) != len(self.classes):
            wrong.append(f"classes {list(self.classes)} found, expected distinct names")
        if not SCORE_FLOOR <= self.deny <= self.grant <= 1.0:
            wrong.append(
                f"thresholds deny {self.deny}, grant {self.grant} found, "
                f"expected {SCORE_FLOOR:g} <= deny <= grant <= 1"
            )
        if wrong:
            raise ModelError(f"{where}: " + "; ".join(wrong))


def _read_classes(values: Any) -> tuple[str, ...]:
    """The class names; raises TypeError for anything that cannot be printed as such."""
    if not isinstance(values, list) or not all(
        isinstance(name, str) and name.isprintable() and name.strip() for name in values
    ):
        raise TypeError("classes: expected a list of names that can be printed")
    return tuple(values)


def _read_resize(values: Mapping[str, Any]) -> ResizeRule:
    """The rule of either spec; raises ValueError, TypeError or KeyError for any other."""
    if values["rule"] == LONG_SIDE_RULE:
        side_px = int(values["long_side_px"])
        return ResizeRule(side_px, side_px, int(values["multiple_px"]))
    if values["rule"] != SIDES_RULE:
        raise ValueError(f"resize rule {values['rule']!r} found, expected {SIDES_RULE!r}")
    least, most = (values[key] for key in ("min_side_px", "max_side_px"))
    if not all(side is None or isinstance(side, int) for side in (least, most)):
        raise TypeError(f"resize to sides of {least!r} to {most!r} found, expected whole pixels")
    return ResizeRule(least, most, int(values["multiple_px"]))
