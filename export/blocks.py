"""Blocks: the residual blocks that backbones are built of, with torchvision's parameter names."""

from __future__ import annotations

from torch import Tensor, nn


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """A padded convolution without bias, as used in front of a batch normalisation."""
    return nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2015, https://arxiv.org/abs/1512.03385)."""

    expansion = 1

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = convolution(planes, planes, 3)
        self.bn2 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)) + identity)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions and a shortcut; the stride sits in the 3x3, as in torchvision."""

    expansion = 4

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        outputs = planes * self.expansion
        self.conv1 = convolution(inputs, planes, 1)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = convolution(planes, planes, 3, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = convolution(planes, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + identity)


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """The projection that a shortcut needs where the shape changes, else None."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class InvertedResidual(nn.Module):
    """Expand, filter each channel by itself, project; add what came where the shape stays.

    Sandler et al. 2018, https://arxiv.org/abs/1801.04381

    adds: False where nothing is added whatever the shape.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, expand: int, *, adds: bool = True
    ) -> None:
        super().__init__()
        hidden = inputs * expand
        layers: list[nn.Module] = []
        if expand != 1:
            layers.append(normalised(inputs, hidden, 1))
        layers.append(normalised(hidden, hidden, 3, stride, groups=hidden))
        layers += [convolution(hidden, outputs, 1), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self.adds_input = adds and stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds_input else self.conv(x)


class FusedResidual(nn.Module):
    """Expand and filter in one convolution, project: the faster way where channels are few.

    Gupta and Tan 2019, https://arxiv.org/abs/2003.02838. What projects has the name that it has in
    an InvertedResidual.
    """

    def __init__(self, inputs: int, inner: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            normalised(inputs, inner, 3, stride),
            nn.Identity(),
            convolution(inner, outputs, 1),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x)
        return result


def normalised(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution, batch normalisation and ReLU6."""
    return nn.Sequential(
        convolution(inputs, outputs, kernel, stride, groups),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )
