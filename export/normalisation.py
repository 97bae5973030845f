"""Normalisation: how pictures become what the first convolution takes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

BGR_OF_RGB = [2, 1, 0]


class Normalisation(nn.Module):
    """Pictures as planes of red, green and blue, centred and scaled.

    mean, std: one value a channel, RGB, of values in 0 to 1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("std", std)):
            scaled = 255 * torch.tensor(values).reshape(1, 3, 1, 1)
            self.register_buffer(name, scaled, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Float [B, 3, H, W], RGB, of pictures [B, H, W, 3], BGR, values 0 to 255."""
        x = pictures.permute(0, 3, 1, 2)[:, BGR_OF_RGB].to(self.mean.dtype)
        return ((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
