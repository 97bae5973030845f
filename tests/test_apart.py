"""Apart: no command writes over what it reads, or one file twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from export.__main__ import main as export
from monitor.apart import check_apart
from monitor.cli import main
from monitor.errors import UsageError


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a file, two more names of it, a pipe and a loop."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept")
    Path("link").symlink_to("file")
    Path("twin").hardlink_to("file")
    Path("here").symlink_to(".")
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("file", "file"),  # as it is
        ("file", "./file"),  # in other words
        ("link", "file"),  # through a link
        ("twin", "file"),  # by its second name
        ("new", "here/new"),  # not there yet, through a link to the folder
    ],
)
def test_names_of_one_file_are_refused(one: str, other: str) -> None:
    with pytest.raises(UsageError, match=f"--out: {one} found, which is read; expected another"):
        check_apart({"--out": Path(one)}, [None, other])
    with pytest.raises(UsageError, match=f"--out and --too: {Path(other)} found for both"):
        check_apart({"--out": Path(one), "--not": None, "--too": Path(other)}, [])
    assert Path("file").read_text() == "kept"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("file", "new"),  # two files
        ("/dev/null", "/dev/null"),  # a device, which keeps nothing
        ("pipe", "pipe"),  # a pipe, whose reader gets both
        (".", "."),  # a folder, which is refused as such
        ("loop", "file"),  # a link to itself
        ("new", "n" * 5000),  # a name longer than any disk takes
        ("new", "a\0b"),  # no name at all
        ("0", "rtsp://camera/1"),  # an address
    ],
)
def test_all_else_may_go_together(one: str, other: str) -> None:
    check_apart({"--out": Path(one)}, [other])
    check_apart({"--out": Path(one), "--too": Path(other)}, [])


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize(
    "words",
    [
        ["replay", "door.mp4", "--events", "door.mp4"],
        ["replay", "door.mp4", "--video", "door.mp4"],
        ["replay", "door.mp4", "--junit", "door.mp4"],
        ["replay", "door.mp4", "--expect", "file", "--report", "file"],
        ["replay", "door.mp4", "--events", "x", "--report", "x"],
        ["replay", "door.mp4", "--report", "x", "--junit", "x"],
        ["bench", "--source", "door.mp4", "--json", "door.mp4"],
        ["bench", "--source", "door.mp4", "--doors", "2", "--json", "door.mp4"],
        ["bench", "--source", "door.mp4", "--viewers", "2", "--json", "door.mp4"],
        ["bench", "--source", "door.mp4", "--baseline", "file", "--json", "file"],
        ["bench", "--source", "door.mp4", "--model", "file", "--json", "file"],
        ["bench", "--source", "door.mp4", "--against", "file", "--json", "file"],
        ["compare", "--json", "door.mp4", "old.onnx", "new.onnx", "door.mp4"],
        ["compare", "--json", "file", "file", "new.onnx", "door.mp4"],
        ["compare", "--json", "file", "--config", "file", "old.onnx", "new.onnx", "door.mp4"],
    ],
)
def test_a_command_that_would_write_over_its_own_files_leaves_them_whole(
    clip: Callable[..., Path], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    before = clip("door", [("masked", 3)]).read_bytes()
    command = export if words[0] == "compare" else main
    assert command(words) == 2
    assert "found" in capsys.readouterr().err
    assert Path("door.mp4").read_bytes() == before
    assert Path("file").read_text() == "kept"
    assert not Path("x").exists()


@pytest.mark.parametrize("name", ["config.yaml", "model.onnx", "zones.json"])
@pytest.mark.parametrize("words", [["replay", "demo", "--events"], ["bench", "--json"]])
def test_neither_the_configuration_nor_what_it_names_is_written_over(
    capsys: pytest.CaptureFixture[str], words: list[str], name: str
) -> None:
    doors = "doors: [{name: front}, {name: back, zones_file: zones.json}]"
    Path("config.yaml").write_text(f"model: {{path: model.onnx}}\n{doors}\n")
    Path("model.onnx").write_text("weights")
    Path("zones.json").write_text("{}")
    before = Path(name).read_text()
    assert main([*words, name]) == 2
    assert f"{words[-1]}: {name} found, which is read" in capsys.readouterr().err
    assert Path(name).read_text() == before
