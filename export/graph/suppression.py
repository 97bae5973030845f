"""Suppression: the operator that ONNX has for it, in place of the rounds of `keep_mask`."""

from __future__ import annotations

from typing import Any

import torch
from onnxscript import opset20
from torch import Tensor

from ..postprocess import keep_mask


@torch.library.custom_op("maskgate::suppressed", mutates_args=())
def suppressed(boxes: Tensor, scores: Tensor, iou: float, rounds: int) -> Tensor:
    """What `keep_mask` gives, as one step that an export translates by TRANSLATIONS.

    On a processor the operator takes a twentieth of the time of a small network less than sixteen
    rounds do. It gives as many rows as it keeps, which no GPU can replay as a graph.
    """
    return keep_mask(boxes, scores, iou, rounds)


@suppressed.register_fake
def _(boxes: Tensor, scores: Tensor, iou: float, rounds: int) -> Tensor:
    return torch.empty_like(scores)


def _operator(boxes: Any, scores: Any, iou: float, rounds: int) -> Any:
    """`suppressed` in a graph; boxes, scores and the answer are values of it."""
    columns = opset20.Transpose(scores, perm=[0, 2, 1])
    most = opset20.Shape(scores, start=1, end=2)
    overlap, above = opset20.Constant(value_floats=[iou]), opset20.Constant(value_floats=[0.0])
    # [N, 3]: picture, column and row of each that is kept
    kept = opset20.NonMaxSuppression(boxes, columns, most, overlap, above)
    one = opset20.Constant(value_float=1.0)
    ones = opset20.Expand(one, opset20.Shape(kept, start=0, end=1))
    zeros = opset20.Expand(opset20.Constant(value_float=0.0), opset20.Shape(columns))
    return opset20.Transpose(opset20.ScatterND(zeros, kept, ones), perm=[0, 2, 1])


TRANSLATIONS: dict[Any, Any] = {torch.ops.maskgate.suppressed.default: _operator}
