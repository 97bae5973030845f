"""Pictures around an event: what they show, what they hide, and that they cost the door nothing."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from colours import CLASSES, picture
from full_disk import full_disk

from monitor.audit import read_events
from monitor.audit.clip_file import ClipFile
from monitor.audit.pictures import Pictures
from monitor.audit.retention import PICTURES, prune_pictures
from monitor.audit.veil import Veil, veiled
from monitor.cli import main
from monitor.decision import Decision, Door
from monitor.detections import Detections
from monitor.errors import MaskgateError
from monitor.evidence import Evidence
from monitor.frame import Frame, Image
from monitor.result import Result

Clip = Callable[..., Path]

NOBODY = Detections.empty(CLASSES)
NOON = datetime(2026, 1, 31, 12, 0, 0, 125_000, UTC)
CONFIG = """
audit: {{folder: record, {audit}}}
doors: [{{name: hall, policy: {{settle_seconds: 0, hold_seconds: 0.3}}{door}}}]
"""
# Killed by the system in the middle of a picture.
_KILLED = """
import resource, signal, sys
from pathlib import Path
from monitor.audit.pictures import _write
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
_write(Path(sys.argv[1]), bytes(100))
"""


def found(*boxes: tuple[float, float, float, float]) -> Detections:
    scores = np.array([[0.9, 0.05]] * len(boxes), np.float32).reshape(-1, 2)
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, CLASSES)


def result(
    index: int,
    seen: Detections | None,
    *,
    fresh: bool = True,
    size_px: tuple[int, int] = (64, 48),
) -> Result:
    """The result of a frame, ten a second."""
    frame = Frame(picture("masked", *size_px), index, index / 10)
    decision = Decision(index / 10, Evidence.UNKNOWN, Door.LOCKED, "why", NOBODY, 0.0, 1.0)
    return Result(frame, decision, fresh, candidates=seen, seen=seen)


def noise(width_px: int = 200, height_px: int = 160) -> Image:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height_px, width_px, 3), np.uint8)


def run(clip: Path, audit: str, door: str = "") -> list[dict[str, Any]]:
    """Play a clip to `monitor run` with an audit; the entries of its decisions."""
    Path("config.yaml").write_text(CONFIG.format(audit=audit, door=door))
    assert main(["run", "--no-window", "--source", str(clip)]) == 0
    events = read_events(Path("record/audit.sqlite3"))
    return [{"picture": e.picture, "clip": e.clip} for e in events if e.evidence is not None]


def frames_of(path: Path) -> list[tuple[float, Image]]:
    """(seconds, picture) of every frame of a video."""
    video, frames = cv2.VideoCapture(str(path)), []
    while True:
        read, image = video.read()
        if not read:
            return frames
        frames.append((video.get(cv2.CAP_PROP_POS_MSEC) / 1000, image))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_veiled_face_and_its_surroundings_are_a_few_plain_cells() -> None:
    image = noise()
    covered = veiled(image, np.array([[80, 60, 120, 100]], np.float32))
    inside = covered[48:112, 68:132]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) == 16
    outside = np.ones(image.shape[:2], bool)
    outside[48:112, 68:132] = False
    assert np.array_equal(covered[outside], image[outside])


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((-30, -30, 20, 20), id="over a corner"),
        pytest.param((0, 0, 200, 160), id="the whole picture"),
        pytest.param((190, 150, 260, 300), id="mostly outside"),
        pytest.param((50, 50, 52, 90), id="narrower than a cell"),
    ],
)
def test_a_face_anywhere_leaves_at_most_a_few_cells(box: tuple[float, ...]) -> None:
    image = noise()
    changed = (veiled(image, np.array([box], np.float32)) != image).any(axis=2)
    rows, columns = np.where(changed)
    part = veiled(image, np.array([box], np.float32))[
        rows.min() : rows.max() + 1, columns.min() : columns.max() + 1
    ]
    assert len(np.unique(part.reshape(-1, 3), axis=0)) <= 16


def test_where_nobody_looked_for_faces_everything_is_veiled() -> None:
    assert Veil().places(result(0, None)) is None
    assert len(np.unique(veiled(noise(), None).reshape(-1, 3), axis=0)) <= 16


def test_a_face_that_is_missed_for_a_moment_stays_veiled() -> None:
    veil = Veil(remembered_seconds=0.5)
    face = (10.0, 10.0, 30.0, 30.0)
    counts = []
    for index in range(9):
        places = veil.places(result(index, found(face) if index < 2 else NOBODY))
        assert places is not None
        counts.append(len(places))
    assert counts == [1, 2, 2, 2, 2, 2, 1, 0, 0]


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize(
    "door",
    [
        pytest.param("", id="a face that counts"),
        pytest.param(
            ", zones: {ignore: [[[0, 0], [1, 0], [1, 1], [0, 1]]]}", id="one that does not"
        ),
    ],
)
@pytest.mark.parametrize("veil", [True, False])
def test_a_snapshot_hides_every_face_unless_told_otherwise(
    clip: Clip, door: str, veil: bool
) -> None:
    source = clip("porch", [("masked", 2)])
    # Something to recognise, where the detector sees a face.
    writer = cv2.VideoWriter(str(source), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    image = picture("masked")
    image[::8] = (255, 120, 120)
    for _ in range(2):
        writer.write(image)
    writer.release()
    [event] = run(source, f"snapshots: true, veil: {str(veil).lower()}", door)
    kept = cv2.imread(f"record/pictures/{event['picture']}").astype(int)
    rows = kept[:32, :40].mean(axis=(1, 2))
    assert (np.abs(np.diff(rows)).max() > 20) != veil


@pytest.mark.usefixtures("colour_model")
def test_a_clip_that_is_not_veiled_replays_to_the_same_decisions(clip: Clip) -> None:
    scenes = [("nobody", 20), ("bare", 6), ("masked", 16), ("bare", 6), ("nobody", 10)]
    source = clip("porch", scenes, fps=20.0)
    events = run(source, "clip_seconds: 1.0, veil: false")
    # One for the beginning, with nobody there; all else is within a second of each other.
    names = sorted({event["clip"] for event in events})
    assert sorted(path.name for path in Path("record/clips").iterdir()) == names
    whole = [time for time, _ in frames_of(Path("record/clips") / names[-1])]
    decided = {}
    for name, path in (("original", source), ("clip", Path("record/clips") / names[-1])):
        assert main(["replay", str(path), "--events", f"{name}.jsonl"]) == 0
        decided[name] = [
            json.loads(line) for line in Path(f"{name}.jsonl").read_text().splitlines()
        ]
    assert len(decided["clip"]) == len(whole)
    skipped = len(decided["original"]) - len(decided["clip"])
    assert [(event["door"], event["evidence"]) for event in decided["clip"]] == [
        (event["door"], event["evidence"]) for event in decided["original"][skipped:]
    ]
    assert {event["door"] for event in decided["clip"]} == {"locked", "unlocked"}


def test_a_clip_keeps_the_time_of_each_picture(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", picture("bare"))[1].tobytes()
    file = ClipFile(tmp_path / "clips" / "a.mkv", 64, 48)
    for time in (100.0, 100.04, 103.5, 103.5, 103.533):
        file.add(time, jpeg)
    assert list((tmp_path / "clips").glob("*.mkv")) == [tmp_path / "clips" / ".a.partial.mkv"]
    file.close()
    times = [time for time, _ in frames_of(tmp_path / "clips" / "a.mkv")]
    assert times == pytest.approx([0.0, 0.04, 3.5, 3.501, 3.533])


def test_a_clip_for_which_there_is_no_room_gets_no_name(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", noise())[1].tobytes()
    file = ClipFile(tmp_path / "a.mkv", 200, 160)
    with full_disk(3 * len(jpeg)):
        for time in range(10):
            file.add(float(time), jpeg)
        with pytest.raises(MaskgateError, match=r"\([0-3] of 10 pictures can be read"):
            file.close()
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_for_which_there_is_no_room_is_not_there_in_part(tmp_path: Path) -> None:
    jpeg_bytes = len(cv2.imencode(".jpg", picture("masked"))[1])
    with (
        full_disk(jpeg_bytes // 2),
        Pictures(
            tmp_path, door="hall", snapshots=True, clip_seconds=0.0, overwrite=False
        ) as pictures,
    ):
        pictures.see(result(0, NOBODY), NOON)
    assert list((tmp_path / "pictures").iterdir()) == []


def test_a_process_that_is_killed_leaves_no_half_of_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / PICTURES / "moment.jpg"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", _KILLED, path], env=environment, check=False)
    assert killed.returncode == -signal.SIGXFSZ
    [left] = path.parent.iterdir()
    assert left.stat().st_size == 50
    assert left.name.startswith(".")
    # and what it leaves does not stay for ever
    prune_pictures(tmp_path, datetime.now(UTC) + timedelta(seconds=10), 10**6)
    assert list(path.parent.iterdir()) == []


def test_a_clip_that_fails_costs_no_other_picture(tmp_path: Path) -> None:
    jpeg_bytes = len(cv2.imencode(".jpg", picture("masked"))[1])
    with (
        full_disk(4 * jpeg_bytes),
        Pictures(
            tmp_path, door="hall", snapshots=True, clip_seconds=1.0, overwrite=False
        ) as pictures,
    ):
        for index in range(17):
            # The second one ends the clip of the first.
            at = {5: NOON, 16: NOON + timedelta(seconds=1.1)}.get(index)
            pictures.see(result(index, NOBODY), at)
    kept = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert kept == ["20260131T120000125Z-hall.jpg", "20260131T120001225Z-hall.jpg"]


def clip_of(folder: Path, **settings: Any) -> list[float]:
    """The times in the clip of an event at the 30th of 50 frames, ten a second."""
    usual = {"door": "hall/1", "snapshots": False, "clip_seconds": 1.0, "overwrite": False}
    with Pictures(folder, **{**usual, **settings}) as pictures:
        for index in range(50):
            pictures.see(result(index, NOBODY), NOON if index == 30 else None)
    assert [path.name for path in (folder / "clips").iterdir()] == [
        "20260131T120000125Z-hall-1.mkv"
    ]
    return [time for time, _ in frames_of(folder / "clips" / "20260131T120000125Z-hall-1.mkv")]


def test_a_clip_begins_before_its_event_and_ends_after_it(tmp_path: Path) -> None:
    times = clip_of(tmp_path)
    assert times == pytest.approx([n / 10 for n in range(21)])


def test_a_clip_in_which_pictures_change_their_size_goes_on_in_another_file(tmp_path: Path) -> None:
    sizes = [(64, 48), (64, 48), (96, 64), (64, 48)]
    with Pictures(
        tmp_path, door="hall", snapshots=False, clip_seconds=2.0, overwrite=False
    ) as pictures:
        for index in range(40):
            at = NOON if index == 5 else None
            pictures.see(result(index, NOBODY, size_px=sizes[index // 10]), at)
    name = "20260131T120000125Z-hall"
    kept = {path.name: frames_of(path) for path in sorted((tmp_path / "clips").iterdir())}
    shown = {
        name: {(image.shape[1], image.shape[0], len(frames)) for _, image in frames}
        for name, frames in kept.items()
    }
    assert shown == {f"{name}.mkv": {(64, 48, 20)}, f"{name}.2.mkv": {(96, 64, 6)}}


def test_pictures_that_wait_for_an_event_take_no_more_than_their_memory(tmp_path: Path) -> None:
    jpeg_mb = len(cv2.imencode(".jpg", picture("masked"), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]) / 1e6
    # Room for three before the event and the event itself.
    times = clip_of(tmp_path, buffer_mb=jpeg_mb * 4.5)
    assert times == pytest.approx([n / 10 for n in range(14)])


def test_a_machine_too_slow_for_all_drops_pictures_and_never_waits(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path, door="hall", snapshots=False, clip_seconds=1.0)
    # Its thread has not even begun.
    for index in range(10):
        pictures.see(result(index, NOBODY), None)
    assert pictures.dropped == 6


def test_without_clips_only_events_are_kept(tmp_path: Path) -> None:
    with Pictures(tmp_path, door="hall", snapshots=True, clip_seconds=0.0) as pictures:
        assert pictures.see(result(0, NOBODY), None) == (None, None)
        name, clip = pictures.see(result(1, NOBODY), NOON)
        # A camera that has fallen silent has no picture of now.
        assert pictures.see(result(1, None, fresh=False), NOON) == (None, None)
    assert clip is None
    assert [path.name for path in tmp_path.rglob("*.*")] == [name]


@pytest.mark.parametrize("name", ["pictures", "clips"])
def test_pictures_that_cannot_be_written_are_said_once(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / name).write_text("a file where a folder is wanted")
    settings = {"snapshots": name == "pictures", "clip_seconds": float(name == "clips")}
    with (
        caplog.at_level(logging.ERROR, "monitor.audit"),
        Pictures(tmp_path, door="hall", overwrite=False, **settings) as pictures,  # type: ignore[arg-type]
    ):
        for index in range(5):
            pictures.see(result(index, NOBODY), NOON)
    assert [record.message.partition("; ")[2] for record in caplog.records] == [
        "pictures are missing from now on"
    ]
