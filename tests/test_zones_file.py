"""The zones file: read at the start, added to while the monitor runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.door_section import DoorSection, ZonesSection
from monitor.errors import ConfigError, MaskgateError
from monitor.parts import make_zones
from monitor.zones_file import add_ignored, read_zones

POSTER = ((0.5, 0.1), (0.9, 0.1), (0.9, 0.4))
STREET = ((0.0, 0.0), (0.2, 0.0), (0.2, 1.0))


def test_a_file_that_is_not_there_yet_holds_no_zones(tmp_path: Path) -> None:
    assert read_zones(tmp_path / "zones.yaml") == ZonesSection()


@pytest.mark.parametrize("name", ["zones.yaml", "zones.json"])
def test_what_was_added_is_read_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    add_ignored(path, POSTER)
    add_ignored(path, STREET)
    assert read_zones(path) == ZonesSection(ignore=(POSTER, STREET))
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_what_a_user_wrote_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text("watch:\n  - [[0, 0], [1, 0], [1, 1]]  # the hall\n", "utf-8")
    add_ignored(path, POSTER)
    assert read_zones(path) == ZonesSection(watch=(((0, 0), (1, 0), (1, 1)),), ignore=(POSTER,))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "nothing found in it"),
        ("ignore: [[[0, 0], [1, 2], [0, 1]]]", r"ignore\[0\]\[1\]\[1\]: found 2, expected less"),
        ("ignore: [[[0, 0], [1, 1]]]", r"ignore\[0\]: found a list of 2, expected at least 3"),
        ("ignored: []", "ignored: unknown key"),
        ("{", "line 1"),
    ],
)
def test_a_broken_file_is_refused_and_never_written_over(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=rf"zones\.yaml: {complaint}"):
        read_zones(path)
    with pytest.raises(ConfigError, match=complaint):
        add_ignored(path, POSTER)
    assert path.read_text("utf-8") == text


def test_a_write_that_breaks_off_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "zones.yaml"
    add_ignored(path, POSTER)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MaskgateError, match=r"zones\.yaml: No space left on device; zone not"):
        add_ignored(path, STREET)
    assert read_zones(path) == ZonesSection(ignore=(POSTER,))


def test_a_file_that_cannot_be_looked_for_is_not_taken_for_missing(tmp_path: Path) -> None:
    # As for one in a folder of another user's: whose zones it holds nobody knows.
    for path in (tmp_path / ("x" * 300), Path(__file__) / "zones.yaml"):
        with pytest.raises(ConfigError, match=r"(too long|Not a directory), expected a YAML file"):
            read_zones(path)


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(MaskgateError, match="No such file or directory; zone not saved"):
        add_ignored(tmp_path / "none" / "zones.yaml", POSTER)


@pytest.mark.usefixtures("colour_model")
@pytest.mark.parametrize("command", [["check"], ["run", "--no-window"], ["replay", "demo"]])
def test_a_broken_file_ends_every_command_before_anything_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    zones, config = tmp_path / "zones.yaml", tmp_path / "door.yaml"
    zones.write_text("ignore: 3\n", "utf-8")
    config.write_text(f"doors: [{{name: front, zones_file: {zones}}}]\n", "utf-8")
    assert main([*command, "--config", str(config)]) == 2
    # in a row of its table, or as the error that ends the command
    found = capsys.readouterr()
    assert f"{zones}: ignore: found 3, expected a list" in found.out + found.err


def test_the_zones_of_the_file_stand_beside_those_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "zones.json"
    add_ignored(path, POSTER)
    configured = ZonesSection(watch=(STREET,), ignore=(STREET,))
    zones = make_zones(DoorSection(name="front", zones=configured, zones_file=str(path)))
    assert (len(zones.watch), len(zones.ignore)) == (1, 2)
