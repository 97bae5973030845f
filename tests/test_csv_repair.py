"""Repair of a CSV of boxes: only the lines at fault change."""

from __future__ import annotations

from pathlib import Path

from picture_files import draw

from export.datasets import read_csv
from export.linting.csv_repair import repair_csv


def test_csv_lines_are_repaired_and_the_others_stay_byte_for_byte(tmp_path: Path) -> None:
    draw(tmp_path / "a.jpg")
    draw(tmp_path / "b, too.jpg")
    data = tmp_path / "data.csv"
    lines = [
        ("\ufeffa.jpg,1,2,20,20,mask\r\n", None),
        # spaces and further cells stay
        ("a.jpg, 30 ,2, 20,9.5,mask,extra\r\n", "a.jpg, 20 ,2, 30,9.5,mask,extra\r\n"),
        ("\n", None),
        ('"b, too.jpg",-2,2,20,33,"no mask"\n', '"b, too.jpg","0","2","20","30","no mask"\n'),
        # said before, in other words
        ("a.jpg,1.0,2,20,20.0,mask\r\n", ""),
        ("a.jpg,1,2,20,20,no mask\r\n", None),
        # nobody knows
        ("a.jpg,100,2,200,20,mask\n", None),
        ("missing.jpg,9,2,1,20,mask\n", None),
        ("a.jpg,x,2,1,20,mask\n", None),
        ("a.jpg,,,,,\n", None),
        # the last line does not end
        ("a.jpg,9,2,1,20,mask", "a.jpg,1,2,9,20,mask"),
    ]
    data.write_bytes("".join(line for line, _ in lines).encode())
    said = repair_csv(data)
    assert data.read_bytes().decode() == "".join(old if new is None else new for old, new in lines)
    assert [line.removeprefix(f"{data}:") for line in said] == [
        "2: swapped x 30 and 20",
        "4: clipped x -2 to 20, y 2 to 33",
        "5: removed, same as line 1",
        "11: swapped x 9 and 1",
    ]
    assert (tmp_path / "data.csv.orig").exists()
    (tmp_path / "classes.csv").write_text("mask,0\nno mask,1\n")
    assert {p.where.rpartition(":")[2] for p in read_csv(data, tmp_path / "classes.csv").problems}


def test_csv_with_line_breaks_in_a_cell_is_left_alone(tmp_path: Path) -> None:
    draw(tmp_path / "a.jpg")
    data = tmp_path / "data.csv"
    data.write_text('a.jpg,9,2,1,20,"ma\nsk"\n')
    assert repair_csv(data) == []
