"""The contract between training and runtime: what an ONNX file takes, gives and says of itself.

The graph's input `image` is uint8 [B, H, W, 3], BGR. Its outputs are `boxes`, float32 [B, K, 4],
xyxy pixels of that image, and `scores`, float32 [B, K, C], rows sorted by their best class and
padded with zeros. Everything else that the runtime must know stands in the file's `metadata_props`
under the keys written here. Standard library only, so that both halves can import it at no cost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ModelError

SPEC_MAJOR = 1
SPEC_VERSION = f"{SPEC_MAJOR}.0"
INPUT = "image"
OUTPUTS = ("boxes", "scores")
KEY_PREFIX = "maskgate."
# a face whose every class scores less is not told of, neither by the runtime nor in figures
SCORE_FLOOR = 0.05


def network_size(
    width_px: int,
    height_px: int,
    long_side_px: int,
    multiple_px: int,
    *,
    maximum: Callable[[int, int], int] = max,
) -> tuple[int, int]:
    """The (width, height) at which the network looks at a frame: the resize rule `long-side`.

    The longer side becomes `long_side_px`, the shorter follows in proportion, and both are rounded
    to the nearest multiple of `multiple_px` (a half goes up, none falls below one multiple). The
    picture is stretched to that size bilinearly, without padding; the stretch is at most half a
    multiple. Integers throughout, so that the exported graph computes the very same numbers.

    maximum: the larger of two integers; the export passes one that a graph can record.
    """
    longest = maximum(width_px, height_px)

    def fit(side_px: int) -> int:
        steps = (2 * side_px * long_side_px + longest * multiple_px) // (2 * longest * multiple_px)
        return maximum(steps, 1) * multiple_px

    return fit(width_px), fit(height_px)


@dataclass(frozen=True)
class Contract:
    """What one model file says of itself.

    classes: class names in the order of the score columns.
    long_side_px, multiple_px: arguments of the resize rule, see `network_size`.
    grant: default score, 0 to 1, from which an allowed class counts as seen for certain.
    deny: default score, 0 to 1, from which any other class keeps the door shut; below `grant`.
    producer: program and version that wrote the file.
    training: free summary of how and on what the model was trained.
    metrics: figures measured before export, by name.
    """

    classes: tuple[str, ...]
    long_side_px: int
    multiple_px: int = 32
    grant: float = 0.5
    deny: float = 0.3
    producer: str = "maskgate"
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, str]:
        """The `metadata_props` of the ONNX file."""
        values: dict[str, Any] = {
            "classes": list(self.classes),
            "resize": {
                "rule": "long-side",
                "long_side_px": self.long_side_px,
                "multiple_px": self.multiple_px,
            },
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

        Raises ModelError when the file was not written for this runtime.
        """
        spec = props.get(KEY_PREFIX + "spec")
        if spec is None:
            raise ModelError(
                f"{where}: no maskgate metadata found, expected a file of `python -m export onnx`"
            )
        if spec.split(".")[0] != str(SPEC_MAJOR):
            raise ModelError(f"{where}: spec version {spec!r} found, expected {SPEC_MAJOR}.x")
        try:
            values = {
                key: json.loads(props[KEY_PREFIX + key])
                for key in ("classes", "resize", "thresholds", "producer", "training", "metrics")
            }
            resize, thresholds = values["resize"], values["thresholds"]
            contract = cls(
                classes=tuple(str(name) for name in values["classes"]),
                long_side_px=int(resize["long_side_px"]),
                multiple_px=int(resize["multiple_px"]),
                grant=float(thresholds["grant"]),
                deny=float(thresholds["deny"]),
                producer=str(values["producer"]),
                training=dict(values["training"]),
                metrics=dict(values["metrics"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{where}: damaged maskgate metadata: {error!r}") from None
        contract._check(str(resize.get("rule")), where)
        return contract

    def _check(self, rule: str, where: str) -> None:
        wrong = []
        if rule != "long-side":
            wrong.append(f"resize rule {rule!r} found, expected 'long-side'")
        if not self.classes or len(set(self.classes)) != len(self.classes):
            wrong.append(f"classes {list(self.classes)} found, expected distinct names")
        if not 1 <= self.multiple_px <= self.long_side_px:
            wrong.append(
                f"resize to {self.long_side_px} px in steps of {self.multiple_px} px found, "
                "expected 1 <= step <= side"
            )
        if not 0.0 < self.deny <= self.grant <= 1.0:
            wrong.append(
                f"thresholds deny {self.deny}, grant {self.grant} found, "
                "expected 0 < deny <= grant <= 1"
            )
        if wrong:
            raise ModelError(f"{where}: " + "; ".join(wrong))
