"""Writing data sets in the PASCAL VOC layout, as `read_pascal` and labelImg read them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from .pascal import EDGES
from .picture import picture_size_px
from .plan import Lists, Plan, each_once, number_text, unique_names
from .sample import Sample


def pascal_plan(lists: Lists, folder: Path) -> Plan:
    """Plan JPEGImages, Annotations and, for a data set with lists, ImageSets/Main.

    lists: the pictures of each list; the key None stands for pictures without a list.
    folder: the data set's DIR. Pictures of the same name get a number behind it.

    Raises DatasetError where two lists give a picture other boxes: it has one XML.
    """
    samples = each_once(lists)
    names = unique_names(samples)
    main = folder / "ImageSets" / "Main"
    plan = Plan(folders={folder / "JPEGImages", folder / "Annotations", main})
    for path, name in names.items():
        plan.pictures[folder / "JPEGImages" / name] = path
        xml_file = folder / "Annotations" / f"{Path(name).stem}.xml"
        plan.texts[xml_file] = _xml(samples[path], name)
    for title, listed in lists.items():
        if title is not None:
            lines = [f"{Path(names[sample.path]).stem}\n" for sample in listed]
            plan.texts[main / f"{title}.txt"] = "".join(lines)
    return plan


def _xml(sample: Sample, name: str) -> str:
    root = ET.Element("annotation")
    _add(root, "folder", "JPEGImages")
    _add(root, "filename", name)
    size = ET.SubElement(root, "size")
    for tag, value in zip(("width", "height"), picture_size_px(sample.path), strict=True):
        _add(size, tag, str(value))
    _add(size, "depth", "3")
    _add(root, "segmented", "0")
    for box, label in zip(sample.boxes, sample.labels, strict=True):
        node = ET.SubElement(root, "object")
        _add(node, "name", label)
        _add(node, "pose", "Unspecified")
        # keras-retinanet insists on these two.
        _add(node, "truncated", "0")
        _add(node, "difficult", "0")
        edges = ET.SubElement(node, "bndbox")
        for edge, value in zip(EDGES, box, strict=True):
            _add(edges, edge, number_text(value))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
