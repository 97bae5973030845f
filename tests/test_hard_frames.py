"""Hard frames: what a replay saves to be labelled."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from colours import CLASSES, picture
from full_disk import full_disk

from export.datasets import read_pascal
from monitor.cli import main
from monitor.decision import Decision, Door
from monitor.detections import Detections
from monitor.errors import MaskgateError, UsageError
from monitor.evidence import Evidence
from monitor.frame import Frame
from monitor.hard_frames import HardFrames, margin_of
from monitor.result import Result

GRANT, DENY = 0.5, 0.3


def faces(*scores: tuple[float, float], side_px: float = 40.0) -> Detections:
    boxes = np.array([[0, 0, side_px, side_px]] * len(scores), np.float32).reshape(-1, 4)
    return Detections(boxes, np.array(scores, np.float32).reshape(-1, 2), CLASSES)


def result(index: int, candidates: Detections | None, time: float | None = None) -> Result:
    seconds = index / 10 if time is None else time
    nobody = Detections.empty(CLASSES)
    decision = Decision(seconds, Evidence.UNKNOWN, Door.LOCKED, "unsure", nobody, 0.0, 1.0)
    frame = Frame(picture("masked"), index, seconds)
    return Result(frame, decision, candidates=candidates)


def keeper(folder: Path, **settings: object) -> HardFrames:
    usual = {"allowed": ["mask"], "grant": GRANT, "deny": DENY, "smallest_face_px": 20.0}
    return HardFrames(folder, **{**usual, **settings})  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    """The pictures, in the order of the table, which are those of the folder."""
    with (folder / "hard.csv").open(encoding="utf-8") as file:
        rows = [row["picture"] for row in csv.DictReader(file)]
    assert sorted(rows) == sorted(path.name for path in (folder / "JPEGImages").iterdir())
    return rows


@pytest.mark.parametrize(
    ("scores", "margin"),
    [
        ((), 1.0),  # nobody: nothing to label
        (((0.9, 0.0),), 0.3),  # a mask for certain, far from grant, and from deny
        (((0.55, 0.0),), 0.05),  # just granted
        (((0.45, 0.0),), 0.05),  # just not
        (((0.9, 0.28),), 0.02),  # nearly denied
        (((0.1, 0.32),), 0.02),  # just denied
        (((0.9, 0.0), (0.0, 0.29)), 0.01),  # of two faces the harder counts
    ],
)
def test_the_margin_is_that_of_the_face_nearest_to_a_threshold(
    scores: tuple[tuple[float, float], ...], margin: float
) -> None:
    assert margin_of(faces(*scores), ["mask"], GRANT, DENY) == pytest.approx(margin, abs=1e-6)


def test_of_each_second_the_hardest_frame_is_kept(tmp_path: Path) -> None:
    with keeper(tmp_path) as frames:
        for index, score in enumerate((0.45, 0.49, 0.46, 0.44), start=8):
            frames.add("clip", result(index, faces((score, 0.0))))
    # 0.9 s belongs to the first second; 1.0 s and 1.1 s to the next
    assert names(tmp_path) == ["clip_000009.jpg", "clip_000010.jpg"]


def test_the_hardest_of_all_are_kept_and_come_first(tmp_path: Path) -> None:
    with keeper(tmp_path, most=3) as frames:
        for index, score in enumerate((0.40, 0.49, 0.45, 0.30, 0.48)):
            frames.add("clip", result(index, faces((score, 0.0)), time=float(index)))
    assert names(tmp_path) == ["clip_000001.jpg", "clip_000004.jpg", "clip_000002.jpg"]


@pytest.mark.parametrize(
    "candidates",
    [
        faces((0.99, 0.0)),  # sure
        faces(),  # nobody
        faces((0.49, 0.0), side_px=19),  # too small to be judged at all
        None,  # not looked at: the camera was silent
    ],
)
def test_what_is_easy_is_not_kept(tmp_path: Path, candidates: Detections | None) -> None:
    with keeper(tmp_path) as frames:
        frames.add("clip", result(0, candidates))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("sources", "kept"),
    [
        (["one", "two"], ["one_000000.jpg", "two_000000.jpg"]),
        # what follows a dot is part of the name
        (["door.mon", "door.tue"], ["door.mon_000000.jpg", "door.tue_000000.jpg"]),
        # clips of the same name in two folders, with another between them
        (["door", "hall", "door"], ["door_000000-2.jpg", "door_000000.jpg", "hall_000000.jpg"]),
    ],
)
def test_sources_are_kept_apart(tmp_path: Path, sources: list[str], kept: list[str]) -> None:
    with keeper(tmp_path) as frames:
        for source in sources:
            frames.add(source, result(0, faces((0.49, 0.0))))
    assert sorted(names(tmp_path)) == kept


def replayed(folder: Path, level: int, score: float = 0.49) -> None:
    """One more replay, of a clip of the same name with one picture of this grey."""
    first = result(0, faces((score, 0.0)))
    frame = Frame(np.full((48, 64, 3), level, np.uint8), 0, 0.0)
    with keeper(folder) as frames:
        frames.add("clip", Result(frame, first.decision, candidates=first.candidates))


def test_a_later_replay_adds_to_what_is_there_and_replaces_none_of_it(tmp_path: Path) -> None:
    replayed(tmp_path, 10)
    before = (tmp_path / "JPEGImages" / "clip_000000.jpg").read_bytes()
    replayed(tmp_path, 200)
    assert names(tmp_path) == ["clip_000000.jpg", "clip_000000-2.jpg"]
    assert (tmp_path / "JPEGImages" / "clip_000000.jpg").read_bytes() == before


def test_the_same_picture_again_stays_one_with_its_newest_margin(tmp_path: Path) -> None:
    for level, score in ((10, 0.49), (200, 0.49), (200, 0.45), (10, 0.45)):
        replayed(tmp_path, level, score)
    assert names(tmp_path) == ["clip_000000-2.jpg", "clip_000000.jpg"]
    with (tmp_path / "hard.csv").open(encoding="utf-8") as file:
        assert [row["margin"] for row in csv.DictReader(file)] == ["0.050", "0.050"]


@pytest.mark.parametrize(
    "content",
    [
        b"",  # nothing, not even the names of the columns
        b"name,score\na.jpg,0.5\n",  # another table
        b"picture,source,seconds,margin,reason\n\xff\n",  # not text
        b"picture,source,seconds,margin,reason\na.jpg\n",  # a row broken off
    ],
)
def test_a_table_that_cannot_be_continued_is_refused_at_the_start(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "hard.csv").write_bytes(content)
    with pytest.raises(UsageError, match=r"hard\.csv: .* found, expected"):
        keeper(tmp_path)
    assert (tmp_path / "hard.csv").read_bytes() == content


def test_pictures_are_no_labels_until_somebody_has_labelled_them(tmp_path: Path) -> None:
    with keeper(tmp_path) as frames:
        frames.add("clip", result(0, faces((0.49, 0.0))))
    image = cv2.imread(str(tmp_path / "JPEGImages" / "clip_000000.jpg"))
    assert np.abs(image.astype(int) - picture("masked")).max() < 10
    (tmp_path / "Annotations").mkdir()
    assert read_pascal(tmp_path).samples == ()


def test_replay_saves_the_frames_that_it_was_least_sure_about(
    clip: Callable[..., Path], tmp_path: Path, colour_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # the colour detector's masked face scores 0.05 as bare: 0.02 from this deny threshold
    (tmp_path / "config.yaml").write_text("doors: [{name: door, policy: {deny: 0.07, grant: 0.4}}]")
    source = clip("door", [("nobody", 10), ("masked", 20)])
    assert main(["replay", str(source), "--hard", "hard"]) == 0
    assert names(tmp_path / "hard") == ["door_000010.jpg", "door_000020.jpg"]


def test_a_full_disk_leaves_no_torn_picture_to_be_labelled(tmp_path: Path) -> None:
    frames = keeper(tmp_path)
    frames.add("clip", result(0, faces((0.49, 0.0))))
    with full_disk(100), pytest.raises(MaskgateError, match="cannot write the pictures: File too"):
        frames.__exit__(None, None, None)
    assert list(tmp_path.rglob("*")) == [tmp_path / "JPEGImages"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/hard: the folder cannot be made"):
        keeper(tmp_path / "file" / "hard")
