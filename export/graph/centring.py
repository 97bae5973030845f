"""Centring: a network whose first convolution takes pictures as they are, but for their centre."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ..normalisation import BGR_OF_RGB
from ..retinanet import RetinaNet


class Centring(nn.Module):
    """Pictures as planes of blue, green and red, centred.

    mean: of `Normalisation`, float [1, 3, 1, 1].
    """

    mean: Tensor

    def __init__(self, mean: Tensor) -> None:
        super().__init__()
        # a single number where it can be one: onnxruntime is slow at three in turn
        alike = bool((mean == mean.flatten()[0]).all())
        centre = mean.flatten()[0] if alike else mean[:, BGR_OF_RGB]
        self.register_buffer("mean", centre.clone(), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Float [B, 3, H, W], BGR, of pictures [B, H, W, 3], BGR, values 0 to 255."""
        x = pictures.permute(0, 3, 1, 2).to(self.mean.dtype) - self.mean
        return x.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def folded(network: RetinaNet) -> RetinaNet:
    """A copy whose first convolution takes pictures as they are, but for their centre.

    It does what the network does: order of colours and scale are in the weights. The centre stays
    outside, because what a convolution pads with is zero.
    """
    network = copy.deepcopy(network)
    normalisation = network.normalisation
    _, first = first_convolution(network)
    first.weight.copy_((first.weight / normalisation.std)[:, BGR_OF_RGB])
    network.normalisation = Centring(normalisation.mean)
    return network


def unfolded_first(network: RetinaNet, state: dict[str, Tensor]) -> None:
    """Undo `folded` in a state dict, in place; `network` is the one that the state is of."""
    name, _ = first_convolution(network)
    weight = f"{name}.weight"
    state[weight] = state[weight][:, BGR_OF_RGB] * network.normalisation.std


def first_convolution(network: RetinaNet) -> tuple[str, nn.Conv2d]:
    """The convolution that takes the pictures, after its name."""
    modules = network.named_modules()
    return next((name, module) for name, module in modules if isinstance(module, nn.Conv2d))
