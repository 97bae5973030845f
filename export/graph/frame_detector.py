"""The exported graph, as a torch module: a camera's frame in, boxes in its pixels out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from monitor.contract import SCORE_FLOOR, ResizeRule
from monitor.detections import Detections
from monitor.frame import Image

from ..postprocess import PostprocessConfig, keep_mask, postprocess
from ..retinanet import RetinaNet
from .suppression import suppressed


class FrameDetector(nn.Module):
    """A RetinaNet between the resize rule and the postprocessing.

    network: in evaluation mode.
    resize: the size at which the network looks at a frame.
    for_processor: let the graph do what a processor does faster, and no GPU replays as one graph;
        then every anchor is a candidate.
    """

    def __init__(
        self,
        network: RetinaNet,
        postprocess_config: PostprocessConfig,
        resize: ResizeRule,
        *,
        for_processor: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        every = replace(postprocess_config, candidates=None)
        self.postprocess_config = every if for_processor else postprocess_config
        self.resize = resize
        self.for_processor = for_processor

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Detect faces.

        image: uint8 [B, H, W, 3], BGR.

        Returns boxes float32 [B, K, 4], xyxy pixels of `image` and inside it, and scores float32
        [B, K, C].
        """
        height, width = image.shape[1], image.shape[2]
        size = self.resize.size(width, height, minimum=torch.sym_min, maximum=torch.sym_max)
        x = image.permute(0, 3, 1, 2)
        # bytes that have their size already are only handed on, and are a quarter of as many
        if not self.for_processor:
            x = x.to(torch.float32)
        x = functional.interpolate(x, size=size[::-1], mode="bilinear", align_corners=False)
        logits, deltas, anchors = self.network(x.permute(0, 2, 3, 1))
        keep = suppressed if self.for_processor else keep_mask
        boxes, scores = postprocess(logits, deltas, anchors, self.postprocess_config, keep)
        frame, looked_at = _twice(width, height, boxes), _twice(*size, boxes)
        return torch.minimum((boxes * (frame / looked_at)).clamp(min=0), frame), scores


def _twice(width: int, height: int, like: Tensor) -> Tensor:
    """[width, height, width, height], of the type and on the device of `like`.

    Of numbers that the graph is to compute, `new_tensor` would record what the example has.
    """
    kind = {"dtype": like.dtype, "device": like.device}
    return torch.stack([torch.scalar_tensor(side, **kind) for side in (width, height)] * 2)


class TorchDetector:
    """Detects faces in one frame after another by torch, just as the exported file will.

    graph: what will be exported; it is put into evaluation mode.
    """

    def __init__(self, graph: FrameDetector) -> None:
        self.classes = graph.network.config.classes
        self.resize = graph.resize
        self._graph = graph.eval()
        self._device = next(graph.parameters()).device

    @torch.inference_mode()
    def __call__(self, image: Image) -> Detections:
        """Detections of `image`, uint8 [H, W, 3] BGR, that score at least SCORE_FLOOR."""
        frames = torch.from_numpy(np.ascontiguousarray(image))[None]
        boxes, scores = (rows[0].cpu().numpy() for rows in self._graph(frames.to(self._device)))
        found = Detections(boxes, scores, self.classes)
        return found.where(found.best_scores >= SCORE_FLOOR)
