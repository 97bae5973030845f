"""What a newer configuration changes about the doors, and how that is done to each."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.app.difference import Difference
from monitor.door_section import DoorSection


def doors(*given: dict[str, Any]) -> dict[str, DoorSection]:
    return {keys["name"]: DoorSection.model_validate(keys) for keys in given}


A, B = {"name": "a", "source": "clip.mp4"}, {"name": "b", "source": "clip.mp4"}
HELD = {"hold_seconds": 2.0}


@pytest.mark.parametrize(
    ("before", "after", "said", "begun", "ended", "exchanged"),
    [
        # the same
        ([A, B], [A, B], {}, "", "", ""),
        # another order is no difference
        ([A, B], [B, A], {}, "", "", ""),
        # what decides is exchanged while the camera goes on
        ([A, B], [A | {"policy": HELD}, B], {"a": "policy"}, "", "", "a"),
        # another picture needs another beginning
        ([A, B], [A | {"mirror": True}, B], {"a": "mirror"}, "a", "a", ""),
        # and so do both at once
        ([A], [A | {"mirror": True, "policy": HELD}], {"a": "mirror, policy"}, "a", "a", ""),
        # one comes, one goes
        ([A], [B], {"a": "removed", "b": "added"}, "b", "a", ""),
    ],
)
def test_only_what_is_different_is_touched(
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    said: dict[str, str],
    begun: str,
    ended: str,
    exchanged: str,
) -> None:
    found = Difference.between(doors(*before), doors(*after))
    assert found.said == said
    assert set(found.begun) == set(begun)
    assert set(found.ended) == set(ended)
    assert found.exchanged == set(exchanged)


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        # another one comes
        ([A, B], "no longer alone"),
        # and the door itself is changed, too
        ([A | {"policy": HELD}, B], "no longer alone, policy"),
        # it stays alone
        ([A | {"policy": HELD}], "policy"),
    ],
)
def test_a_door_that_let_the_others_wait_begins_anew_when_there_are_others(
    after: list[dict[str, Any]], changed: str
) -> None:
    found = Difference.between(doors(A), doors(*after), waiting=["a"])
    assert found.said["a"] == changed
    assert ("a" in found.begun, "a" in found.ended) == (len(after) > 1, len(after) > 1)


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        # the content of the file alone
        (A, "zones_file"),
        # and something else
        (A | {"policy": HELD}, "policy, zones_file"),
    ],
)
def test_zones_that_were_drawn_anew_are_exchanged_while_the_camera_goes_on(
    after: dict[str, Any], changed: str
) -> None:
    found = Difference.between(doors(A, B), doors(after, B), redrawn=["a"])
    assert found.said == {"a": changed}
    assert found.exchanged == {"a"}
