"""The contract: the resize rule, and what a model file must say of itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.contract import Contract, ResizeRule
from monitor.errors import ModelError

CONTRACT = Contract(classes=("mask", "noMask"), resize=ResizeRule(640, 640))
side = st.integers(1, 8000)


@pytest.mark.parametrize(
    ("frame", "network"),
    [
        ((1280, 720), (640, 352)),  # 360 lies between 352 and 384, nearer to 352
        ((3840, 2160), (640, 352)),  # the same shape, whatever the size
        ((640, 480), (640, 480)),  # already there
        ((320, 240), (640, 480)),  # smaller pictures are enlarged
        ((720, 1280), (352, 640)),  # upright
        ((5000, 10), (640, 32)),  # never below one multiple
        ((640, 368), (640, 384)),  # a half goes up
    ],
)
def test_a_frame_is_fitted_to_the_network(frame: tuple[int, int], network: tuple[int, int]) -> None:
    assert ResizeRule(640, 640).size(*frame) == network


@pytest.mark.parametrize(
    ("frame", "network"),
    [
        ((640, 480), (416, 320)),  # the shorter side decides: 427 x 320, to the nearest 32
        ((1280, 720), (480, 256)),  # the longer side would become 569: it decides
        ((200, 100), (480, 256)),  # smaller pictures are enlarged
        ((100, 100), (320, 320)),  # a square has one side
    ],
)
def test_the_shorter_side_decides_until_the_longer_one_is_too_long(
    frame: tuple[int, int], network: tuple[int, int]
) -> None:
    assert ResizeRule(320, 480).size(*frame) == network


def test_a_frame_may_keep_its_own_size_but_for_rounding() -> None:
    assert ResizeRule(None, None).size(1000, 10) == (992, 32)


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ((480, 320), "least <= most"),  # the wrong way round
        ((16, 320), "step <= least"),  # less than one step
        ((None, 320), "least <= most"),  # half a rule
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(
    sides: tuple[int | None, int | None], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ResizeRule(*sides)


def test_the_rule_of_the_first_spec_is_still_read() -> None:
    old = {"maskgate.spec": "1.0"}
    old["maskgate.resize"] = '{"rule": "long-side", "long_side_px": 640, "multiple_px": 32}'
    assert Contract.from_metadata(CONTRACT.to_metadata() | old, "x.onnx") == CONTRACT


@given(side, side, st.integers(64, 2000), st.sampled_from([1, 16, 32, 64]))
def test_the_rule_gives_multiples_and_keeps_the_shape_within_half_a_multiple(
    width: int, height: int, long_side: int, multiple: int
) -> None:
    fitted = ResizeRule(long_side, long_side, multiple).size(width, height)
    for before, after in zip((width, height), fitted, strict=True):
        exact = before * long_side / max(width, height)
        assert after % multiple == 0
        assert after >= multiple
        assert abs(after - exact) <= max(multiple / 2, multiple - exact)


def test_a_contract_survives_its_trip_through_a_file() -> None:
    resize = ResizeRule(512, 640, 64)
    contract = Contract(("a", "b"), resize, 0.6, 0.2, "maskgate 9", {"seed": 1}, {"ap50": 0.5})
    assert Contract.from_metadata(contract.to_metadata(), "x.onnx") == contract


def test_a_newer_minor_version_is_read() -> None:
    props = CONTRACT.to_metadata() | {"maskgate.spec": "1.7", "maskgate.colour": '"red"'}
    assert Contract.from_metadata(props, "x.onnx") == CONTRACT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"maskgate.spec": None}, "no maskgate metadata"),  # somebody else's file
        ({"maskgate.spec": "2.0"}, "expected 1.x"),  # a later runtime's file
        ({"maskgate.classes": None}, "damaged"),  # a key is gone
        ({"maskgate.classes": "["}, "damaged"),  # not JSON
        ({"maskgate.classes": "[]"}, "distinct names"),  # nothing to tell apart
        ({"maskgate.classes": '["a", "a"]'}, "distinct names"),  # the same twice
        ({"maskgate.resize": '{"rule": "crop", "long_side_px": 9, "multiple_px": 1}'}, "'crop'"),
        ({"maskgate.resize": '{"rule": "long-side", "long_side_px": 9, "multiple_px": 0}'}, "step"),
        (
            {
                "maskgate.resize": '{"rule": "sides", "min_side_px": "a", "max_side_px": 9, '
                '"multiple_px": 1}'
            },
            "whole pixels",
        ),
        ({"maskgate.thresholds": '{"grant": 0.3, "deny": 0.5}'}, "deny <= grant"),  # unsafe
        ({"maskgate.thresholds": '{"grant": NaN, "deny": 0.1}'}, "deny <= grant"),  # not a number
        # a face that no score tells of cannot keep the door shut
        (
            {"maskgate.thresholds": '{"grant": 0.4, "deny": 0.04}'},
            "deny 0.04.*expected 0.05 <= deny",
        ),
    ],
)
def test_a_file_that_says_the_wrong_thing_is_refused_by_name(
    change: dict[str, str | None], message: str
) -> None:
    props = {k: v for k, v in (CONTRACT.to_metadata() | change).items() if v is not None}
    with pytest.raises(ModelError, match=message) as refusal:
        Contract.from_metadata(props, "door.onnx")
    assert "door.onnx" in str(refusal.value)


def test_metadata_is_plain_json() -> None:
    props = CONTRACT.to_metadata()
    assert json.loads(props["maskgate.classes"]) == ["mask", "noMask"]
