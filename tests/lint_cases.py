"""Data sets with faults in them, and what lint finds there."""

from __future__ import annotations

import json
from pathlib import Path

from picture_files import draw_scene

from export.__main__ import main

WIDTH_PX, HEIGHT_PX = 160, 120
SIZE = f"<size><width>{WIDTH_PX}</width><height>{HEIGHT_PX}</height></size>"


def an_object(name: str, *edges: object) -> str:
    tags = zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True)
    box = "".join(f"<{tag}>{edge}</{tag}>" for tag, edge in tags)
    return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"


GOOD = an_object("mask", 40, 30, 80, 80)


class Voc:
    """A data set in PASCAL VOC layout, with one sound picture to begin with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seed = 100
        self.add("sound", GOOD)

    def add(self, stem: str, *objects: str, size: str = SIZE, suffix: str = ".jpg") -> Path:
        """A picture that resembles no other, with its XML; the picture's path."""
        self._seed += 1
        path = draw_scene(self.folder / "JPEGImages" / f"{stem}{suffix}", self._seed)
        self.label(stem, f"<annotation>{size}{''.join(objects)}</annotation>")
        return path

    def label(self, stem: str, content: str) -> Path:
        path = self.folder / "Annotations" / f"{stem}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def list(self, name: str, *stems: str) -> None:
        path = self.folder / "ImageSets" / "Main" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{stem}\n" for stem in stems))


def write_csv(folder: Path, *lines: str) -> list[object]:
    for seed in range(3):
        draw_scene(folder / f"{seed}.jpg", seed)
    (folder / "data.csv").write_text("".join(f"{line}\n" for line in lines))
    (folder / "classes.csv").write_text("mask,0\nno mask,1\n")
    return ["csv", folder / "data.csv", folder / "classes.csv"]


def lint(*words: object, code: int | None = None) -> dict[str, int]:
    """{kind: count} of what lint writes for these words; `few boxes` left out."""
    report = Path(str(words[-1])).parent / "lint.json"
    found = main(["lint", "--json", str(report), *map(str, words)])
    content = json.loads(report.read_text())
    assert found == (1 if content["errors"] else 0)
    if code is not None:
        assert found == code
    rows = {row["kind"]: row["count"] for row in content["findings"]}
    rows.pop("few boxes", None)
    return rows
