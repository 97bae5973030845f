"""Anchors: the boxes that every position of every pyramid level starts from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32, 64, 128)


class Anchors(nn.Module):
    """Anchors per level by sizes, ratios and scales.

    sizes: side of the square of the same area, pixels of the network's input; one for each of P3
        to P7.
    ratios: height over width.
    scales: factors on every size.

    As in torchvision: corners are rounded to whole pixels, centres lie on multiples of the level's
    stride starting at 0, and a position holds its anchors with the ratio as the slower index.
    """

    def __init__(
        self, sizes: tuple[float, ...], ratios: tuple[float, ...], scales: tuple[float, ...]
    ) -> None:
        super().__init__()
        if len(sizes) != len(STRIDES):
            raise ValueError(f"anchor sizes: found {len(sizes)}, expected {len(STRIDES)}")
        self.per_position = len(ratios) * len(scales)
        for level, size in enumerate(sizes):
            roots = torch.tensor(ratios).sqrt()
            sides = size * torch.tensor(scales)
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
        for level, (height, width) in enumerate(shapes):
            base: Tensor = getattr(self, f"level{level}")
            ys = torch.arange(height, device=base.device) * STRIDES[level]
            xs = torch.arange(width, device=base.device) * STRIDES[level]
            grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
            centres = torch.stack([grid_x, grid_y, grid_x, grid_y], dim=-1).to(base.dtype)
            levels.append((centres[:, :, None] + base).reshape(-1, 4))
        return torch.cat(levels)
