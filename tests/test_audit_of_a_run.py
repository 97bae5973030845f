"""The audit of a run: what `monitor run` records, and how `monitor events` lists it."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import OF_THE_SERVICE_ALONE

from monitor.audit import Event, Kind, Ledger
from monitor.audit.listing import Form, list_events, parse_since
from monitor.cli import main
from monitor.errors import UsageError
from monitor.interrupt import Interrupted
from monitor.override_socket import ask

Clip = Callable[..., Path]

CONFIG = """
audit: {folder: record}
doors: [{name: hall, policy: {settle_seconds: 0, hold_seconds: 0.2}}]
"""
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG)


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `monitor events` prints."""

    def events(*options: str) -> str:
        capsys.readouterr()
        assert main(["events", *options]) == 0
        return capsys.readouterr().out

    return events


@pytest.fixture
def some_events() -> list[Event]:
    """An audit of two doors, one entry a day up to today."""
    Path("record").mkdir()
    today = datetime.now(UTC)
    events = [
        Event(today - timedelta(days=2), Kind.DOOR, "hall", "1 face masked", state="unlocked"),
        Event(today - timedelta(days=1), Kind.ACTUATOR, "gate", "jammed", actuator="strike"),
        Event(today, Kind.DOOR, "gate", "no face", state="locked", latency_ms=81.5),
    ]
    with closing(Ledger(Path("record/audit.sqlite3"))) as ledger:
        ledger.append(events)
    return events


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.usefixtures("colour_model")
def test_a_run_records_each_change_and_nothing_else(clip: Clip, listed: Callable[..., str]) -> None:
    scenes = [("bare", 4), ("masked", 8), ("nobody", 2), ("masked", 2), ("bare", 3)]
    assert main(["run", "--no-window", "--source", str(clip("porch", scenes))]) == 0
    events = objects(listed("--json"))
    decided = [event for event in events if event["kind"] != "actuator"]
    assert [
        (event["kind"], event["frame"], event["state"], event["evidence"]) for event in decided
    ] == [
        ("start", None, None, None),
        ("door", 0, "locked", "violation"),
        ("evidence", 4, "locked", "clear"),
        ("door", 6, "unlocked", "clear"),
        ("evidence", 12, "unlocked", "unknown"),
        ("evidence", 14, "unlocked", "clear"),
        ("door", 16, "locked", "violation"),
        ("stop", None, None, None),
    ]
    moved = [event for event in events if event["kind"] == "actuator"]
    assert [(event["actuator"], event["state"]) for event in moved] == [
        ("log", "locked"),
        ("log", "unlocked"),
        ("log", "locked"),
    ]
    assert {event["door"] for event in events} == {"hall"}
    assert {event["model_sha256"] for event in events} == {"0" * 64}
    assert {len(event["config_sha256"]) for event in events} == {64}
    opened = decided[3]
    assert opened["reason"] == "1 face masked"
    assert [face["label"] for face in opened["faces"]] == ["mask"]
    assert opened["latency_ms"] is None


@pytest.mark.usefixtures("colour_model")
def test_an_actuator_that_fails_is_recorded_once_for_each_reason(
    clip: Clip, listed: Callable[..., str]
) -> None:
    Path("config.yaml").write_text(
        CONFIG.replace(
            "}}]",
            "}, actuators: [{kind: command, name: strike, lock: [sh, -c, exit 3], "
            "unlock: ['true']}]}]",
        )
    )
    source = str(clip("porch", [("bare", 4)]))
    assert main(["run", "--no-window", "--source", source, "--actuate"]) == 1
    [failed] = [event for event in objects(listed("--json")) if event["kind"] == "actuator"]
    assert (failed["actuator"], failed["state"]) == ("strike", "unknown")
    assert "exit status 3" in failed["reason"]


