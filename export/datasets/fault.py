"""What can be wrong with a data set, and the error that lists it."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.errors import MaskgateError

MOST_PROBLEMS_SHOWN = 20


class DatasetError(MaskgateError):
    """A picture, annotation or list of a data set is damaged or contradicts another."""


class Fault(Exception):
    """One thing that makes one picture unusable; readers catch it and go on.

    kind: what sort of thing it is, as in `Problem`.
    what: what was found and what was expected.
    """

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what


def reason(error: Exception) -> str:
    """What went wrong with a file, without its name, which the message says already."""
    return getattr(error, "strerror", None) or str(error)


def refuse(problems: Sequence[str]) -> None:
    """Raise one DatasetError that lists the problems, the first 20 in full; none is no error."""
    if not problems:
        return
    lines = list(problems[:MOST_PROBLEMS_SHOWN])
    if len(problems) > MOST_PROBLEMS_SHOWN:
        lines.append(f"... and {len(problems) - MOST_PROBLEMS_SHOWN} more")
    raise DatasetError("\n".join(lines))
