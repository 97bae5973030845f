"""The options of the size: what they leave open is the model's own, or has a default."""

from __future__ import annotations

import argparse

import pytest

from export.arguments.resize import add_resize, read_asked_resize, read_resize
from monitor.contract import ResizeRule
from monitor.errors import UsageError

OWN = ResizeRule(320, 480)


def options(*words: str, default: bool) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_resize(parser, default=default)
    return parser.parse_args(words)


def asked(*words: str, own: ResizeRule = OWN) -> ResizeRule:
    return read_asked_resize(options(*words, default=False)).rule(own)


@pytest.mark.parametrize(
    ("words", "sides"),
    [
        # one side alone leaves the other as it is
        (["--image-min-side", "256"], (256, 480)),
        (["--image-max-side", "640"], (320, 640)),
        (["--image-min-side", "96", "--image-max-side", "128"], (96, 128)),
        # no scaling at all, whatever the sides
        (["--no-resize"], (None, None)),
        (["--no-resize", "--image-min-side", "256"], (None, None)),
    ],
)
def test_a_side_that_is_not_given_is_the_models_own(
    words: list[str], sides: tuple[int | None, int | None]
) -> None:
    assert asked(*words) == ResizeRule(*sides)


@pytest.mark.parametrize("own", [OWN, ResizeRule(None, None)])
def test_where_no_size_is_given_the_model_looks_as_it_does(own: ResizeRule) -> None:
    assert asked(own=own) == own


@pytest.mark.parametrize(
    ("words", "own", "message"),
    [
        # more than the model's own longer side
        (
            ["--image-min-side", "640"],
            OWN,
            "sides of 640 to 480 px .* the model's own sides are 320 to 480 px",
        ),
        (["--image-min-side", "0", "--image-max-side", "0"], OWN, "sides of 0 to 0 px"),
        # a model that has no sides of its own
        (["--image-max-side", "640"], ResizeRule(None, None), "found one side, expected both"),
    ],
)
def test_sides_that_do_not_go_together_are_refused(
    words: list[str], own: ResizeRule, message: str
) -> None:
    with pytest.raises(UsageError, match=f"--image-min-side, --image-max-side: .*{message}"):
        asked(*words, own=own)


@pytest.mark.parametrize(
    ("words", "sides"),
    [
        # as keras-retinanet has them
        ([], (800, 1333)),
        (["--image-min-side", "256"], (256, 1333)),
        (["--image-max-side", "1000"], (800, 1000)),
        (["--no-resize"], (None, None)),
    ],
)
def test_without_a_model_a_side_that_is_not_given_has_a_default(
    words: list[str], sides: tuple[int | None, int | None]
) -> None:
    assert read_resize(options(*words, default=True)) == ResizeRule(*sides)
