"""`monitor check`: everything is tried, nothing is opened, and the exit code says how it went."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from colours import CLASSES

from monitor.cli import main
from monitor.contract import Contract, ResizeRule
from monitor.face_size import smallest_face_px

Clip = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("colour_model")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(printed: str) -> list[tuple[str, str]]:
    """The names and the texts of a table."""
    return [(line[:16].strip(), line[17:]) for line in printed.splitlines()]


def test_model_doors_sources_and_locks_are_told_of(
    clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clip("hall", [("bare", 3)])
    Path("config.yaml").write_text(
        f"doors: [{{name: hall, source: {path}, rotate_degrees: 90}}, "
        f"{{name: back, source: {path}}}]\n"
    )
    assert main(["check"]) == 0
    found = rows(capsys.readouterr().out)
    assert [name for name, _ in found[:3]] == ["model", "classes", "provider"]
    assert [name for name, _ in found[3:]] == ["door", "policy", "source", "log (log)"] * 2
    assert [text for name, text in found if name == "door"] == ["hall", "back"]
    turned, upright = (text for name, text in found if name == "source")
    judged = "a face of 20 px or more is judged"
    assert turned.startswith(f"hall, recorded, 48 x 64 px: {judged}, 31.2% of the height; 1 ")
    assert upright.startswith(f"hall, recorded, 64 x 48 px: {judged}, 41.7% of the height; 1 ")
    assert found[-1][1].startswith("locked in ")


def test_every_lock_is_locked_and_none_unlocked(clip: Clip) -> None:
    path = clip("hall", [("masked", 30)])
    Path("config.yaml").write_text(
        f"""
doors:
  - name: hall
    source: {path}
    actuators:
      - {{kind: command, name: strike, lock: [sh, -c, echo lock >> moves],
         unlock: [sh, -c, echo unlock >> moves]}}
"""
    )
    assert main(["check"]) == 0
    assert Path("moves").read_text() == "lock\n"


@pytest.mark.parametrize(
    ("door", "failed", "code"),
    [
        # a picture that is none
        ("{name: hall, source: a.png}", "a.png", 1),
        # a camera that is not there
        ("{name: hall, source: 97}", "camera 97", 1),
        # a class that the model does not know
        ("{name: hall, source: good.mp4, policy: {allowed: [hat]}}", "hat", 2),
        # a lock that does not lock
        (
            "{name: hall, source: good.mp4, actuators: "
            "[{kind: command, name: strike, lock: ['false'], unlock: ['true']}]}",
            "exit status 1",
            1,
        ),
    ],
)
def test_what_fails_is_a_row_and_the_rest_is_tried_all_the_same(
    clip: Clip, capsys: pytest.CaptureFixture[str], door: str, failed: str, code: int
) -> None:
    clip("good", [("bare", 3)])
    Path("a.png").write_bytes(b"")
    Path("config.yaml").write_text(f"doors: [{door}, {{name: back, source: good.mp4}}]")
    assert main(["check"]) == code
    found = rows(capsys.readouterr().out)
    [text] = [text for _, text in found if text.startswith("FAILED: ")]
    assert failed in text
    assert found[-1] == ("log (log)", found[-1][1])
    assert re.match(r"locked in \d+ ms", found[-1][1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_check_before_anything_else_is_tried(
    clip: Clip, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    path = clip("hall", [("bare", 3)])
    stop = (
        f"{{kind: command, name: first, lock: [kill, '-{number:d}', '{os.getpid()}'], unlock: [x]}}"
    )
    never = "{kind: command, name: second, lock: [touch, tried], unlock: [x]}"
    Path("config.yaml").write_text(
        f"doors: [{{name: hall, source: {path}, actuators: [{stop}, {never}]}}]"
    )
    assert main(["check"]) == 128 + number
    found = rows(capsys.readouterr().out)
    assert found[-1][0] == "first (command)"
    assert not Path("tried").exists()


@pytest.mark.parametrize(
    ("anchors", "size_px", "ignored_below_px", "expected"),
    [
        # the file says nothing of anchors: the policy alone
        (None, (1280, 720), 20.0, 20.0),
        # 16 px anchors learn faces down to 11.3 px, of a picture shrunk to 512 x 288
        ([16.0, 32.0], (1280, 720), 20.0, 28.3),
        # turned upright, the same
        ([16.0, 32.0], (720, 1280), 20.0, 28.3),
        # the policy asks for more
        ([16.0, 32.0], (1280, 720), 40.0, 40.0),
        # a small picture is enlarged
        ([16.0, 32.0], (256, 144), 0.0, 5.7),
    ],
)
def test_the_smallest_face_follows_from_anchors_network_size_and_policy(
    anchors: list[float] | None,
    size_px: tuple[int, int],
    ignored_below_px: float,
    expected: float,
) -> None:
    training = {"anchor_sizes": anchors} if anchors else {}
    contract = Contract(CLASSES, ResizeRule(512, 512), training=training)
    found = smallest_face_px(
        contract, width_px=size_px[0], height_px=size_px[1], ignored_below_px=ignored_below_px
    )
    assert found == pytest.approx(expected, abs=0.05)
