"""Measured: thresholds that follow from an evaluation, and reports that do not belong to a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from training_cases import drawn_set

from export import checkpoint
from export.__main__ import main
from export.figures.measured import Measured, read_measured
from export.retinanet import RetinaNet, RetinaNetConfig
from monitor.contract import Contract, ResizeRule
from monitor.errors import UsageError

RULE = ResizeRule(64, 96)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = RetinaNet(
        RetinaNetConfig(
            ("mask", "noMask"), "resnet18", 0.125, fpn_channels=8, subnet_depth=1, prior=0.3
        )
    )
    content = {
        "config": network.config.to_dict(),
        "resize": {"min_side_px": 64, "max_side_px": 96, "multiple_px": 32},
        "averaged": network.state_dict(),
    }
    path = tmp_path_factory.mktemp("snapshot") / "small.pt"
    checkpoint.save(path, content)
    return path


@pytest.fixture(scope="module")
def report(snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `evaluate` really writes of that snapshot, with a door curve put in by hand.

    The network is not trained, and finds no mask surely enough for a curve of its own.
    """
    folder = tmp_path_factory.mktemp("report")
    path = folder / "report.json"
    words = ["--report", str(path), "pascal", str(drawn_set(folder / "drawn")), str(snapshot)]
    assert main(["evaluate", *words]) == 0
    content = json.loads(path.read_text())
    point = {"tau": 0.37, "up_to": 0.5, "denials": 0.1, "false_unlocks": 0.02}
    content["figures"]["door"]["at_most_denials"] = point
    path.write_text(json.dumps(content))
    return path


def changed(report: Path, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    content = json.loads(report.read_text())
    change(content)
    path = folder / "changed.json"
    path.write_text(json.dumps(content))
    return path


def with_tau(
    tau: float | None, denials: float | None = 0.1, up_to: float = 1.0
) -> Callable[[dict[str, Any]], object]:
    point = {"tau": tau, "up_to": up_to, "denials": denials, "false_unlocks": 0.0}
    chosen = None if tau is None else point
    return lambda content: content["figures"]["door"].update(at_most_denials=chosen)


@pytest.mark.parametrize(
    ("tau", "up_to", "grant", "deny"),
    [
        # the score that the door figures ask of a mask, and a little more than their tau
        (0.37, 0.6, 0.4, 0.38),
        # the two kinds are told apart everywhere
        (0.05, 0.9, 0.4, 0.06),
        # the next picture that would open is near: as far from it as from the one that must
        (0.37, 0.374, 0.4, 0.372),
        # nothing lies between two scores
        (0.37, 0.37, 0.4, 0.37),
        # grant is never below deny
        (0.62, 0.9, 0.63, 0.63),
    ],
)
def test_thresholds_follow_from_the_door_curve(
    report: Path,
    snapshot: Path,
    tmp_path: Path,
    tau: float,
    up_to: float,
    grant: float,
    deny: float,
) -> None:
    path = changed(report, tmp_path, with_tau(tau, up_to=up_to))
    measured = read_measured(path, [snapshot], RULE)
    assert measured.thresholds(None, None) == pytest.approx((grant, deny))


def test_the_figures_go_with_the_size_and_the_data_set_that_they_hold_for(
    report: Path, snapshot: Path
) -> None:
    metrics = read_measured(report, [snapshot], RULE).metrics
    assert metrics["resize"] == {"min_side_px": 64, "max_side_px": 96, "multiple_px": 32}
    assert metrics["data_set"]["pictures"] == metrics["pictures"] == 12
    assert metrics["slices"][0]["mean"]["boxes"] > 0


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((None, None), (0.4, 0.3)),  # as measured
        ((0.6, None), (0.6, 0.3)),  # what is asked for goes first
        ((None, 0.1), (0.4, 0.1)),
        ((0.9, 0.8), (0.9, 0.8)),
    ],
)
def test_what_is_asked_for_goes_before_what_was_measured(
    asked: tuple[float | None, float | None], expected: tuple[float, float]
) -> None:
    assert Measured({}, 0.4, 0.3).thresholds(*asked) == expected


def test_without_a_measurement_there_are_the_contracts_own_thresholds() -> None:
    assert Measured({}).thresholds(None, None) == (Contract.grant, Contract.deny)


@pytest.mark.parametrize(
    "asked",
    [
        (0.2, None),  # grant below deny
        (None, 0.5),  # deny above grant
        (1.2, 0.3),  # grant above every score
        (0.4, 0.04),  # deny below every score that the monitor is told of
    ],
)
def test_thresholds_that_cannot_be_in_force_are_refused(
    asked: tuple[float | None, float | None],
) -> None:
    with pytest.raises(UsageError, match=r"--deny .* expected at least 0\.05 and at most --grant"):
        Measured({}, 0.4, 0.3).thresholds(*asked)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        # pictures of one kind only, or a model that knows no masks
        (with_tau(None), "found no door figures"),
        # a report without a door
        (lambda content: content["figures"].update(door=None), "found no door figures"),
        # fewer than one in ten is not to be had
        (with_tau(0.37, 0.15), "found at least 15.0 % of the all-masked pictures refused"),
        (with_tau(0.37, 0.101), "found at least 10.1 % of the all-masked pictures refused"),
    ],
)
def test_a_report_that_no_thresholds_follow_from_still_gives_its_figures(
    report: Path, snapshot: Path, tmp_path: Path, change: Any, reason: str
) -> None:
    measured = read_measured(changed(report, tmp_path, change), [snapshot], RULE)
    assert reason in measured.no_thresholds
    assert measured.metrics["pictures"] == 12
    assert measured.thresholds(None, None) == (Contract.grant, Contract.deny)


def test_a_report_that_thresholds_follow_from_gives_no_reason_against_them(
    report: Path, snapshot: Path
) -> None:
    assert read_measured(report, [snapshot], RULE).no_thresholds == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # of another snapshot
        (lambda content: content["model"].update(sha256="0" * 64), "measured of the file 0000"),
        # at another size
        (
            lambda content: content["resize"].update(max_side_px=640),
            "measured at sides of 64 to 640 px, expected 64 to 96",
        ),
        # another program's JSON
        (lambda content: content.pop("figures"), "found no report of `evaluate --report`"),
        (lambda content: content.update(model=[]), "found no report of `evaluate --report`"),
        # a number that is none
        (with_tau(0.37, None), "found no report of `evaluate --report`"),
    ],
)
def test_a_report_that_does_not_belong_to_the_file_is_refused(
    report: Path, snapshot: Path, tmp_path: Path, change: Any, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read_measured(changed(report, tmp_path, change), [snapshot], RULE)


def test_a_report_that_is_none_is_refused(snapshot: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json: cannot read the report"):
        read_measured(tmp_path / "none.json", [snapshot], RULE)
    (tmp_path / "text.json").write_text("no JSON")
    with pytest.raises(UsageError, match=r"text\.json: found no report"):
        read_measured(tmp_path / "text.json", [snapshot], RULE)
