"""Readers and writers of labelled pictures on disk."""

from .coco import coco_lists, coco_unlisted, read_coco
from .csv import read_csv
from .dataset import DataSet, Problem, class_names
from .fault import DatasetError
from .pascal import pascal_labelled, pascal_lists, read_pascal
from .picture import picture_size_px, read_picture
from .sample import Sample
from .yolo import read_yolo, yolo_lists

__all__ = [
    "DataSet",
    "DatasetError",
    "Problem",
    "Sample",
    "class_names",
    "coco_lists",
    "coco_unlisted",
    "pascal_labelled",
    "pascal_lists",
    "picture_size_px",
    "read_coco",
    "read_csv",
    "read_pascal",
    "read_picture",
    "read_yolo",
    "yolo_lists",
]
