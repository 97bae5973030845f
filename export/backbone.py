"""Backbones: ResNet and MobileNetV2 with torchvision's parameter names, giving C2 to C5."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import BasicBlock, Bottleneck, FusedResidual, InvertedResidual, convolution, normalised

# blocks a stage: table 1 of the paper
RESNET_BLOCKS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
BACKBONES = (*RESNET_BLOCKS, "mobilenet_v2")
STAGES = 4
EXPANSION = 6


class ResNet(nn.Module):
    """ResNet without its classifier.

    name: one of RESNET_BLOCKS.
    width: factor on every channel count.

    `forward` takes float [B, 3, H, W] and returns [C2, C3, C4, C5] at strides 4 to 32; `channels`
    are their channel counts.
    """

    def __init__(self, name: str, width: float) -> None:
        super().__init__()
        block: type[BasicBlock] | type[Bottleneck] = (
            BasicBlock if name in ("resnet18", "resnet34") else Bottleneck
        )
        base = round(64 * width)
        self.conv1 = convolution(3, base, 7, 2)
        self.bn1 = nn.BatchNorm2d(base)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        inputs = base
        for stage, depth in enumerate(RESNET_BLOCKS[name]):
            planes = base * 2**stage
            blocks = []
            for index in range(depth):
                blocks.append(block(inputs, planes, 2 if stage and not index else 1))
                inputs = planes * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.channels = tuple(base * 2**stage * block.expansion for stage in range(STAGES))

    def stem(self) -> list[nn.Module]:
        """What comes before the first map of stride 8."""
        return [self.conv1, self.bn1, self.layer1]

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        c2 = self.layer1(x)
        c3 = self.layer2(c2)
        c4 = self.layer3(c3)
        return [c2, c3, c4, self.layer4(c4)]


class MobileNetV2(nn.Module):
    """MobileNetV2 up to its last inverted residual.

    width: factor on every channel count; counts are rounded to multiples of 8 as torchvision does.
    expansion: inner channels of a block for each that goes in; the paper has 6. With fewer the
        stem, which stands for them in the first block, is narrower alike.
    fused: without the first block, the second one a FusedResidual.

    `forward` takes float [B, 3, H, W] and returns [C2, C3, C4, C5] at strides 4 to 32; `channels`
    are their channel counts.
    """

    # channels, blocks, stride: table 2 of the paper; its first row alone expands nothing
    ROWS = (
        (16, 1, 1),
        (24, 2, 2),
        (32, 3, 2),
        (64, 4, 2),
        (96, 3, 1),
        (160, 3, 2),
        (320, 1, 1),
    )
    TAPS = (3, 6, 13, 17)

    def __init__(self, width: float, expansion: int = EXPANSION, *, fused: bool = False) -> None:
        super().__init__()
        inputs, widest = divisible(32 * width * expansion / EXPANSION), divisible(32 * width)
        features: list[nn.Module] = [normalised(3, inputs, 3, 2)]
        outputs = [inputs]
        for row, (channels, depth, stride) in enumerate(self.ROWS):
            expand = expansion if row else 1
            for index in range(depth):
                outputs.append(divisible(channels * width))
                # a thinned stem may have as many channels as its block gives, where the one that
                # it was thinned from had more: that block added nothing
                adds = len(outputs) > 2 or inputs == widest
                features.append(
                    InvertedResidual(inputs, outputs[-1], 1 if index else stride, expand, adds=adds)
                )
                inputs = outputs[-1]
        if fused:
            features[1] = nn.Identity()
            features[2] = FusedResidual(outputs[0], outputs[1] * expansion, outputs[2], 2)
        self.features = nn.Sequential(*features)
        self.channels = tuple(outputs[tap] for tap in self.TAPS)

    def stem(self) -> list[nn.Module]:
        """What comes before the first map of stride 8."""
        return list(self.features[:4])

    def forward(self, x: Tensor) -> list[Tensor]:
        taps = []
        for index, feature in enumerate(self.features):
            x = feature(x)
            if index in self.TAPS:
                taps.append(x)
        return taps


def divisible(channels: float) -> int:
    """The multiple of 8 nearest to `channels`, never more than 10 % below it."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def make_backbone(
    name: str, width: float = 1.0, expansion: int = EXPANSION, *, fused: bool = False
) -> ResNet | MobileNetV2:
    """The backbone of that name; raises ValueError for a name that is not in BACKBONES.

    expansion, fused: see `MobileNetV2`; a ResNet has none.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone: found {name!r}, expected one of {', '.join(BACKBONES)}")
    backbone: ResNet | MobileNetV2
    if name == "mobilenet_v2":
        backbone = MobileNetV2(width, expansion, fused=fused)
    else:
        backbone = ResNet(name, width)
    initialise(backbone)
    return backbone


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Give every convolution He's normal initialisation, fan out."""
    for child in module.modules():
        if isinstance(child, nn.Conv2d):
            nn.init.kaiming_normal_(child.weight, mode="fan_out", nonlinearity="relu")
