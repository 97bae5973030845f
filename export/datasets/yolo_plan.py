"""Writing data sets in Ultralytics' YOLO layout, as `read_yolo` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from .picture import picture_size_px
from .plan import Lists, Plan, unique_names
from .sample import Sample

DATA_FILE = "data.yaml"


def yolo_plan(lists: Lists, classes: Sequence[str], folder: Path) -> Plan:
    """Plan data.yaml, images/LIST and labels/LIST.

    lists: the pictures of each list; those without one, under the key None, become the list train,
        and so do those of VOC's trainval.
    classes: class names in order of their numbers, from 0.
    """
    plan = Plan()
    content: dict[str, object] = {}
    for title, samples in lists.items():
        # Readers of YOLO know no list trainval.
        name = "train" if title in (None, "trainval") else title
        content[name] = f"images/{name}"
        plan.folders.update(folder / kind / name for kind in ("images", "labels"))
        for path, file_name in unique_names(sample.path for sample in samples).items():
            plan.pictures[folder / "images" / name / file_name] = path
        stems = unique_names(sample.path for sample in samples)
        for sample in samples:
            label_file = folder / "labels" / name / f"{Path(stems[sample.path]).stem}.txt"
            plan.texts[label_file] = _text(sample, classes)
    content["names"] = dict(enumerate(classes))
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    plan.texts[folder / DATA_FILE] = text
    return plan


def _text(sample: Sample, classes: Sequence[str]) -> str:
    width_px, height_px = picture_size_px(sample.path)
    lines = []
    for (x1, y1, x2, y2), label in zip(sample.boxes.tolist(), sample.labels, strict=True):
        fractions = (
            (x1 + x2) / 2 / width_px,
            (y1 + y2) / 2 / height_px,
            (x2 - x1) / width_px,
            (y2 - y1) / height_px,
        )
        numbers = " ".join(f"{fraction:.9f}" for fraction in fractions)
        lines.append(f"{classes.index(label)} {numbers}\n")
    return "".join(lines)
