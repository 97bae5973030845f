"""Compare: where a new model would decide otherwise than the old one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from colours import ColourDetector
from picture_files import draw

from export.__main__ import main
from export.compare import stretches
from monitor import parts
from monitor.decision import Door
from monitor.detections import Detections
from monitor.errors import NoEvidence
from monitor.evidence import Evidence
from monitor.frame import Image

LOCKED = (Door.LOCKED, Evidence.UNKNOWN, "old")
OPEN = (Door.UNLOCKED, Evidence.CLEAR, "new")


class Blind(ColourDetector):
    """A new model that finds nobody in pictures of bare faces."""

    def __call__(self, image: Image) -> Detections:
        found = super().__call__(image)
        return found.where(found.labels == 0)


class Lost(ColourDetector):
    """A new model that goes astray in pictures of bare faces."""

    def __call__(self, image: Image) -> Detections:
        found = super().__call__(image)
        if (found.labels != 0).any():
            raise NoEvidence("boxes or scores that cannot be")
        return found


@pytest.fixture(autouse=True)
def _two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def open_detector(path: Path, **settings: object) -> ColourDetector:
        return {"blind": Blind, "lost": Lost}.get(path.stem, ColourDetector)(path)

    monkeypatch.setattr(parts, "Detector", open_detector)


def test_the_same_decisions_are_no_difference(
    clip: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(clip("door", [("bare", 5), ("masked", 20)]))
    assert main(["compare", "old.onnx", "new.onnx", source]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "door: 25 frames, unlocked in 9 -> 9, the door otherwise in 0",
        "0 of 1 sources would see another door",
    ]


def test_another_door_than_the_first_may_judge(
    clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "doors.yaml").write_text(
        "doors:\n- {name: front, source: 0}\n"
        "- {name: back, source: 1, policy: {hold_seconds: 0.2}}\n"
    )
    source = str(clip("door", [("bare", 5), ("masked", 20)]))
    words = ["compare", "--config", "doors.yaml", "old.onnx", "new.onnx", source]
    unlocked = []
    for door in ([], ["--door", "back"]):
        assert main([*words[:1], *door, *words[1:]]) == 0
        unlocked.append(int(capsys.readouterr().out.split(" -> ")[1].split(",")[0]))
    first, back = unlocked
    assert back > first
    assert main([*words, "--door", "side"]) == 2
    assert "--door: 'side' found, expected one of front, back" in capsys.readouterr().err


def test_a_model_that_misses_bare_faces_is_seen_to_keep_the_door_open(
    clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # bare for 0.3 s in the middle: within the grace of a model that sees nobody
    source = str(clip("door", [("masked", 20), ("bare", 3), ("masked", 20)]))
    assert main(["compare", "--json", "out.json", "old.onnx", "blind.onnx", source]) == 0
    printed = capsys.readouterr().out
    assert "violation -> unknown: 3 frames" in printed
    assert "1 of 1 sources would see another door" in printed
    (found,) = json.loads((tmp_path / "out.json").read_text())["sources"]
    (stretch,) = found["stretches"]
    # locked from the first bare frame until masks have settled and held for a second
    assert (stretch["start_seconds"], stretch["end_seconds"]) == pytest.approx((2.0, 3.3))
    assert (stretch["old"], stretch["new"], stretch["frames"]) == ("locked", "unlocked", 14)
    assert found["unlocked"] == [17, 31]


def test_a_frame_that_a_model_cannot_judge_is_doubt_and_not_the_end(
    clip: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(clip("door", [("masked", 20), ("bare", 3), ("masked", 20)]))
    assert main(["compare", "old.onnx", "lost.onnx", source]) == 0
    printed = capsys.readouterr().out
    assert "door: 43 frames" in printed
    assert "violation -> unknown: 3 frames" in printed


def test_a_source_that_fails_is_named_and_what_it_gave_is_kept(
    clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = clip("torn", [("masked", 20)])
    torn.write_bytes(torn.read_bytes() + (10**6).to_bytes(4, "big") + b"free")
    pictures = tmp_path / "pictures"
    for name in ("a.png", "b.png"):
        draw(pictures / name)
    (pictures / "b.png").write_bytes(b"")
    empty = tmp_path / "empty"
    draw(empty / "a.png").write_bytes(b"")
    good = clip("good", [("masked", 20)])
    sources = [str(source) for source in (torn, pictures, empty, good)]
    assert main(["compare", "--json", "out.json", "old.onnx", "new.onnx", *sources]) == 1
    written = json.loads((tmp_path / "out.json").read_text())["sources"]
    found = [(source["name"], source["frames"], bool(source["fault"])) for source in written]
    assert found == [
        ("torn", 20, True),
        ("pictures", 1, True),
        ("empty", 0, True),
        ("good", 20, False),
    ]
    output = capsys.readouterr()
    for words in ("torn.mp4: truncated: 999992 bytes", "b.png: 1 of 2 pictures empty or damaged"):
        assert words in output.err
    assert "good: 20 frames" in output.out
    assert "0 of 4 sources would see another door" in output.out


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),  # nothing
        ([(0.0, LOCKED, LOCKED)], []),  # the same
        ([(0.0, LOCKED, OPEN)], [(0.0, 0.0, 1)]),  # the only frame
        # to the very end
        ([(0.0, OPEN, OPEN), (0.1, LOCKED, OPEN), (0.2, LOCKED, OPEN)], [(0.1, 0.2, 2)]),
        # the one opens as the other locks: two stretches
        ([(0.0, LOCKED, OPEN), (0.1, OPEN, LOCKED)], [(0.0, 0.0, 1), (0.1, 0.1, 1)]),
        # with a frame between them
        (
            [(0.0, LOCKED, OPEN), (0.1, OPEN, OPEN), (0.2, LOCKED, OPEN)],
            [(0.0, 0.0, 1), (0.2, 0.2, 1)],
        ),
    ],
)
def test_stretches_hold_the_frames_in_a_row_that_differ_alike(
    rows: list, expected: list[tuple[float, float, int]]
) -> None:
    found = [(s.start_seconds, s.end_seconds, s.frames) for s in stretches(rows)]
    assert found == expected


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["rtsp://camera/1"], 2, "a live source found, expected a recorded one"),
        (["nowhere.mp4"], 1, "nowhere.mp4: no such file or folder"),
        (["--config", "none.yaml", "demo"], 2, "none.yaml"),
        # a device that takes no files
        (["--json", "/proc/out.json", "demo"], 2, "/proc/out.json: cannot be written"),
        # a folder where the file is to be written
        (["--json", ".", "demo"], 2, ".: found a folder, expected the name of a file"),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_is_replayed(
    clip: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    exit_code: int,
    message: str,
) -> None:
    first = str(clip("door", [("masked", 3)]))
    options, sources = words[:-1], [first, words[-1]]
    assert main(["compare", *options, "old.onnx", "new.onnx", *sources]) == exit_code
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""
