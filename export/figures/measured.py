"""Measured: figures and thresholds of an evaluation, on their way into the exported file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monitor.contract import SCORE_FLOOR, Contract, ResizeRule
from monitor.errors import UsageError

from .door_figures import FOUND_SCORE, MOST_DENIALS

# The monitor shrinks pictures in another way than torch, which moves scores by up to 0.006.
SPARE = 0.01


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file is to say of how well its network does, and the thresholds that follow.

    metrics: plain values.
    grant, deny: scores; None where nothing was measured that they follow from.
    no_thresholds: why none follow from an evaluation, in words; empty where they do.
    of: the file that was measured; None where none was.
    """

    metrics: dict[str, Any]
    grant: float | None = None
    deny: float | None = None
    no_thresholds: str = ""
    of: Path | None = None

    @classmethod
    def of_training(cls, content: dict[str, Any]) -> Measured:
        """What a snapshot, given its content, knows of its network; no figures unless validated."""
        last = content["history"][-1] if content["history"] else {}
        # inside an epoch the network is no longer the one that was validated after the last
        if "validation" not in last or content["progress"]["steps"]:
            return cls({})
        return cls({"resize": content["resize"], **last["validation"]})

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


def read_measured(path: Path, files: Sequence[Path], resize: ResizeRule) -> Measured:
    """The figures in a report of `evaluate`, and the thresholds of its door curve.

    path: what `evaluate --report` wrote of one of these files at the same size.
    files: the snapshot that is exported, and what was exported of it before, where that is there.
    resize: at which size the exported file will look.

    A mask is granted from the score that the door figures ask of it. A bare face is denied from a
    little above the lowest tau at which they deny at most 10 % of the all-masked pictures: by
    SPARE, but by no more than half of the way to where a tau decides otherwise, so that pictures
    that score slightly differently at the door are decided as they were measured. Grant is never
    below deny. Where the report is of no door, or each tau denies more, there are its figures
    alone.

    Raises UsageError when the report cannot be read, or is of another file or another size.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found, rule = content["model"]["sha256"], content["resize"]
        figures, data_set = content["figures"], content["data_set"]
        door = figures["door"] or {}
        point = door.get("at_most_denials")
        keys = ("tau", "up_to", "denials")
        tau, up_to, denials = (float(point[key]) for key in keys) if point else (None, 1.0, 1.0)
    except OSError as error:
        raise UsageError(f"{path}: cannot read the report: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path}: found no report of `evaluate --report`, expected one") from None
    sums = {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in files}
    if found not in sums:
        expected = " or ".join(f"{digest[:12]}, {file.name}" for digest, file in sums.items())
        raise UsageError(f"{path}: measured of the file {found[:12]}, expected {expected}")
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
        return Measured(metrics, no_thresholds=reason, of=sums[found])
    if denials > MOST_DENIALS:
        reason = (
            f"found at least {100 * denials:.1f} % of the all-masked pictures refused whatever the "
            f"threshold, expected at most {100 * MOST_DENIALS:g} % to choose one by"
        )
        return Measured(metrics, no_thresholds=reason, of=sums[found])
    deny = min(tau + SPARE, (tau + up_to) / 2)
    return Measured(metrics, max(FOUND_SCORE, deny), deny, of=sums[found])
