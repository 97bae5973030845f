"""Foreign files: what is given in the place of a snapshot or of weights is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from colour_graph import write_colour_graph
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from export import checkpoint
from export.evaluate import open_detector
from export.weights.state_dict import read_weights
from monitor.detector import Detector
from monitor.errors import ModelError

SNAPSHOT = "expected a snapshot of `retinanet-train`"
WEIGHTS = r"expected a \.pth or \.safetensors file of PyTorch"


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        # train --snapshot
        (checkpoint.load, SNAPSHOT),
        # onnx, train --teacher
        (checkpoint.load_network, SNAPSHOT),
        # evaluate, predict
        (open_detector, SNAPSHOT),
        # train --weights
        (read_weights, WEIGHTS),
    ],
)
@pytest.mark.parametrize(
    ("name", "what"),
    [
        # in every suffix that Keras has had
        ("resnet50_coco.h5", "weights of Keras"),
        ("resnet50_coco.HDF5", "weights of Keras"),
        ("resnet50_coco.keras", "weights of Keras"),
    ],
)
def test_weights_of_keras_are_refused_with_a_hint_of_what_to_take(
    tmp_path: Path, read: Callable[[Path], Any], expected: str, name: str, what: str
) -> None:
    (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ModelError, match=f"{name}: {what} found, {expected}"):
        read(tmp_path / name)


@pytest.mark.parametrize("read", [checkpoint.load, checkpoint.load_network])
@pytest.mark.parametrize(
    ("name", "what"),
    [
        # what the monitor runs
        ("faces.onnx", "an ONNX file"),
        ("FACES.ONNX", "an ONNX file"),
        # weights without all that a training goes on with
        ("faces.safetensors", "a safetensors file"),
    ],
)
def test_a_model_without_its_training_is_no_snapshot(
    tmp_path: Path, read: Callable[[Path], Any], name: str, what: str
) -> None:
    (tmp_path / name).write_bytes(b"\x08\x0a")
    with pytest.raises(ModelError, match=f"{name}: {what} found, {SNAPSHOT}"):
        read(tmp_path / name)


def test_an_onnx_file_is_known_by_its_suffix_in_any_case(tmp_path: Path) -> None:
    write_colour_graph(tmp_path / "colours.onnx")
    path = (tmp_path / "colours.onnx").rename(tmp_path / "COLOURS.ONNX")
    assert isinstance(open_detector(path), Detector)
    with pytest.raises(ModelError, match=r"COLOURS\.ONNX: found nothing about the shape"):
        read_weights(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60))
# of a YAML and a text, torch lets an IndexError and a KeyError out
@example(b"train: images\n")
@example(b"hello\n")
@example(b"")
def test_a_file_of_anything_else_lets_nothing_out_but_clear_errors(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "data.yaml"
    path.write_bytes(content)
    for read in (checkpoint.load, read_weights):
        with pytest.raises(ModelError, match=r"data\.yaml: "):
            read(path)
