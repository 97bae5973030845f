"""Repeats: pictures of a rare label, shown more than once an epoch."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.errors import UsageError

from ..datasets import Sample

MOST_TIMES = 100


def wrong_repeats(texts: Sequence[str]) -> list[str]:
    """What is wrong with the values of `--repeat`; empty if nothing."""
    wrong = [
        f"--repeat: {text!r} found, expected LABEL=N, N from 2 to {MOST_TIMES}"
        for text in texts
        if _parsed(text) is None
    ]
    labels = [text.rpartition("=")[0] for text in texts]
    if len(set(labels)) < len(labels):
        wrong.append("--repeat: a label found twice, expected each once")
    return wrong


def repeated(samples: Sequence[Sample], texts: Sequence[str]) -> list[Sample]:
    """The samples, each as often as that of its labels asks for that asks for most.

    texts: LABEL=N each, as `wrong_repeats` passes them; labels as they were before classes were
        folded.

    Raises UsageError for a label that no sample has.
    """
    times = dict(filter(None, map(_parsed, texts)))
    known = {label for sample in samples for label in sample.labels_in_file}
    unknown = sorted(times.keys() - known)
    if unknown:
        raise UsageError(
            f"--repeat: {', '.join(unknown)} found, expected labels of the pictures: "
            f"{', '.join(sorted(known))}"
        )
    return [
        sample
        for sample in samples
        for _ in range(max((times.get(label, 1) for label in sample.labels_in_file), default=1))
    ]


def _parsed(text: str) -> tuple[str, int] | None:
    """Label and number in LABEL=N, None where one is missing or N out of its range."""
    label, _, number = text.rpartition("=")
    times = int(number) if number.isascii() and number.isdecimal() and len(number) < 4 else 0
    return (label, times) if label and 2 <= times <= MOST_TIMES else None
