"""A model file whose findings can be worked out by hand, and pictures for it.

It finds one face in every picture, in its upper left quarter; how blue the picture is on average is
the score of "mask", and how red it is that of "noMask". A second row stays empty, so that there is
always room for another face.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto
from onnx.helper import (
    make_graph,
    make_model,
    make_node,
    make_opsetid,
    make_tensor_value_info,
    set_model_props,
)
from onnx.numpy_helper import from_array
from picture_files import write

from monitor.contract import Contract, ResizeRule
from monitor.frame import Image

CLASSES = ("mask", "noMask")
# a multiple of 32, so that no resize rule changes it
SIDE_PX = 128
FOUND_BOX = "0,0,64,64"


def write_colour_graph(path: Path) -> Path:
    """The model, as an ONNX file that the monitor runs."""
    nodes = [
        make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        make_node("ReduceMean", ["pixels", "rows_columns"], ["mean"], keepdims=0),
        make_node("Gather", ["mean", "blue_red"], ["strength"], axis=1),
        make_node("Div", ["strength", "white"], ["score"]),
        make_node("Unsqueeze", ["score", "one"], ["found"]),
        make_node("Pad", ["found", "one_more_row"], ["scores"]),
        make_node("Shape", ["image"], ["shape"]),
        make_node("Gather", ["shape", "width_height"], ["whole"]),
        make_node("Cast", ["whole"], ["size"], to=TensorProto.FLOAT),
        make_node("Div", ["size", "two"], ["half"]),
        make_node("Concat", ["origin", "half"], ["box"], axis=0),
        make_node("Reshape", ["box", "single"], ["first_box"]),
        make_node("Pad", ["first_box", "one_more_row"], ["boxes"]),
    ]
    constants = {
        "rows_columns": np.array([1, 2]),
        "blue_red": np.array([0, 2]),
        "white": np.array(255, np.float32),
        "one": np.array([1]),
        "width_height": np.array([2, 1]),
        "two": np.array(2, np.float32),
        "origin": np.zeros(2, np.float32),
        "single": np.array([1, 1, 4]),
        "one_more_row": np.array([0, 0, 0, 0, 1, 0]),
    }
    graph = make_graph(
        nodes,
        "colours",
        [make_tensor_value_info("image", TensorProto.UINT8, ["B", "H", "W", 3])],
        [
            make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 2, 4]),
            make_tensor_value_info("scores", TensorProto.FLOAT, ["B", 2, 2]),
        ],
        [from_array(value, name) for name, value in constants.items()],
    )
    model = make_model(graph, opset_imports=[make_opsetid("", 20)], ir_version=10)
    set_model_props(model, Contract(CLASSES, ResizeRule(None, None)).to_metadata())
    onnx.save(model, path)
    return path


def plain(blue: int, red: int) -> Image:
    """A picture in which the model finds "mask" with blue / 255 and "noMask" with red / 255."""
    return np.full((SIDE_PX, SIDE_PX, 3), (blue, 0, red), np.uint8)


def draw_plain(path: Path, blue: int = 0, red: int = 0) -> Path:
    """Such a picture in a file; its format must lose nothing, as PNG does not."""
    return write(path, plain(blue, red))