@pytest.mark.usefixtures("colour_model")
def test_who_ordered_what_is_recorded_and_what_became_of_it(
    clip: Clip, listed: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("run/override.sock")
    Path("config.yaml").write_text(f"{CONFIG}override: {{socket: {path}}}\n")

    def order(*_: object) -> None:
        ask(path, door="hall", action="lock", seconds=30.0, by="Ada")
        with pytest.raises(UsageError, match="locked by Ada"):
            ask(path, door="hall", action="unlock", seconds=5.0, by="Ben")
        ask(path, door="hall", action="lock", seconds=0.001, by="Ada")

    monkeypatch.setattr("monitor.service.Service.ready", order)
    assert main(["run", "--no-window", "--source", str(clip("porch", [("bare", 10)]))]) == 0
    orders = [event for event in objects(listed("--json")) if event["kind"] == "override"]
    assert {event["door"] for event in orders} == {"hall"}
    given, refused, *others = [(event["state"], event["reason"]) for event in orders]
    assert given == ("locked", "locked by Ada for 30 s")
    assert refused[0] is None
    assert re.fullmatch(r"unlock by Ben for 5 s refused: locked by Ada, .* (29|30) s", refused[1])
    assert others == [
        (None, "locked by Ada: replaced"),
        ("locked", "locked by Ada for 0.001 s"),
        (None, "locked by Ada: ended"),
    ]


@pytest.mark.usefixtures("colour_model")
def test_without_a_folder_nothing_is_recorded(clip: Clip, tmp_path: Path) -> None:
    Path("config.yaml").write_text("window: never\n")
    assert main(["run", "--source", str(clip("porch", [("bare", 2)]))]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"config.yaml", "porch.mp4"}


@pytest.mark.usefixtures("colour_model")
def test_a_record_that_cannot_be_written_leaves_the_run_as_it_is(
    clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("record").write_text("a file where a folder is wanted")
    assert main(["run", "--no-window", "--source", str(clip("porch", [("masked", 5)]))]) == 0
    assert "1 unlock" in capsys.readouterr().out


@pytest.mark.usefixtures("some_events")
def test_the_table_is_readable(listed: Callable[..., str]) -> None:
    head, *lines = listed().splitlines()
    assert head.split() == ["time", "door", "what", "state", "evidence", "ms", "why"]
    assert len(lines) == 3
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} hall +door +unlocked +1 face masked", lines[0]
    )
    assert lines[1].endswith(" strike: jammed")
    assert re.search(r" locked +82 +no face$", lines[2])


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        pytest.param([], ["1 face masked", "jammed", "no face"], id="all"),
        pytest.param(["--since", "36h"], ["jammed", "no face"], id="since"),
        pytest.param(["--door", "gate"], ["jammed", "no face"], id="door"),
        pytest.param(["--door", "hall", "--since", "36h"], [], id="both"),
    ],
)
def test_the_list_may_be_narrowed(
    some_events: list[Event], listed: Callable[..., str], options: list[str], chosen: list[str]
) -> None:
    assert [event["reason"] for event in objects(listed("--json", *options))] == chosen


def test_csv_and_json_hold_the_same(some_events: list[Event], listed: Callable[..., str]) -> None:
    as_json = objects(listed("--json"))
    as_csv = list(csv.DictReader(io.StringIO(listed("--csv"))))
    assert len(as_csv) == len(as_json) == 3
    for flat, full in zip(as_csv, as_json, strict=True):
        assert list(flat) == list(full)
        assert json.loads(flat.pop("faces")) == full.pop("faces")
        assert flat == {key: "" if value is None else str(value) for key, value in full.items()}
    assert datetime.fromisoformat(as_json[2]["at"]) == some_events[2].at.replace(
        microsecond=some_events[2].at.microsecond // 1000 * 1000
    )


@pytest.mark.usefixtures("some_events")
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_listing_ends_between_two_entries_when_asked_to(
    capsys: pytest.CaptureFixture[str], form: Form
) -> None:
    looks = iter([None, Interrupted(signal.SIGINT)])

    def check() -> None:
        if stopped := next(looks):
            raise stopped

    with pytest.raises(Interrupted):
        list_events("record", form=form, check_interrupt=check)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == (1 if form == "json" else 2)


def test_a_record_is_listed_from_where_the_secrets_of_the_monitor_cannot_be_read(
    some_events: list[Event], listed: Callable[..., str]
) -> None:
    Path("config.yaml").write_text(f"audit: {{folder: record}}\n{OF_THE_SERVICE_ALONE}")
    assert len(objects(listed("--json"))) == 3


def test_another_folder_may_be_named(some_events: list[Event], listed: Callable[..., str]) -> None:
    Path("record").rename("copied")
    assert len(objects(listed("--json", "--folder", "copied"))) == 3


@pytest.mark.parametrize(
    ("config", "options", "code", "message"),
    [
        pytest.param("window: never", [], 2, "events: no audit is configured", id="no audit"),
        pytest.param(CONFIG, [], 1, "record/audit.sqlite3: No such file", id="nothing recorded"),
        pytest.param(CONFIG, ["--since", "lunch"], 2, "--since: 'lunch' found", id="no time"),
    ],
)
def test_what_cannot_be_listed_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], config: str, options: list[str], code: int, message: str
) -> None:
    Path("config.yaml").write_text(config)
    assert main(["events", *options]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"monitor: error: {message}")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-01-30T23:00:00+01:00", NOW - timedelta(hours=14)),
        ("2026-01-30T22:00Z", NOW - timedelta(hours=14)),
        # Without an offset it is a time here.
        ("2026-01-30", datetime(2026, 1, 30).astimezone()),
        ("2026-01-30 08:30", datetime(2026, 1, 30, 8, 30).astimezone()),
    ],
)
def test_a_time_is_taken_as_people_write_it(text: str, time: datetime) -> None:
    assert parse_since(text, NOW) == time


@pytest.mark.parametrize("text", ["", "h", "2w", "-1h", "9999999h", "999999d", "2026-13-01"])
def test_no_other_text_is_taken_for_a_time(text: str) -> None:
    with pytest.raises(UsageError, match="expected 90s, 15m, 2h, 7d"):
        parse_since(text, NOW)
