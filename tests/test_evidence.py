"""What one frame says by itself, from the scores of its faces."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from colours import CLASSES
from faces import BARE, MASKED, NOISE, UNSURE, seen

from monitor.detections import Detections
from monitor.errors import ConfigError
from monitor.evidence import Evidence, FrameRule

CLEAR, VIOLATION, UNKNOWN = Evidence.CLEAR, Evidence.VIOLATION, Evidence.UNKNOWN


def said(rule: FrameRule, *rows: tuple[float, ...], side_px: float = 50.0) -> tuple[str, str]:
    """The evidence and the reason that a rule finds in faces of these scores."""
    judgement = rule.judge(seen(*rows, side_px=side_px))
    return judgement.evidence, judgement.reason


@pytest.mark.parametrize(
    ("rows", "evidence", "reason"),
    [
        # Zero faces are never CLEAR.
        ([], UNKNOWN, "no face"),
        # Below the deny threshold in every class: noise, as if it were not there.
        ([NOISE], UNKNOWN, "no face"),
        ([MASKED, NOISE], CLEAR, "1 face masked"),
        ([MASKED], CLEAR, "1 face masked"),
        ([MASKED, MASKED], CLEAR, "all 2 faces masked"),
        # One bare face among masked ones is enough.
        ([MASKED, BARE, MASKED], VIOLATION, "mask below the nose or no mask (1 of 3 faces)"),
        ([BARE], VIOLATION, "mask below the nose or no mask"),
        # The label is mask, but the loser's score stands above the deny threshold.
        ([(0.9, 0.31)], VIOLATION, "mask below the nose or no mask"),
        # Exactly on a threshold counts as reaching it, for both.
        ([(0.9, 0.3)], VIOLATION, "mask below the nose or no mask"),
        ([(0.5, 0.0)], CLEAR, "1 face masked"),
        # In between, alone or beside a certain one.
        ([UNSURE], UNKNOWN, "1 face uncertain"),
        ([MASKED, UNSURE], UNKNOWN, "1 of 2 faces masked, 1 uncertain"),
        ([(0.3, 0.0)], UNKNOWN, "1 face uncertain"),
        # A violation says more than an uncertainty.
        ([UNSURE, BARE], VIOLATION, "mask below the nose or no mask (1 of 2 faces)"),
    ],
)
def test_one_frame_is_judged_by_its_scores(rows: Any, evidence: Evidence, reason: str) -> None:
    assert said(FrameRule(classes=CLASSES), *rows) == (evidence, reason)


@pytest.mark.parametrize(
    ("rows", "cut_off", "evidence", "reason"),
    [
        # Nobody knows what had no room: it may be a bare face.
        ([MASKED], 0.3, UNKNOWN, "more faces than can be judged"),
        ([BARE], 0.3, VIOLATION, "mask below the nose or no mask, more faces than can be judged"),
        # What had no room is noise.
        ([MASKED], 0.29, CLEAR, "1 face masked"),
    ],
)
def test_where_faces_had_no_room_nobody_passes(
    rows: Any, cut_off: float, evidence: Evidence, reason: str
) -> None:
    faces = replace(seen(*rows), cut_off=cut_off)
    judgement = FrameRule(classes=CLASSES).judge(faces)
    assert (judgement.evidence, judgement.reason) == (evidence, reason)


def test_faces_smaller_than_the_smallest_are_ignored_whatever_they_show() -> None:
    rule = FrameRule(classes=CLASSES, smallest_face_px=20.0)
    assert said(rule, BARE, side_px=19.9) == (UNKNOWN, "no face of 20 px or more")
    assert said(rule, BARE, side_px=20.0)[0] is VIOLATION


def test_fewer_faces_than_needed_are_not_clear() -> None:
    rule = FrameRule(classes=CLASSES, min_faces=2)
    assert said(rule, MASKED) == (UNKNOWN, "1 face masked, 2 needed")
    assert said(rule, MASKED, MASKED)[0] is CLEAR


def test_the_faces_judged_are_those_neither_small_nor_noise() -> None:
    faces = FrameRule(classes=CLASSES).judge(seen(MASKED, NOISE, BARE)).faces
    np.testing.assert_allclose(faces.scores, [MASKED, BARE])


def test_each_face_judged_gets_a_verdict() -> None:
    judged = FrameRule(classes=CLASSES).judge(seen(MASKED, NOISE, UNSURE, BARE, (0.9, 0.31)))
    assert judged.verdicts == ("allowed", "uncertain", "denied", "denied")


def test_any_classes_can_be_allowed_and_name_the_reason() -> None:
    rule = FrameRule(classes=CLASSES, allowed=("noMask",))
    assert said(rule, BARE) == (CLEAR, "1 face noMask")
    assert said(rule, MASKED) == (VIOLATION, "not noMask")


def test_detections_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        FrameRule(classes=CLASSES).judge(Detections.empty(("mask", "noMask", "hat")))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param({"allowed": ("masc",)}, "masc.*mask, noMask", id="not a class of the model"),
        pytest.param({"allowed": ()}, "allowed: found nothing", id="nothing allowed"),
        pytest.param({"deny": 0.6}, "deny 0.6 and grant 0.5", id="deny above grant"),
        pytest.param({"deny": 0.04}, "expected 0.05 <= deny", id="deny where no detector tells"),
        pytest.param({"grant": math.nan}, "grant nan", id="grant not a number"),
        pytest.param({"min_faces": 0}, "min_faces: found 0", id="an empty frame would do"),
        pytest.param({"smallest_face_px": math.nan}, "smallest_face_px", id="size not a number"),
        pytest.param(
            {"min_faces": 0, "allowed": ()}, "allowed.*min_faces", id="all that is wrong at once"
        ),
    ],
)
def test_wrong_settings_are_refused(options: dict[str, Any], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        FrameRule(classes=CLASSES, **options)


def test_without_a_picture_there_is_no_face_and_nothing_known() -> None:
    judgement = FrameRule(classes=CLASSES).unknown("camera silent")
    assert (judgement.evidence, judgement.reason) == (UNKNOWN, "camera silent")
    assert (len(judgement.faces), judgement.verdicts) == (0, ())
