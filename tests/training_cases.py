"""Small trainings: drawn data sets as labelImg leaves them, and options that train in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from picture_files import write

from monitor.scene import training_picture

SMALL_NETWORK = [
    *("--backbone", "resnet18", "--width", "0.25", "--fpn-channels", "8", "--subnet-depth", "1"),
    *("--image-min-side", "128", "--image-max-side", "128", "--workers", "0"),
    *("--precision", "fp32", "--warmup-steps", "2"),
]
SMALL = [
    *("--no-weights", *SMALL_NETWORK, "--random-transform", "--crop", "128", "--scenes", "0.25"),
    *("--epochs", "2", "--batch-size", "4", "--validate-every", "2"),
]


def annotate(path: Path, boxes: Sequence[Sequence[float]], labels: Sequence[str]) -> None:
    """Write an XML file of objects."""
    root = ET.Element("annotation")
    for box, label in zip(boxes, labels, strict=True):
        node = ET.SubElement(root, "object")
        ET.SubElement(node, "name").text = label
        edges = ET.SubElement(node, "bndbox")
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            ET.SubElement(edges, name).text = f"{value:.2f}"
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path)


def drawn_set(folder: Path, pictures: int = 12, validation: int = 4) -> Path:
    """Drawn faces in PASCAL VOC layout, drawn0.jpg and so on; the last ones are the list `val`."""
    names = [f"drawn{index}" for index in range(pictures)]
    for index, name in enumerate(names):
        image, boxes, labels = training_picture(np.random.default_rng(index), 160, 120)
        write(folder / "JPEGImages" / f"{name}.jpg", image)
        annotate(folder / "Annotations" / f"{name}.xml", boxes.tolist(), labels)
    listed(folder, train=names[: pictures - validation], val=names[pictures - validation :])
    return folder


def listed(folder: Path, **lists: Sequence[str]) -> None:
    """Write lists of pictures."""
    for title, names in lists.items():
        path = folder / "ImageSets" / "Main" / f"{title}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(names))
