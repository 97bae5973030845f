"""Readers that turn labelled pictures on disk into samples."""

from .csv import read_csv
from .pascal import read_pascal
from .sample import DatasetError, Sample, read_picture

__all__ = ["DatasetError", "Sample", "read_csv", "read_pascal", "read_picture"]
