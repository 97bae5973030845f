"""Replacing: the old file, or the whole new one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from full_disk import full_disk

from monitor.errors import MaskgateError, UsageError
from monitor.replacing import check_replaceable, replacing
from monitor.report import ReportFile


def test_an_open_file_that_goes_by_a_device_s_name_is_written_to_itself(tmp_path: Path) -> None:
    # as /dev/stdout leads to one, where the output is sent to a file
    with (tmp_path / "out").open("w") as file:
        name = Path(f"/proc/self/fd/{file.fileno()}")
        check_replaceable(name)
        with replacing(name) as written:
            written.write_text("whole")
        assert name.samefile(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/file", "No such file or directory"),  # no folder
        ("file/x", "Not a directory"),  # a file for a folder
        (".", "Is a directory"),  # a folder for a file
    ],
)
def test_what_could_not_be_replaced_is_told_beforehand(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(OSError, match=reason):
        check_replaceable(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
@pytest.mark.parametrize("place", ["file", "."])
def test_what_is_kept_from_writing_is_told_beforehand(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / place).chmod(0o500)
    with pytest.raises(PermissionError):
        check_replaceable(tmp_path / "file")
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("before", [None, "old"])
def test_a_report_is_not_touched_until_it_is_written(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "report"
    if before is not None:
        path.write_text(before)
    there = {each: each.read_text() for each in tmp_path.iterdir()}
    report = ReportFile(path)
    assert {each: each.read_text() for each in tmp_path.iterdir()} == there
    with full_disk(10), pytest.raises(MaskgateError, match="report: File too large; report not"):
        report.write("new " * 10)
    assert {each: each.read_text() for each in tmp_path.iterdir()} == there
    report.write("new")
    assert {each: each.read_text() for each in tmp_path.iterdir()} == {path: "new"}


def test_the_reader_of_a_pipe_gets_the_report_and_nothing_before(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    # nobody reads yet, and to open it would wait for somebody
    report = ReportFile(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        report.write("whole")
        assert os.read(reader, 100) == b"whole"
    finally:
        os.close(reader)


def test_a_report_in_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory; expected a file to write to"):
        ReportFile(tmp_path / "nowhere" / "report")
