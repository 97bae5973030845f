"""What is counted for Prometheus, and the dashboard that shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from live_page import Scenes, Site
from prometheus_client.parser import text_string_to_metric_families

from monitor.actuators.lease import Change, Lease
from monitor.frame import Frame
from monitor.metrics import DoorCount, Metrics
from monitor.result import Result
from monitor.summary import Summary

DASHBOARD = Path(__file__).parent.parent / "deploy" / "grafana-dashboard.json"


class Counted:
    """One live door's metrics, with a clock that moves as the test says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.metrics = Metrics(clock=lambda: self.now)
        self.scenes = Scenes()
        self.count: DoorCount = self.metrics.of_door(
            "front", live=True, frame_age_seconds=lambda: 0.25
        )

    def see(self, scene: str, *, index: int | None = None, fresh: bool = True) -> None:
        """Count what becomes of one more picture, taken 0.08 s ago, 0.1 s after the one before."""
        self.now += 0.1
        result = self.scenes.result(scene)
        index = result.frame.index if index is None else index
        frame = Frame(result.frame.image, index, self.now - 0.08)
        self.count.see(Result(frame, result.decision, fresh, result.candidates))

    def value(self, name: str, **labels: str) -> float:
        """The value of a metric of the door."""
        return values(self.metrics)[name, frozenset({"door": "front", **labels}.items())]


