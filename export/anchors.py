"""Anchors: the boxes that every position of every pyramid level starts from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .anchor_config import AnchorConfig


class Anchors(nn.Module):
    """Anchors per level; `config` says which.

    As in torchvision: sides before the ratio are cut to whole pixels and corners rounded to them,
    and a position holds its anchors with the ratio as the slower index. Centres lie on multiples of
    the level's stride starting at 0. (torchvision divides the picture's side by the map's instead,
    which at sides that are no multiple of 128 brings P6 and P7 slightly out of step.)
    """

    def __init__(self, config: AnchorConfig) -> None:
        super().__init__()
        self.strides = config.strides
        self.per_position = config.per_position
        roots = torch.tensor(config.ratios).sqrt()
        for level, size in enumerate(config.sizes):
            whole = [int(size * scale) for scale in config.scales]
            sides = torch.tensor(whole, dtype=torch.float32)
            widths = (sides[None] / roots[:, None]).flatten()
            heights = (sides[None] * roots[:, None]).flatten()
            corners = torch.stack([-widths, -heights, widths, heights], dim=1) / 2
            self.register_buffer(f"level{level}", corners.round(), persistent=False)

    def forward(self, shapes: list[tuple[int, int]]) -> Tensor:
        """Anchors of all levels, finest first, row by row.

        shapes: (height, width) of each level's map.

        Returns float32 [N, 4], xyxy pixels of the network's input.
        """
        levels = []
        for level, (stride, (height, width)) in enumerate(zip(self.strides, shapes, strict=True)):
            base: Tensor = getattr(self, f"level{level}")
            ys = torch.arange(height, device=base.device) * stride
            xs = torch.arange(width, device=base.device) * stride
            grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
            centres = torch.stack([grid_x, grid_y, grid_x, grid_y], dim=-1).to(base.dtype)
            levels.append((centres[:, :, None] + base).reshape(-1, 4))
        return torch.cat(levels)
