"""Findings: what lint has to say of a data set, as a table and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..datasets import Problem

PLACES_SHOWN = 3
LONGEST_PLACE = 240


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found at one place.

    kind: what sort of thing, such as "box outside"; findings are counted by it.
    severity: "error" for what makes training fail or figures wrong; "warning" for what may be meant
        so.
    where: the file, with the line or object where there is one.
    what: what was found and what was expected.
    picture: the picture concerned; None where there is not one.
    """

    kind: str
    severity: Literal["error", "warning"]
    where: str
    what: str
    picture: Path | None = None

    @classmethod
    def of(cls, problem: Problem) -> Finding:
        """What a reader could not use is an error."""
        return cls(problem.kind, "error", problem.where, problem.what, problem.picture)


def error_count(findings: Iterable[Finding]) -> int:
    """How many of them are errors."""
    return sum(finding.severity == "error" for finding in findings)


def by_kind(findings: Iterable[Finding]) -> list[tuple[str, str, list[Finding]]]:
    """(severity, kind, findings), errors first, then the most frequent first."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.severity, finding.kind), []).append(finding)
    rows = [(severity, kind, found) for (severity, kind), found in kinds.items()]
    return sorted(rows, key=lambda row: (row[0], -len(row[2]), row[1]))


def findings_table(findings: Sequence[Finding]) -> str:
    """A line for each kind with its count, followed by the first places."""
    rows = by_kind(findings)
    width = max([len("finding"), *(len(kind) for _, kind, _ in rows)])
    lines = [f"{'severity':<10}{'finding':<{width}}{'count':>8}"]
    for severity, kind, found in rows:
        lines.append(f"{severity:<10}{kind:<{width}}{len(found):>8}")
        for finding in found[:PLACES_SHOWN]:
            place = " ".join(f"{finding.where}: {finding.what}".split())
            lines.append(f"    {place[:LONGEST_PLACE]}")
        if len(found) > PLACES_SHOWN:
            lines.append(f"    ... and {len(found) - PLACES_SHOWN} more")
    return "\n".join(lines if rows else ["nothing found"])


def findings_to_list(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Plain values for JSON: each kind with its count and all its places."""
    return [
        {
            "kind": kind,
            "severity": severity,
            "count": len(found),
            "places": [
                {
                    "where": finding.where,
                    "what": finding.what,
                    "picture": None if finding.picture is None else str(finding.picture),
                }
                for finding in found
            ],
        }
        for severity, kind, found in by_kind(findings)
    ]