def values(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = metrics.text()[0].decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_frames_evidence_faces_and_unlocks_are_counted() -> None:
    door = Counted()
    for scene in ["nobody"] * 2 + ["masked"] * 20 + ["bare"]:
        door.see(scene)
    assert door.value("maskgate_frames_total") == 23
    assert door.value("maskgate_unlocks_total") == 1
    assert door.value("maskgate_door_unlocked") == 0
    assert door.value("maskgate_faces") == 1
    kinds = ("clear", "violation", "unknown")
    counts = [door.value("maskgate_evidence_total", evidence=kind) for kind in kinds]
    assert sum(counts) == 23
    assert counts[1] >= 1


def test_latencies_are_those_of_live_pictures() -> None:
    door = Counted()
    for _ in range(4):
        door.see("nobody")
    assert door.value("maskgate_decision_latency_seconds_count") == 4
    assert door.value("maskgate_decision_latency_seconds_sum") == pytest.approx(4 * 0.08)
    assert door.value("maskgate_decision_latency_seconds_bucket", le="0.075") == 0
    assert door.value("maskgate_decision_latency_seconds_bucket", le="0.1") == 4
    assert door.value("maskgate_decision_interval_seconds_count") == 3
    assert door.value("maskgate_frame_age_seconds") == 0.25


@pytest.mark.parametrize(
    ("indices", "dropped"),
    [
        pytest.param([0, 1, 2], 0, id="each decided on"),
        pytest.param([0, 3, 4, 9], 6, id="some passed over"),
        pytest.param([0, 0, 2], 1, id="a black one stood in for the first"),
    ],
)
def test_frames_that_nobody_decided_on_are_counted_as_dropped(
    indices: list[int], dropped: int
) -> None:
    door = Counted()
    for index in indices:
        door.see("nobody", index=index)
    assert door.value("maskgate_frames_dropped_total") == dropped


def test_a_silent_camera_gives_decisions_but_no_frames() -> None:
    door = Counted()
    door.see("nobody")
    door.see("nobody", index=0, fresh=False)
    assert door.value("maskgate_frames_total") == 1
    assert door.value("maskgate_frames_dropped_total") == 0
    assert door.value("maskgate_evidence_total", evidence="unknown") == 2


def test_a_black_picture_in_place_of_the_latest_is_not_taken_for_dropped_frames() -> None:
    door = Counted()
    door.see("nobody", index=90_000)
    # A reload has just put another keeper in place, which knows of no picture yet.
    door.see("nobody", index=0, fresh=False)
    door.see("nobody", index=90_002)
    assert door.value("maskgate_frames_dropped_total") == 1


def test_what_becomes_of_actuators_is_counted() -> None:
    door = Counted()
    lease = Lease(unlocked=True, reason="everyone masked")
    door.count.see_change(Change("strike", "unlocked", "everyone masked", lease, 0.12))
    door.count.see_change(Change("strike", "unknown", "it failed", lease, None))
    strike = {"actuator": "strike"}
    assert door.value("maskgate_actuator_failures_total", **strike) == 1
    assert door.value("maskgate_actuator_latency_seconds_count", **strike) == 1
    for state, held in (("unknown", 1), ("unlocked", 0), ("locked", 0)):
        assert (
            door.value("maskgate_actuator_state", **strike, maskgate_actuator_state=state) == held
        )


def test_reconnects_are_read_when_asked_for() -> None:
    door = Counted()
    summary = Summary()
    door.metrics.follow("front", summary)
    summary.reconnect()
    assert door.value("maskgate_reconnects_total") == 1


OF_NOW = {
    "maskgate_door_unlocked",
    "maskgate_faces",
    "maskgate_frame_age_seconds",
    "maskgate_actuator_state",
    "maskgate_reconnects_total",
}


def test_of_a_door_that_is_gone_nothing_is_said_but_what_was_counted() -> None:
    door = Counted()
    door.metrics.follow("front", Summary())
    tell(door, "strike")
    for _ in range(20):
        door.see("masked")
    assert {name for name, _ in values(door.metrics)} >= OF_NOW
    door.metrics.forget("front")
    assert not {name for name, _ in values(door.metrics)} & OF_NOW
    # What was on its way when the door was removed.
    door.see("masked")
    tell(door, "strike")
    assert not {name for name, _ in values(door.metrics)} & OF_NOW
    assert door.value("maskgate_unlocks_total") == 1


def test_a_door_that_begins_anew_is_not_what_it_was_before() -> None:
    door = Counted()
    tell(door, "strike")
    for _ in range(20):
        door.see("masked")
    assert door.value("maskgate_door_unlocked") == 1
    door.metrics.of_door("front", live=True, frame_age_seconds=lambda: 0.5)
    assert door.value("maskgate_door_unlocked") == 0
    assert door.value("maskgate_faces") == 0
    assert door.value("maskgate_frame_age_seconds") == 0.5
    assert "maskgate_actuator_state" not in {name for name, _ in values(door.metrics)}


def test_an_actuator_that_a_door_no_longer_has_is_in_no_state() -> None:
    door = Counted()
    tell(door, "strike")
    door.metrics.forget_actuators("front")
    tell(door, "bell")
    states = [labels for name, labels in values(door.metrics) if name == "maskgate_actuator_state"]
    assert {dict(labels)["actuator"] for labels in states} == {"bell"}


def tell(door: Counted, actuator: str) -> None:
    lease = Lease(unlocked=True, reason="everyone masked")
    door.count.see_change(Change(actuator, "unlocked", "everyone masked", lease, 0.12))


def test_two_sets_of_metrics_in_one_process_do_not_meet() -> None:
    one, other = Counted(), Counted()
    one.see("nobody")
    assert other.value("maskgate_frames_total") == 0


def test_every_metric_of_the_dashboard_is_served() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [variable["query"] for variable in dashboard["templating"]["list"]]
    wanted = {name for query in queries for name in re.findall(r"(?:maskgate|process)_\w+", query)}
    with Site() as site:
        site.show("bare")
        lease = Lease(unlocked=False, reason="the start")
        site.doors["front"].changed(Change("strike", "locked", "the start", lease, 0.1))
        site.page.follow("front", Summary())
        text = site.ask("/metrics").body.decode()
    families = text_string_to_metric_families(text)
    served = {sample.name for family in families for sample in family.samples}
    assert len(wanted) > 10
    assert wanted <= served
