"""The README: every command in it runs, in the order in which it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import torch
from training_cases import drawn_set

from export import checkpoint
from export.backbone import make_backbone
from export.weights.published import IMAGENET

ROOT = Path(__file__).parents[1]
# what is run shorter than it stands there: a training of two steps shows that its words are right
SHORTER = {
    "--steps 110 --epochs 15": "--steps 2 --epochs 1",
    "--average-decay 0.98 --epochs 4": "--average-decay 0.98 --epochs 1",
}
# what is not run here, and why
NOT_RUN = {
    "make run": "installs; it ends in `monitor run`, which test_cli.py and test_wheel.py run",
    "make test": "is what runs this",
    "make run SOURCE=0": "needs a camera",
    "make run SOURCE=rtsp://user:password@camera/1": "needs a camera; test_rtsp.py has a server",
    "make run SOURCE=clip.mp4": "installs; test_cli.py runs clips",
    ".venv/bin/pip install -e '.[train]'": "installs",
    ".venv/bin/monitor replay demo --video demo.mp4": "long; test_shipped_model.py plays the demo",
    "retinanet-convert-model --int8 --calibration faces/JPEGImages snapshots/best.pt "
    "faces-int8.onnx": "long; test_to_onnx.py writes int8 files",
    "retinanet-debug --image-min-side 320 --image-max-side 480 --anchors "
    "csv data.csv classes.csv": "a window; test_picture_window.py",
}


def commands() -> list[str]:
    """The lines of every shell block, without comments, continued lines joined."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                found.append(re.sub(r"\s+", " ", line.partition(" #")[0]).strip())
    return found


@pytest.fixture
def folder(tmp_path: Path, clip: Callable[..., Path]) -> Path:
    """A folder with everything that the README's commands name."""
    faces = drawn_set(tmp_path / "faces", 12, 0)
    shutil.rmtree(faces / "ImageSets")  # labelImg writes no lists
    (tmp_path / "pictures").mkdir()
    for picture in sorted((faces / "JPEGImages").iterdir())[:2]:
        image = cv2.imread(str(picture))
        cv2.imwrite(str(tmp_path / "pictures" / picture.name), image)
    (tmp_path / "clips").mkdir()
    clip("door", [("nobody", 12)]).rename(tmp_path / "clips" / "door.mp4")
    clip("clip", [("nobody", 12)])
    span = {"from": 0, "to": 1, "state": "locked"}
    timeline = {"door": {"what": "nobody", "door": [span]}}
    (tmp_path / "timelines.json").write_text(json.dumps(timeline))
    # as if fetched before: where tests run there may be no network
    fetched = tmp_path / "torch" / "hub" / "checkpoints" / IMAGENET["resnet18"]
    fetched.parent.mkdir(parents=True)
    torch.save(make_backbone("resnet18").state_dict(), fetched)
    (tmp_path / "monitor").symlink_to(ROOT / "monitor")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    return tmp_path


def surer(snapshot: Path) -> None:
    """Let a network that was hardly trained find something, as one trained for longer does."""
    content = checkpoint.load(snapshot)
    for weights in (content["network"], content["averaged"]):
        weights["head.classification_head.cls_logits.weight"].mul_(5)
        weights["head.classification_head.cls_logits.bias"].fill_(-2)
    checkpoint.save(snapshot, content)


def test_every_command_of_the_readme_runs(folder: Path) -> None:
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "TORCH_HOME": str(folder / "torch"),
    }
    ran = 0
    for command in commands():
        if command in NOT_RUN:
            continue
        shorter = command
        for long, short in SHORTER.items():
            shorter = shorter.replace(long, short)
        done = subprocess.run(
            ["bash", "-c", shorter],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        ran += 1
        if command.startswith("retinanet-train") and "--weights" not in command:
            surer(folder / "snapshots" / "best.pt")
    assert ran == len(commands()) - len(NOT_RUN)


def test_what_is_not_run_stands_in_the_readme_and_names_tests_that_exist() -> None:
    assert NOT_RUN.keys() <= set(commands())
    named = {name for why in NOT_RUN.values() for name in re.findall(r"\w+\.py", why)}
    assert all((ROOT / "tests" / name).is_file() for name in named)


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
