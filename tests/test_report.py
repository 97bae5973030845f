"""The report of a replay: its figures, and the two files that hold them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from monitor.app.replay import replay
from monitor.cli import main
from monitor.config import load
from monitor.decision import Door
from monitor.interrupt import Interrupted
from monitor.report import clip_figures, to_json, to_junit
from monitor.timeline import Span

Clip = Callable[..., Path]
LOCKED, UNLOCKED = Door.LOCKED, Door.UNLOCKED


def shown(states: str) -> list[tuple[float, Door]]:
    """Ten frames a second; `u` shows the door unlocked, anything else locked."""
    return [(n / 10, UNLOCKED if state == "u" else LOCKED) for n, state in enumerate(states)]


@pytest.mark.parametrize(
    ("state", "states", "stretches", "after_seconds"),
    [
        pytest.param(LOCKED, "----------", 0, None, id="locked throughout"),
        pytest.param(LOCKED, "--uu-u----", 2, None, id="unlocked twice: two false unlocks"),
        pytest.param(LOCKED, "uuuuuuuuuu", 1, None, id="unlocked throughout: a single one"),
        pytest.param(UNLOCKED, "uuuuuuuuuu", 0, 0.0, id="unlocked before it begins"),
        pytest.param(UNLOCKED, "---uuuuuuu", 1, 0.3, id="unlocked late: a false denial"),
        pytest.param(UNLOCKED, "-u--uu-uuu", 3, 0.1, id="three false denials"),
        pytest.param(UNLOCKED, "----------", 1, None, id="never unlocked"),
        pytest.param(UNLOCKED, "----------u", 1, None, id="unlocked after it has ended"),
    ],
)
def test_a_span_counts_the_stretches_in_the_other_state(
    state: Door, states: str, stretches: int, after_seconds: float | None
) -> None:
    [figures] = clip_figures("clip", [Span(0.0, 1.0, state)], shown(states)).spans
    assert figures.wrong_stretches == stretches
    assert figures.unlocked_after_seconds == pytest.approx(after_seconds)
    assert (figures.complaint is None) == (stretches == 0)


def test_the_time_to_an_unlock_counts_from_the_last_mask_where_that_is_noted() -> None:
    span = Span(0.8, 1.0, UNLOCKED, masked_seconds=0.2)
    [figures] = clip_figures("clip", [span], shown("-----uuuuu")).spans
    assert (figures.complaint, figures.unlocked_after_seconds) == (None, 0.3)


def test_rates_are_by_the_hour_in_which_the_door_was_held_to_the_state() -> None:
    # 18 s in which it must be locked, of which the clip shows 9; 1.8 s unlocked, of which all.
    spans = [Span(0.0, 1.8, UNLOCKED), Span(1.8, 19.8, LOCKED)]
    clips = [
        clip_figures("one", spans, shown("u" * 18 + "-" * 40 + "u" + "-" * 50)),
        clip_figures("two", spans, shown("--" + "u" * 16 + "-" * 91)),
    ]
    total = json.loads(to_json(clips))["total"]
    assert total["false_unlocks"]["count"] == 1
    assert total["false_unlocks"]["hours"] == 0.005
    assert total["false_unlocks"]["per_hour"] == pytest.approx(200)
    assert total["false_denials"] == pytest.approx({"count": 1, "hours": 0.001, "per_hour": 1000})
    assert total["unlocked_after_seconds"] == pytest.approx({"median": 0.1, "longest": 0.2})
    assert (total["spans_kept"], total["spans_broken"]) == (2, 2)


def test_without_anything_to_hold_to_there_is_no_rate() -> None:
    total = json.loads(to_json([clip_figures("clip", [], [], "damaged")]))["total"]
    assert total["false_unlocks"] == {"count": 0, "hours": 0, "per_hour": None}
    assert total["unlocked_after_seconds"] == {"median": None, "longest": None}
    assert (total["clips"], total["faults"], total["frames"]) == (1, 1, 0)


def test_junit_names_every_span_and_says_how_it_was_broken() -> None:
    spans = [Span(0.0, 0.5, LOCKED), Span(0.5, 1.0, UNLOCKED)]
    clips = [
        clip_figures("kept", spans, shown("-----uuuuu")),
        clip_figures("late & <odd>\x1b", spans, shown("-------uuu")),
        clip_figures("gone", spans, [], "gone.mp4: no such file"),
    ]
    root = ElementTree.fromstring(to_junit(clips))
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["kept", "late & <odd>?", "gone"]
    for suite in root:
        assert suite.get("tests") == str(len(suite.findall("testcase"))) == "3"
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("errors") == str(len(suite.findall("testcase/error")))
    [failure] = suites["late & <odd>?"].findall("testcase/failure")
    assert failure.get("message") == (
        "0.5 to 1 s: locked at 2 of 5 frames, first at 0.500 s, expected unlocked"
    )
    assert [case.get("name") for case in suites["kept"]] == [
        "is replayed to its end",
        "locked from 0 to 0.5 s",
        "unlocked from 0.5 to 1 s",
    ]
    [error] = suites["gone"].findall("testcase/error")
    assert error.get("message") == "gone.mp4: no such file"
    assert len(suites["gone"].findall("testcase/failure")) == 2


@pytest.fixture
def timelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds `door` to a span that it keeps and to one that it breaks."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "timelines.json"
    spans = [
        {"from": 0, "to": 0.9, "state": "locked"},
        {"from": 1.0, "to": 4.0, "state": "unlocked"},
    ]
    path.write_text(json.dumps({"door": {"door": spans}}))
    return path


@pytest.mark.usefixtures("colour_model")
def test_a_replay_writes_both_reports(clip: Clip, timelines: Path, tmp_path: Path) -> None:
    source = clip("door", [("bare", 10), ("masked", 30)])
    files = ["--report", "out.json", "--junit", "out.xml"]
    sources = [str(source), "nowhere.mp4"]
    assert main(["replay", *sources, "--expect", str(timelines), *files]) == 1
    content = json.loads((tmp_path / "out.json").read_text())
    door, nowhere = content["clips"]
    assert [span["kept"] for span in door["spans"]] == [True, False]
    assert 1.0 <= door["unlocked_after_seconds"]["longest"] < 3.0
    assert door["false_denials"]["count"] == 1
    assert nowhere["fault"].startswith("nowhere.mp4: no such file")
    suites = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert [
        (suite.get("name"), suite.get("failures"), suite.get("errors")) for suite in suites
    ] == [
        ("door", "1", "0"),
        ("nowhere", "0", "1"),
    ]


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize("option", ["--report", "--junit"])
def test_a_report_that_cannot_be_written_is_refused_before_any_work(
    clip: Clip, timelines: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    source = str(clip("door", [("bare", 2)]))
    assert main(["replay", source, option, "/nowhere/x"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("monitor: error: /nowhere/x: No such file or directory")


@pytest.mark.usefixtures("colour_model", "timelines")
@pytest.mark.parametrize("before", [None, "an older report"])
def test_a_replay_that_is_stopped_leaves_the_reports_as_they_were(
    clip: Clip, tmp_path: Path, before: str | None
) -> None:
    files = [tmp_path / "out.json", tmp_path / "out.xml"]
    if before is not None:
        for path in files:
            path.write_text(before)
    source = clip("door", [("bare", 2)])
    there = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def stop() -> None:
        raise Interrupted(signal.SIGTERM)

    with pytest.raises(Interrupted):
        replay(load(None), [str(source)], check_interrupt=stop, report=files[0], junit=files[1])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == there


@pytest.mark.usefixtures("colour_model", "timelines")
@pytest.mark.parametrize("option", ["--report", "--events"])
def test_what_goes_to_stdout_is_not_mixed_with_the_summary(
    clip: Clip, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    source = str(clip("door", [("bare", 1)]))
    # as /dev/stdout leads to
    assert main(["replay", source, option, "/proc/self/fd/1"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)
    assert "door: 1 frame" in err
