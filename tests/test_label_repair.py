"""Repair of labels: what is certain changes, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest
from full_disk import full_disk
from hypothesis import given
from hypothesis import strategies as st
from picture_files import HEIGHT_PX, WIDTH_PX, draw

from export.datasets import DatasetError
from export.linting.box_repair import repaired_box
from export.linting.csv_repair import repair_csv
from export.linting.xml_repair import repair_xml

SIZE_PX = (100, 80)


@pytest.mark.parametrize(
    ("box", "repaired"),
    [
        # sound, up to the very edge
        ((0, 0, 100, 80), None),
        # rounding, which readers take as it is
        ((-0.5, 0, 100.9, 80), None),
        # drawn from the right to the left, from the bottom to the top, or both
        ((60, 10, 20, 50), (20, 10, 60, 50)),
        ((20, 50, 60, 10), (20, 10, 60, 50)),
        ((60, 50, 20, 10), (20, 10, 60, 50)),
        # a few pixels out, on one side or on all
        ((-10, 5, 50, 50), (0, 5, 50, 50)),
        ((-3, -4, 105, 86), (0, 0, 100, 80)),
        # both
        ((50, 5, -3, 40), (0, 5, 50, 40)),
        # too far out to be a slip of the hand
        ((-11, 5, 50, 50), None),
        ((200, 5, 300, 50), None),
        # hardly any of it inside, or nothing
        ((92, 5, 109, 50), None),
        ((101, 5, 104, 50), None),
        # without a width: nobody knows where it was to end
        ((20, 5, 20, 50), None),
        # swapped, but then far out: not what was meant
        ((300, 5, 20, 50), None),
    ],
)
def test_a_box_is_repaired_where_that_is_certain(
    box: tuple[float, ...], repaired: tuple[float, ...] | None
) -> None:
    found, said = repaired_box(box, SIZE_PX)
    assert found == list(repaired or box)
    assert bool(said) == (repaired is not None)


coordinates = st.floats(-200, 200)


@given(st.tuples(coordinates, coordinates, coordinates, coordinates))
def test_a_repaired_box_is_sound_and_stays_as_it_is(box: tuple[float, ...]) -> None:
    found, said = repaired_box(box, SIZE_PX)
    assert repaired_box(found, SIZE_PX) == (found, []) or not said
    if said:
        x1, y1, x2, y2 = found
        assert x1 < x2
        assert y1 < y2
        assert min(x1, y1) > -1
        assert x2 < SIZE_PX[0] + 1
        assert y2 < SIZE_PX[1] + 1


XML = """<?xml version="1.0"?>
<!-- labelled by hand -->
<annotation verified='yes'>
\t<filename>a.jpg</filename>
\t<size><width>{width}</width><height>{height}</height><depth>3</depth></size>
{objects}
</annotation>
"""
OBJECT = """\t<object>
\t\t<name>{}</name><pose>Left &amp; up</pose>
\t\t<bndbox><xmin>{}</xmin><ymin>{}</ymin> <xmax> {} </xmax><ymax>{}</ymax></bndbox>
\t</object>"""


def label(
    folder: Path, *objects: tuple[object, ...], width: object = WIDTH_PX, height: object = HEIGHT_PX
) -> tuple[Path, Path]:
    """An XML file and its picture of 40 x 30 px."""
    text = "\n".join(OBJECT.format(*row) for row in objects)
    path = folder / "a.xml"
    # Some annotations of old tools end their lines so.
    content = XML.format(width=width, height=height, objects=text).replace("\n", "\r\n")
    path.write_bytes(content.encode())
    return path, draw(folder / "a.jpg")


def test_xml_is_repaired_and_the_rest_stays_byte_for_byte(tmp_path: Path) -> None:
    xml, picture = label(
        tmp_path,
        ("mask", 1, 2, 20, 20),
        ("mask", 30, 2, 20, "9.5"),
        ("no mask", -2, 2, 20, 33),
        ("mask", 1, 2, 20, 20),
        ("mask", 100, 100, 200, 200),
        width=400,
        height=40,
    )
    before = xml.read_bytes()
    assert [line.removeprefix(f"{xml}: ") for line in repair_xml(xml, picture)] == [
        "object 2: swapped x 30 and 20",
        "object 3: clipped x -2 to 20, y 2 to 33",
        "object 4: removed, the same as object 1",
    ]
    rows = [("mask", 1, 2, 20, 20), ("mask", 20, 2, 30, "9.5"), ("no mask", 0, 2, 20, 30)]
    rows.append(("mask", 100, 100, 200, 200))
    after = xml.read_bytes()
    label(tmp_path, *rows, width=400, height=40)
    # The spaces around a number go with it; the size stays, since a box is still outside.
    assert after.replace(b"<xmax> 30", b"<xmax>30").replace(b"<xmax>30 ", b"<xmax>30") == (
        xml.read_bytes().replace(b"<xmax> 30 ", b"<xmax>30")
    )
    assert (tmp_path / "a.xml.orig").read_bytes() == before


@pytest.mark.parametrize(
    ("width", "height", "corrected"),
    [
        # what some tools write instead of looking
        (0, 0, True),
        ("", "", True),
        (0, 30, True),
        # the order of numpy's shape
        (30, 40, True),
        # the picture may have been scaled since, and its boxes not
        (400, 300, False),
        (20, 15, False),
        # or stretched, or cut
        (40, 40, False),
        (41, 31, False),
    ],
)
def test_a_wrong_size_is_corrected_unless_the_boxes_may_be_wrong_too(
    width: object, height: object, corrected: bool, tmp_path: Path
) -> None:
    xml, picture = label(tmp_path, ("mask", 1, 2, 20, 20), width=width, height=height)
    said = repair_xml(xml, picture)
    assert bool(said) == corrected
    assert (b"<width>40</width><height>30</height>" in xml.read_bytes()) == corrected


def test_the_first_original_is_kept_when_a_file_is_repaired_again(tmp_path: Path) -> None:
    label(tmp_path, ("mask", 20, 2, 1, 20))
    first = (tmp_path / "a.xml").read_bytes()
    repair_xml(tmp_path / "a.xml", tmp_path / "a.jpg")
    label(tmp_path, ("mask", 30, 2, 1, 20))
    repair_xml(tmp_path / "a.xml", tmp_path / "a.jpg")
    assert (tmp_path / "a.xml.orig").read_bytes() == first


@pytest.mark.parametrize("repaired_before", [False, True])
@pytest.mark.parametrize("kind", ["xml", "csv"])
def test_a_full_disk_leaves_labels_as_they_were(
    kind: str, repaired_before: bool, tmp_path: Path
) -> None:
    label(tmp_path, ("mask", 20, 2, 1, 20))
    (tmp_path / "a.csv").write_text("a.jpg,20,2,1,20,mask\n")
    path = tmp_path / f"a.{kind}"
    original = tmp_path / f"a.{kind}.orig"
    if repaired_before:
        original.write_text("older")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with full_disk(10), pytest.raises(DatasetError, match="cannot repair the file: File too large"):
        repair_csv(path) if kind == "csv" else repair_xml(path, tmp_path / "a.jpg")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_repair_keeps_what_a_label_file_is(tmp_path: Path) -> None:
    """A link stays one, and who may read and write the file stays as it was."""
    xml, picture = label(tmp_path, ("mask", 20, 2, 1, 20))
    shared = xml.rename(tmp_path / "shared.xml")
    shared.chmod(0o664)
    xml.symlink_to(shared.name)
    assert repair_xml(xml, picture)
    assert xml.is_symlink()
    assert b"<xmin>1</xmin>" in shared.read_bytes()
    assert shared.stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<annotation>",
        b"<annotation><object/><size><width/><height/></size></annotation>",
        b"<annotation><object><bndbox><xmin>nan</xmin></bndbox></object></annotation>",
        b"<other><object><bndbox><xmin>9</xmin></bndbox></object></other>",
        '<?xml version="1.0" encoding="utf-16"?><annotation/>'.encode("utf-16"),
        b"\xff\xfe\x00",
    ],
)
def test_an_annotation_that_says_nothing_is_left_alone(content: bytes, tmp_path: Path) -> None:
    xml, picture = tmp_path / "a.xml", draw(tmp_path / "a.jpg")
    xml.write_bytes(content)
    assert repair_xml(xml, picture) == []
    assert xml.read_bytes() == content
    assert not (tmp_path / "a.xml.orig").exists()


@given(cut=st.integers(0, 400), put=st.binary(max_size=8))
def test_a_mangled_annotation_is_repaired_or_left_alone(
    cut: int, put: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mangled")
    xml, picture = label(folder, ("mask", 30, 2, 20, 20), ("mask", 30, 2, 20, 20), width=0)
    content = xml.read_bytes()
    xml.write_bytes(content[:cut] + put + content[cut + len(put) :])
    said = repair_xml(xml, picture)
    assert (folder / "a.xml.orig").exists() == bool(said)


def test_a_turned_picture_keeps_the_size_that_its_boxes_were_drawn_at(tmp_path: Path) -> None:
    xml, picture = label(tmp_path, ("mask", 1, 2, 20, 20), width=WIDTH_PX, height=HEIGHT_PX)
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    PIL.Image.new("RGB", (WIDTH_PX, HEIGHT_PX)).save(picture, exif=turned)
    assert repair_xml(xml, picture) == []
