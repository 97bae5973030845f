"""The Python API: what it gives is what the command decides, and its page can be believed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from colour_graph import write_colour_graph
from colours import ColourDetector, picture

import monitor
from monitor import Detector, Door, FrameRule, Policy, Zones, replay
from monitor.cli import main
from monitor.errors import SourceError, UsageError
from monitor.events import event
from monitor.scene import demo
from monitor.sources.video import VideoFile

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
MASKS_UP = [("bare", 10), ("masked", 30)]
Clip = Callable[..., Path]


@pytest.fixture
def colours(tmp_path: Path) -> Detector:
    return Detector(write_colour_graph(tmp_path / "colours.onnx"), device="cpu")


@pytest.mark.usefixtures("colour_model")
def test_it_gives_what_the_command_decides(clip: Clip, tmp_path: Path) -> None:
    path, events = clip("door", MASKS_UP), tmp_path / "events.jsonl"
    config = tmp_path / "empty.yaml"
    config.write_text("{}")
    assert main(["replay", str(path), "--events", str(events), "--config", str(config)]) == 0
    commanded = [json.loads(line) for line in events.read_text().splitlines()]
    detector = ColourDetector()
    assert [event("door", result) for result in replay(path, detector=detector)] == commanded
    assert {line["door"] for line in commanded} == {"locked", "unlocked"}


def test_a_policy_of_ones_own_decides(clip: Clip, colours: Detector) -> None:
    rule = FrameRule(classes=colours.classes, smallest_face_px=0.0)
    policy = Policy(rule, hold_seconds=2.0)
    results = replay(clip("door", MASKS_UP), detector=colours, policy=policy)
    opened = [result.decision.time for result in results if result.decision.door is Door.UNLOCKED]
    assert opened[0] == pytest.approx(3.0)


def test_zones_of_ones_own_are_kept(clip: Clip, colours: Detector) -> None:
    right = Zones(watch=[[(0.5, 0), (1, 0), (1, 1), (0.5, 1)]])
    path = clip("door", MASKS_UP)
    assert not any(
        len(result.decision.faces) for result in replay(path, detector=colours, zones=right)
    )


def test_a_folder_plays_at_the_speed_that_is_asked_for(tmp_path: Path, colours: Detector) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture("masked"))
    results = replay(tmp_path, detector=colours, fps_of_pictures=2.0)
    assert [result.decision.time for result in results] == [0.0, 0.5, 1.0]


def test_no_thread_is_started_and_an_end_before_the_end_closes_the_source(
    clip: Clip, colours: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[VideoFile] = []

    def close(source: VideoFile, really: Callable[[VideoFile], None] = VideoFile.close) -> None:
        closed.append(source)
        really(source)

    monkeypatch.setattr(VideoFile, "close", close)
    before = threading.enumerate()
    results = replay(clip("door", MASKS_UP), detector=colours)
    next(results)
    assert threading.enumerate() == before
    results.close()
    assert closed


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("0", UsageError),  # a camera
        ("/dev/video0", UsageError),
        ("rtsp://camera/1", UsageError),
        ("nothing.mp4", SourceError),
    ],
)
def test_what_is_not_recorded_is_refused_at_once(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        replay(source)


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(monitor, name) for name in monitor.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Detecter'"):
        _ = monitor.Detecter


def test_to_import_the_package_loads_neither_opencv_nor_onnxruntime() -> None:
    program = (
        "import monitor, sys; sys.exit(bool({'cv2', 'onnxruntime', 'numpy'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_the_examples_of_the_page_run(
    clip: Clip,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_colour_graph(Path("site.onnx"))
    Path("clips").mkdir()
    clip("entrance", [("bare", 20), ("masked", 20)]).rename("clips/entrance.mp4")
    faces = np.asarray(demo().image(250))
    cv2.imwrite("door.png", faces)
    Path("pictures").mkdir()
    for index in range(3):
        cv2.imwrite(f"pictures/{index}.png", faces)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert len(examples) == 3
    for example in examples:
        names: dict[str, Callable[[], None]] = {}
        exec(compile(example, str(PAGE), "exec"), names)
        for name in list(names):
            if name.startswith("test_"):
                names[name]()
    said = capsys.readouterr().out
    assert " 2.0 s " in said
    assert "{'mask': " in said
