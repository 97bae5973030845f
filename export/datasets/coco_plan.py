"""Writing data sets in COCO's JSON, as `read_coco` reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .picture import picture_size_px
from .plan import Lists, Plan, number_text, relative_path, unique_names
from .sample import Sample

SUFFIX = ".json"


def coco_plan(lists: Lists, classes: Sequence[str], path: Path, *, copy: bool) -> Plan:
    """Plan the JSON files of a data set.

    lists: the pictures of each list. Pictures without a list, under the key None, go to one FILE
        named `path`, others to annotations/instances_LIST.json in a folder named so.
    classes: class names in order of the ids that they get, from 1.
    copy: plan pictures in images/ as well; without, the files name them where they lie, relative to
        `path`'s folder, or to the folder `path`.
    """
    plan = Plan()
    for title, samples in lists.items():
        if title is None:
            file, root, pictures = path, path.parent, path.parent / "images"
        else:
            file = path / "annotations" / f"instances_{title}{SUFFIX}"
            root, pictures = path, path / "images" / title
        names = unique_names(sample.path for sample in samples)
        if copy:
            plan.pictures.update({pictures / name: source for source, name in names.items()})
        else:
            names = {source: relative_path(source, root) for source in names}
        content = _content(samples, names, classes)
        plan.texts[file] = json.dumps(content, ensure_ascii=False) + "\n"
    return plan


def _content(
    samples: Sequence[Sample], names: dict[Path, str], classes: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    images, annotations = [], []
    for image_id, sample in enumerate(samples, 1):
        width_px, height_px = picture_size_px(sample.path)
        name = names[sample.path]
        images.append({"id": image_id, "file_name": name, "width": width_px, "height": height_px})
        for box, label in zip(sample.boxes, sample.labels, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": classes.index(label) + 1,
                    **_extent(box),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": index, "name": name} for index, name in enumerate(classes, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _extent(box: Sequence[float]) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(number_text(value)) for value in box)
    # Six decimals are far below what a float32 holds of a picture's side, and hide 0.30000000004.
    width_px, height_px = round(x2 - x1, 6), round(y2 - y1, 6)
    return {"bbox": [x1, y1, width_px, height_px], "area": round(width_px * height_px, 6)}
