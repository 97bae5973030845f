"""Timelines: reading them, and finding the spans that a replay broke."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.decision import Door
from monitor.errors import ConfigError
from monitor.timeline import Span, broken, read_timelines

LOCKED, UNLOCKED = Door.LOCKED, Door.UNLOCKED


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        pytest.param([(1.0, LOCKED), (1.9, LOCKED)], None, id="kept"),
        pytest.param([(0.9, UNLOCKED), (1.0, LOCKED)], None, id="wrong only before it begins"),
        pytest.param([(1.0, LOCKED), (2.0, UNLOCKED)], None, id="its end is not part of it"),
        pytest.param(
            [(1.0, UNLOCKED), (1.5, LOCKED)],
            "1 to 2 s: unlocked at 1 of 2 frames, first at 1.000 s, expected locked",
            id="its beginning is part of it",
        ),
        pytest.param(
            [(1.25, LOCKED), (1.5, UNLOCKED), (1.75, UNLOCKED)],
            "1 to 2 s: unlocked at 2 of 3 frames, first at 1.500 s, expected locked",
            id="a single other frame breaks it",
        ),
        pytest.param(
            [(0.5, LOCKED), (2.5, LOCKED)],
            "1 to 2 s: no frame found, expected locked",
            id="no frame inside",
        ),
        pytest.param([], "1 to 2 s: no frame found, expected locked", id="no frame at all"),
    ],
)
def test_a_span_is_broken_by_any_frame_inside_that_shows_another_state(
    frames: list[tuple[float, Door]], complaint: str | None
) -> None:
    found = [str(span) for span in broken([Span(1.0, 2.0, LOCKED)], frames)]
    assert found == ([complaint] if complaint else [])


def test_broken_spans_come_in_order_from_frames_read_once() -> None:
    spans = [Span(0, 1, UNLOCKED), Span(1, 2, LOCKED), Span(2, 3, UNLOCKED)]
    frames = ((time, LOCKED) for time in (0.5, 1.5, 2.5))
    assert [item.span for item in broken(spans, frames)] == [spans[0], spans[2]]


def write(folder: Path, content: object) -> Path:
    """A timelines file with this content: text as it is, anything else as JSON."""
    path = folder / "timelines.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_timelines_are_read_by_clip(tmp_path: Path) -> None:
    content = {
        "walk": {
            "what": "one person, bare, then masked",
            "door": [
                {"from": 0, "to": 1.5, "state": "locked"},
                {"from": 4.0, "to": 5, "state": "unlocked", "masked": 2.5},
            ],
        },
        "empty": {"door": [{"from": 0, "to": 9, "state": "locked"}]},
    }
    assert read_timelines(write(tmp_path, content)) == {
        "walk": (Span(0.0, 1.5, LOCKED), Span(4.0, 5.0, UNLOCKED, 2.5)),
        "empty": (Span(0.0, 9.0, LOCKED),),
    }


@pytest.mark.parametrize(
    ("content", "complaints"),
    [
        pytest.param("{", ["not a timelines file"], id="not JSON"),
        pytest.param("[" * 100_000, ["not a timelines file"], id="nested too deeply"),
        pytest.param([], ["expected a mapping"], id="a list"),
        pytest.param({"a": {}}, ["a.door: nothing found"], id="no spans key"),
        pytest.param({"a": {"door": []}}, ["a.door"], id="no spans: nothing would be held"),
        pytest.param(
            '{"a": {"door": []}, "a": {"door": []}}', ["found twice", "a"], id="a clip twice"
        ),
        pytest.param(
            {"a.b": {"door": [{"from": -1, "to": "x", "state": "open", "why": 1}]}, "c": 3},
            [
                "5 errors",
                "a.b.door[0].from: found -1",
                "a.b.door[0].to: found 'x'",
                "a.b.door[0].state: found 'open', expected 'locked' or 'unlocked'",
                "a.b.door[0].why: unknown key",
                "c: found 3, expected a mapping",
            ],
            id="every wrong value at once",
        ),
        pytest.param(
            {"a": {"door": [{"from": 2, "to": 2, "state": "locked"}]}},
            ["a.door[0].to: found 2, expected more than `from`, 2"],
            id="a span that holds no time",
        ),
        pytest.param(
            {"a": {"door": [{"from": -5, "to": -3, "state": "locked"}]}},
            ["timelines.json: a.door[0].from: found -5"],
            id="a span before the beginning",
        ),
        pytest.param(
            {"a": {"door": [{"from": 2, "to": 3, "state": "locked", "masked": 1}]}},
            ["a.door[0].masked: found 1, expected a time up to `from`, of a span that is unlocked"],
            id="a locked span with a mask on",
        ),
        pytest.param(
            '{"a": {"door": [{"from": 0, "to": NaN, "state": "locked"}]}}',
            ["a.door[0].to: found nan"],
            id="not a finite time",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: object, complaints: list[str]) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ConfigError) as refusal:
        read_timelines(path)
    for complaint in [str(path), *complaints]:
        assert complaint in str(refusal.value)


def test_a_file_that_is_missing_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: No such file"):
        read_timelines(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bytes\.json: not a timelines file"):
        read_timelines(tmp_path / "bytes.json")
