"""Names and shapes of torchvision's published tensors, from the tables of the papers.

He et al. 2015, https://arxiv.org/abs/1512.03385, Sandler et al. 2018,
https://arxiv.org/abs/1801.04381, and Lin et al. 2017, https://arxiv.org/abs/1708.02002
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]

# blocks a stage, and convolutions a block
RESNETS = {
    "resnet18": ((2, 2, 2, 2), 2),
    "resnet34": ((3, 4, 6, 3), 2),
    "resnet50": ((3, 4, 6, 3), 3),
    "resnet101": ((3, 4, 23, 3), 3),
    "resnet152": ((3, 8, 36, 3), 3),
}
# expansion, channels, blocks
MOBILENET_ROWS = (
    (1, 16, 1),
    (6, 24, 2),
    (6, 32, 3),
    (6, 64, 4),
    (6, 96, 3),
    (6, 160, 3),
    (6, 320, 1),
)
ANCHORS = 9


def convolution(name: str, inputs: int, outputs: int, side: int, *, bias: bool = True) -> Shapes:
    shapes: Shapes = {f"{name}.weight": (outputs, inputs, side, side)}
    return shapes | {f"{name}.bias": (outputs,)} if bias else shapes


def batch_norm(name: str, channels: int) -> Shapes:
    vectors = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{v}": (channels,) for v in vectors} | {f"{name}.num_batches_tracked": ()}


def linear(name: str, inputs: int) -> Shapes:
    """The classifier of a network for ImageNet's 1000 classes."""
    return {f"{name}.weight": (1000, inputs), f"{name}.bias": (1000,)}


def resnet(name: str, base: int = 64) -> Shapes:
    """A ResNet with its classifier; `base` channels leave its first convolution."""
    depths, convolutions = RESNETS[name]
    shapes = convolution("conv1", 3, base, 7, bias=False) | batch_norm("bn1", base)
    inputs = base
    for stage, depth in enumerate(depths):
        inner = base * 2**stage
        outputs = inner if convolutions == 2 else 4 * inner
        for index in range(depth):
            block = f"layer{stage + 1}.{index}"
            counts = (inputs, *[inner] * (convolutions - 1), outputs)
            for number in range(1, convolutions + 1):
                side = 3 if convolutions == 2 or number == 2 else 1
                pair = counts[number - 1 : number + 1]
                shapes |= convolution(f"{block}.conv{number}", *pair, side, bias=False)
                shapes |= batch_norm(f"{block}.bn{number}", counts[number])
            if inputs != outputs:
                shapes |= convolution(f"{block}.downsample.0", inputs, outputs, 1, bias=False)
                shapes |= batch_norm(f"{block}.downsample.1", outputs)
            inputs = outputs
    return shapes | linear("fc", inputs)


def mobilenet_v2() -> Shapes:
    """MobileNetV2 with its classifier."""
    shapes = convolution("features.0.0", 3, 32, 3, bias=False) | batch_norm("features.0.1", 32)
    inputs, place = 32, 1
    for expansion, channels, depth in MOBILENET_ROWS:
        for _ in range(depth):
            hidden = expansion * inputs
            block, part = f"features.{place}.conv", 0
            if expansion > 1:
                shapes |= convolution(f"{block}.0.0", inputs, hidden, 1, bias=False)
                shapes |= batch_norm(f"{block}.0.1", hidden)
                part = 1
            shapes |= convolution(f"{block}.{part}.0", 1, hidden, 3, bias=False)
            shapes |= batch_norm(f"{block}.{part}.1", hidden)
            shapes |= convolution(f"{block}.{part + 1}", hidden, channels, 1, bias=False)
            shapes |= batch_norm(f"{block}.{part + 2}", channels)
            inputs, place = channels, place + 1
    shapes |= convolution(f"features.{place}.0", inputs, 1280, 1, bias=False)
    return shapes | batch_norm(f"features.{place}.1", 1280) | linear("classifier.1", 1280)


def classifier(name: str) -> Shapes:
    """The published network of that name."""
    return mobilenet_v2() if name == "mobilenet_v2" else resnet(name)


def retinanet(
    name: str, base: int, channels: int, classes: int, *, second: bool, nested: bool = True
) -> Shapes:
    """A RetinaNet on a ResNet.

    name, base: see `resnet`.
    channels: of the pyramid.
    second: torchvision's second RetinaNet, with group normalisation and P6 from C5.
    nested: False for the names that torchvision's first RetinaNet was published under: flat, and of
        batch normalisations that count nothing.
    """
    body = {f"backbone.body.{n}": s for n, s in resnet(name, base).items() if "fc." not in n}
    if not nested:
        body = {n: s for n, s in body.items() if not n.endswith("num_batches_tracked")}
    shapes = dict(body)
    c5 = 8 * base * (1 if RESNETS[name][1] == 2 else 4)
    end = ".0" if nested else ""
    for level, inputs in enumerate((c5 // 4, c5 // 2, c5)):
        shapes |= convolution(f"backbone.fpn.inner_blocks.{level}{end}", inputs, channels, 1)
        shapes |= convolution(f"backbone.fpn.layer_blocks.{level}{end}", channels, channels, 3)
    p6_inputs = c5 if second else channels
    shapes |= convolution("backbone.fpn.extra_blocks.p6", p6_inputs, channels, 3)
    shapes |= convolution("backbone.fpn.extra_blocks.p7", channels, channels, 3)
    for head, last, values in (
        ("classification_head", "cls_logits", classes),
        ("regression_head", "bbox_reg", 4),
    ):
        for layer in range(4):
            # flat, an activation lies between two convolutions and counts too
            place = f"head.{head}.conv.{layer}.0" if nested else f"head.{head}.conv.{2 * layer}"
            shapes |= convolution(place, channels, channels, 3, bias=not second)
            if second:
                norm = f"head.{head}.conv.{layer}.1"
                shapes |= {f"{norm}.weight": (channels,), f"{norm}.bias": (channels,)}
        shapes |= convolution(f"head.{head}.{last}", channels, ANCHORS * values, 3)
    return shapes


def random_state(shapes: Shapes) -> dict[str, Tensor]:
    """Tensors of these shapes, none of which could be left out unnoticed."""
    generator = torch.Generator().manual_seed(11)
    state = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            value = torch.tensor(1000)
        elif name.endswith("running_var"):
            value = 0.5 + torch.rand(shape, generator=generator)
        elif name.endswith("weight") and len(shape) == 1:
            value = 0.3 + 0.5 * torch.rand(shape, generator=generator)
        elif name.endswith("weight"):
            # small predictions, as a trained network's: a box is in the end an exponential of them
            gain = 0.1 if "cls_logits" in name or "bbox_reg" in name else 2.0
            spread = (gain / math.prod(shape[1:])) ** 0.5
            value = spread * torch.randn(shape, generator=generator)
        else:
            value = 0.2 * torch.randn(shape, generator=generator)
        state[name] = value
    return state
