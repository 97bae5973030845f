"""Measured: figures and thresholds of an evaluation, on their way into the exported file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitor.contract import SCORE_FLOOR, Contract, ResizeRule
from monitor.errors import UsageError

from .door_figures import FOUND_SCORE, MOST_DENIALS


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file is to say of how well its network does, and the thresholds that follow.

    metrics: plain values.
    grant, deny: scores; None where nothing was measured that they follow from.
    no_thresholds: why none follow from an evaluation, in words; empty where they do.
    """

    metrics: dict[str, Any]
    grant: float | None = None
    deny: float | None = None
    no_thresholds: str = ""

    def thresholds(self, grant: float | None, deny: float | None) -> tuple[float, float]:
        """(grant, deny): those asked for, else those measured, else the contract's.

        Raises UsageError when they do not go together.
        """
        chosen = [
            next(value for value in values if value is not None)
            for values in (
                (grant, self.grant, Contract.grant),
                (deny, self.deny, Contract.deny),
            )
        ]
        if not SCORE_FLOOR <= chosen[1] <= chosen[0] <= 1:
            raise UsageError(
                f"--deny {chosen[1]:g} found, expected at least {SCORE_FLOOR:g} and at most "
                f"--grant, {chosen[0]:g}, which is at most 1"
            )
        return chosen[0], chosen[1]


def read_measured(path: Path, snapshot: Path, resize: ResizeRule) -> Measured:
    """The figures in a report of `evaluate`, and the thresholds of its door curve.

    path: what `evaluate --report` wrote of the same snapshot at the same size.
    snapshot: the file that is exported. resize: at which size the exported file will look.

    A mask is granted from the score that the door figures ask of it, and a bare face denied from
    the lowest tau at which they deny at most 10 % of the all-masked pictures. Grant is never below
    deny. Where the report is of no door, or each tau denies more, there are its figures alone.

    Raises UsageError when the report cannot be read, or is of another file or another size.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found, rule = content["model"]["sha256"], content["resize"]
        figures, data_set = content["figures"], content["data_set"]
        door = figures["door"] or {}
        point = door.get("at_most_denials")
        tau, denials = (float(point["tau"]), float(point["denials"])) if point else (None, 1.0)
    except OSError as error:
        raise UsageError(f"{path}: cannot read the report: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path}: found no report of `evaluate --report`, expected one") from None
    expected = hashlib.sha256(snapshot.read_bytes()).hexdigest()
    if found != expected:
        raise UsageError(f"{path}: measured of the file {found[:12]}, expected {expected[:12]}")
    if rule != asdict(resize):
        raise UsageError(
            f"{path}: measured at sides of {rule['min_side_px']} to {rule['max_side_px']} px, "
            f"expected {resize.min_side_px} to {resize.max_side_px}, as the file will look"
        )
    metrics = {"resize": rule, "data_set": data_set, **figures}
    if tau is None:
        reason = (
            "found no door figures to choose thresholds by, expected a model of masks and pictures "
            "of both kinds, all masked and with a bare face"
        )
        return Measured(metrics, no_thresholds=reason)
    if denials > MOST_DENIALS:
        reason = (
            f"found at least {100 * denials:.1f} % of the all-masked pictures refused whatever the "
            f"threshold, expected at most {100 * MOST_DENIALS:g} % to choose one by"
        )
        return Measured(metrics, no_thresholds=reason)
    return Measured(metrics, max(FOUND_SCORE, tau), tau)
