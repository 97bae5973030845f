from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from colours import picture

from monitor.cli import main
from monitor.record import fitted
from monitor.summary import Summary

Clip = Callable[..., Path]
Run = Callable[..., tuple[int, str, str]]

# Bare for 1 s, then masked for 3 s: with a hold of 1 s the door opens at 2 s.
MASKS_UP = [("bare", 10), ("masked", 30)]

pytestmark = pytest.mark.usefixtures("colour_model")


@pytest.fixture
def replay(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs `monitor replay` with built-in configuration; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(["replay", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def timelines(path: Path, **clips: list[tuple[float, float, str]]) -> Path:
    content = {
        name: {"door": [dict(zip(("from", "to", "state"), span, strict=True)) for span in spans]}
        for name, spans in clips.items()
    }
    path.write_text(json.dumps(content))
    return path


def test_every_frame_becomes_one_event_in_order(replay: Run, clip: Clip, tmp_path: Path) -> None:
    code, out, _ = replay(clip("door", MASKS_UP), "--events", "events.jsonl")
    events = read(tmp_path / "events.jsonl")
    assert code == 0
    assert [event["index"] for event in events] == list(range(40))
    assert events[0] == {
        "source": "door",
        "index": 0,
        "time": 0.0,
        "faces": [
            {
                "track": 1,
                "box": [0.0, 0.0, 51.2, 38.4],
                "label": "noMask",
                "score": 0.8,
                "scores": {"mask": 0.1, "noMask": 0.8},
            }
        ],
        "evidence": "violation",
        "door": "locked",
        "reason": "mask below the nose or no mask",
    }
    unlocked = [event["time"] for event in events if event["door"] == "unlocked"]
    assert unlocked == pytest.approx([n / 10 for n in range(21, 40)])
    assert out.startswith("door: 40 frames, ")
    assert out.endswith("1 unlock, 1.8 s unlocked\n")


def test_two_replays_give_the_same_bytes(replay: Run, clip: Clip, tmp_path: Path) -> None:
    clips = [clip("one", MASKS_UP), clip("two", [("masked", 25), ("nobody", 10)])]
    for name in ("first.jsonl", "second.jsonl"):
        assert replay(*clips, "--events", name)[0] == 0
    first = (tmp_path / "first.jsonl").read_bytes()
    assert first == (tmp_path / "second.jsonl").read_bytes()
    assert first.count(b"\n") == 75


def test_two_replays_record_the_same_video_however_fast_the_machine_is(
    replay: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # wide enough for all that a picture may say
    source = tmp_path / "wide.png"
    cv2.imwrite(str(source), picture("masked", 640, 360))
    for speed in (7.0, 80.0):
        monkeypatch.setattr(Summary, "recent_frames_per_second", speed)
        assert replay(source, "--video", f"{speed}.mp4")[0] == 0
    assert (tmp_path / "7.0.mp4").read_bytes() == (tmp_path / "80.0.mp4").read_bytes()


def test_the_policy_starts_afresh_for_each_source(replay: Run, clip: Clip, tmp_path: Path) -> None:
    opens, again = clip("opens", [("masked", 15)]), clip("again", [("masked", 5)])
    assert replay(opens, again, "--events", "events.jsonl")[0] == 0
    doors = {event["source"]: event["door"] for event in read(tmp_path / "events.jsonl")}
    assert doors == {"opens": "unlocked", "again": "locked"}


def test_a_source_that_fails_leaves_the_others_replayed(
    replay: Run, clip: Clip, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    good = clip("good", [("masked", 5)])
    code, out, err = replay("/nowhere.mp4", broken, good, "--events", "events.jsonl")
    assert code == 1
    assert out.startswith("good: 5 frames")
    assert [line for line in err.splitlines() if "error" in line] == [
        "monitor: error: /nowhere.mp4: no such file or folder; expected a camera index, a URL, "
        "a video file, a folder of pictures, or demo",
        f"monitor: error: {broken}: cannot be opened as a video; damaged, or not one",
    ]
    assert {event["source"] for event in read(tmp_path / "events.jsonl")} == {"good"}


def test_names_that_are_not_utf_8_are_written_to_every_file(
    replay: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"fold\xe9r")
    folder.mkdir()
    cv2.imwrite(str(tmp_path / "a.png"), picture("masked"))
    (tmp_path / "a.png").rename(folder / "a.png")
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"")
    monkeypatch.chdir(folder)
    files = {name: tmp_path / name for name in ("events", "report", "junit")}
    into = [word for name, path in files.items() for word in (f"--{name}", path)]
    code, out, err = replay(".", os.fsdecode(b"\xe9.mp4"), *into)
    assert code == 1
    assert out.startswith("fold\\udce9r: 1 frame")
    assert "Traceback" not in err
    assert [event["source"] for event in read(files["events"])] == ["fold\\udce9r"]
    clips = json.loads(files["report"].read_text("utf-8"))["clips"]
    assert [clip["name"] for clip in clips] == ["fold\\udce9r", "\\udce9"]
    assert 'classname="fold\\udce9r"' in files["junit"].read_text("utf-8")


def test_a_truncated_clip_keeps_its_events_and_fails(
    replay: Run, clip: Clip, tmp_path: Path
) -> None:
    whole = clip("whole", MASKS_UP)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "a.png"), picture("masked"))
    (pictures / "b.png").write_bytes(b"")
    code, _, err = replay(pictures, whole, "--events", "events.jsonl")
    assert code == 1
    assert "b.png: 1 of 2 pictures empty or damaged" in err
    assert len(read(tmp_path / "events.jsonl")) == 41


@pytest.mark.parametrize(
    ("spans", "code", "message"),
    [
        pytest.param([(0, 1.9, "locked"), (2.1, 4, "unlocked")], 0, "", id="kept"),
        pytest.param(
            [(0, 1.9, "locked"), (1.5, 4, "unlocked")],
            1,
            "door: broken span: 1.5 to 4 s: locked at 6 of 25 frames, first at 1.500 s, "
            "expected unlocked\n",
            id="opens too late",
        ),
        pytest.param(
            [(7, 8, "locked")],
            1,
            "door: broken span: 7 to 8 s: no frame found, expected locked\n",
            id="after the end",
        ),
    ],
)
def test_a_clip_is_held_to_its_expected_timeline(
    replay: Run,
    clip: Clip,
    tmp_path: Path,
    spans: list[tuple[float, float, str]],
    code: int,
    message: str,
) -> None:
    expect = timelines(tmp_path / "expect.json", door=spans)
    found, out, _ = replay(clip("door", MASKS_UP), "--expect", expect)
    assert found == code
    assert out.partition("unlocked\n")[2] == message


def test_a_listed_clip_that_yields_no_frame_fails(replay: Run, tmp_path: Path) -> None:
    (tmp_path / "door.mp4").write_bytes(b"")
    expect = timelines(tmp_path / "expect.json", door=[(0, 1, "locked")])
    assert replay("door.mp4", "--expect", expect)[0] == 1


def test_listed_clips_that_were_not_given_are_named_without_failing(
    replay: Run, clip: Clip, tmp_path: Path
) -> None:
    expect = timelines(tmp_path / "expect.json", door=[(0, 1, "locked")], other=[(0, 1, "locked")])
    code, _, err = replay(clip("door", MASKS_UP), "--expect", expect)
    assert code == 0
    assert "expected but not replayed: other" in err


def test_a_clip_that_is_not_listed_fails(replay: Run, clip: Clip, tmp_path: Path) -> None:
    expect = timelines(tmp_path / "expect.json", other=[(0, 1, "locked")])
    files = ["--report", "out.json", "--junit", "out.xml"]
    code, _, err = replay(clip("door", MASKS_UP), "--expect", expect, *files)
    assert code == 1
    assert "door: no timeline of that name found" in err
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["clips"][0]["fault"] == "door: no timeline of that name found, expected one"
    assert report["total"]["faults"] == 1
    assert 'errors="1"' in (tmp_path / "out.xml").read_text()


def test_a_clip_that_is_truncated_and_not_listed_is_reported_as_truncated(
    replay: Run, clip: Clip, tmp_path: Path
) -> None:
    expect = timelines(tmp_path / "expect.json", other=[(0, 1, "locked")])
    whole = clip("door", MASKS_UP)
    whole.write_bytes(whole.read_bytes() + (10**6).to_bytes(4, "big") + b"free")
    _, _, err = replay(whole, "--expect", expect, "--report", "out.json")
    [door] = json.loads((tmp_path / "out.json").read_text())["clips"]
    assert "truncated: 999992 bytes are missing" in door["fault"]
    assert door["fault"] in err
    assert "no timeline of that name" in err


def test_a_folder_plays_at_the_given_rate_and_each_picture_may_stand_alone(
    replay: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, scene in enumerate(["masked", "masked", "bare", "masked"]):
        cv2.imwrite(str(folder / f"{index}.png"), picture(scene))
    doors = {}
    for name, options in {
        "held": [],
        "fast": ["--fps", "10"],
        "each": ["--each"],
    }.items():
        assert replay(folder, "--events", f"{name}.jsonl", *options)[0] == 0
        doors[name] = [event["door"][0] for event in read(tmp_path / f"{name}.jsonl")]
    # l: locked, u: unlocked. Held: 1 s has passed at the second picture.
    assert doors == {
        "held": ["l", "u", "l", "l"],
        "fast": ["l", "l", "l", "l"],
        "each": ["u", "u", "l", "u"],
    }
    assert [event["time"] for event in read(tmp_path / "fast.jsonl")] == [0.0, 0.1, 0.2, 0.3]


def test_the_annotated_video_has_every_frame_at_the_speed_of_the_clip(
    replay: Run, clip: Clip, tmp_path: Path
) -> None:
    assert replay(clip("door", MASKS_UP, fps=20), "--video", "out.mp4")[0] == 0
    video = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == 20
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 40
    assert {path.name for path in tmp_path.iterdir()} == {"door.mp4", "out.mp4"}


def test_no_video_is_left_behind_when_nothing_was_decoded(replay: Run, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"an older video")
    assert replay("/nowhere.mp4", "--video", "out.mp4")[0] == 1
    assert (tmp_path / "out.mp4").read_bytes() == b"an older video"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(["--events", "/nowhere/x.jsonl"], "/nowhere/x.jsonl", id="events, no folder"),
        pytest.param(["--video", "/nowhere/x.mp4"], "/nowhere/x.mp4", id="video, no folder"),
        pytest.param(["--video", "x.avi"], "ending in .mp4", id="video of another kind"),
        pytest.param(["--expect", "/nowhere/t.json"], "/nowhere/t.json", id="no timelines"),
        pytest.param(["y.mp4", "--video", "x.mp4"], "expected one", id="video of two"),
        pytest.param(["rtsp://me:secret@host/live"], "expected a recorded source", id="live"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(
    replay: Run, clip: Clip, options: list[str], message: str
) -> None:
    sources = [] if options[0].startswith("rtsp") else [clip("door", MASKS_UP)]
    code, out, err = replay(*sources, *options)
    assert (code, out) == (2, "")
    assert err.startswith("monitor: error: ")
    assert message in err
    assert "secret" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_ends_the_replay_in_one_line(replay: Run, clip: Clip) -> None:
    code, _, err = replay(clip("door", MASKS_UP), "--events", "/dev/full")
    assert code == 1
    assert err.splitlines()[-1].startswith("monitor: error: /dev/full: No space left")


@pytest.mark.parametrize(
    ("size_px", "black_px"),
    [
        pytest.param((64, 48), 0, id="same size"),
        pytest.param((128, 96), 0, id="larger, same shape"),
        pytest.param((64, 96), 64 * 48 - 32 * 48, id="taller: black at both sides"),
        pytest.param((640, 48), 64 * 48 - 64 * 5, id="wider: black above and below"),
    ],
)
def test_a_picture_of_another_size_is_fitted_whole(size_px: tuple[int, int], black_px: int) -> None:
    image = fitted(picture("bare", *size_px), 64, 48)
    assert image.shape == (48, 64, 3)
    assert int((image == 0).all(axis=2).sum()) == black_px
