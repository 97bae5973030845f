"""Heads: the classification and box subnets, shared over all pyramid levels."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

NORM_GROUPS = 32


class Subnet(nn.Module):
    """`depth` 3x3 convolutions with ReLU and one that predicts.

    Lin et al. 2017, https://arxiv.org/abs/1708.02002

    channels: of the pyramid and of every hidden layer.
    norm: "none", or "group" for a group normalisation of 32 groups after each convolution, as
        torchvision's second RetinaNet has.
    outputs: values predicted for one anchor.
    anchors: anchors at one position.
    predictor: name of the last layer, as torchvision's checkpoints have it.
    """

    def __init__(
        self, channels: int, depth: int, norm: str, outputs: int, anchors: int, predictor: str
    ) -> None:
        super().__init__()
        self.conv = nn.Sequential(*(hidden_layer(channels, norm) for _ in range(depth)))
        self.outputs = outputs
        self.predictor = predictor
        self.add_module(predictor, nn.Conv2d(channels, outputs * anchors, 3, padding=1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, pyramid: list[Tensor]) -> Tensor:
        """Predict for each anchor of each level.

        pyramid: float [B, channels, h, w] per level.

        Returns float [B, N, outputs], anchors in the order of `Anchors`.
        """
        levels = []
        for feature in pyramid:
            x = self.get_submodule(self.predictor)(self.conv(feature))
            # [B, A * outputs, h, w] -> [B, h * w * A, outputs]
            levels.append(x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, self.outputs))
        return torch.cat(levels, dim=1)


def hidden_layer(channels: int, norm: str) -> nn.Sequential:
    """Convolution, maybe group normalisation, ReLU; named and numbered as torchvision does."""
    if norm == "none":
        return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True))
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.GroupNorm(NORM_GROUPS, channels),
        nn.ReLU(inplace=True),
    )


class Head(nn.Module):
    """Both subnets.

    channels, depth, norm: see `Subnet`.
    classes, anchors: how many classes there are, and anchors at one position.
    prior: probability of an object that an untrained classifier gives every anchor.
    """

    def __init__(
        self, channels: int, depth: int, norm: str, classes: int, anchors: int, prior: float
    ) -> None:
        super().__init__()
        self.classification_head = Subnet(channels, depth, norm, classes, anchors, "cls_logits")
        self.regression_head = Subnet(channels, depth, norm, 4, anchors, "bbox_reg")
        bias = self.classification_head.get_parameter("cls_logits.bias")
        nn.init.constant_(bias, -math.log((1 - prior) / prior))

    def forward(self, pyramid: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Class logits [B, N, C] and box deltas [B, N, 4], both float."""
        return self.classification_head(pyramid), self.regression_head(pyramid)
