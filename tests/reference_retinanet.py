"""RetinaNet once more: computed from the papers and a published state dict, by nothing of export/.

He et al. 2015, https://arxiv.org/abs/1512.03385, Sandler et al. 2018,
https://arxiv.org/abs/1801.04381, Lin et al. 2016, https://arxiv.org/abs/1612.03144, Lin et al.
2017, https://arxiv.org/abs/1708.02002, and Wu and He 2018, https://arxiv.org/abs/1803.08494

Everything is in double precision, so that what differs from it by rounding differs by its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

State = dict[str, Tensor]

EPSILON = 1e-5
GROUPS = 32
SIZES = (32, 64, 128, 256, 512)
RATIOS = (0.5, 1.0, 2.0)
SCALES = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
# torchvision's bound on what is exponentiated
LARGEST_LOG = math.log(1000 / 16)
# torchvision's bounds of MobileNetV2: the blocks that halve the map, and the last before the next
MOBILENET_HALVING = (2, 4, 7, 14)
MOBILENET_MAPS = (3, 6, 13, 17)


@dataclass(frozen=True)
class Raw:
    """Raw outputs: logits [B, N, C], deltas [B, N, 4], anchors [N, 4], boxes [B, N, 4].

    shapes: (height, width) of each level's map.
    """

    logits: Tensor
    deltas: Tensor
    anchors: Tensor
    boxes: Tensor
    shapes: list[tuple[int, int]]


def raw_outputs(state: State, pictures: Tensor) -> Raw:
    """What a RetinaNet on a ResNet predicts for pictures uint8 [B, H, W, 3], BGR."""
    state = {name: value.double() for name, value in state.items()}
    maps = resnet_maps(state, "backbone.body.", normalised(pictures))
    pyramid = feature_pyramid(state, maps[1:])
    shapes = [(level.shape[2], level.shape[3]) for level in pyramid]
    logits = subnet(state, "head.classification_head.", "cls_logits", pyramid)
    deltas = subnet(state, "head.regression_head.", "bbox_reg", pyramid)
    height, width = pictures.shape[1:3]
    # torchvision knows no strides: it divides the picture's sides by the map's
    anchors = all_anchors(shapes, [(height // h, width // w) for h, w in shapes])
    return Raw(logits, deltas, anchors, decoded(deltas, anchors), shapes)


def normalised(pictures: Tensor) -> Tensor:
    """ImageNet's normalisation, double [B, 3, H, W] in RGB."""
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)
    deviation = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)
    return ((pictures.flip(3) / 255.0 - mean) / deviation).permute(0, 3, 1, 2)


def convolved(state: State, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    weight = state[f"{name}.weight"]
    padding = weight.shape[-1] // 2
    return functional.conv2d(x, weight, state.get(f"{name}.bias"), stride, padding, groups=groups)


def batch_normed(state: State, name: str, x: Tensor) -> Tensor:
    """Batch normalisation with the statistics as they are."""
    weight, bias, mean, variance = (
        state[f"{name}.{part}"][:, None, None]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / (variance + EPSILON).sqrt() * weight + bias


def resnet_maps(state: State, prefix: str, x: Tensor) -> list[Tensor]:
    """C2 to C5."""
    x = batch_normed(state, f"{prefix}bn1", convolved(state, f"{prefix}conv1", x, 2)).relu()
    x = functional.max_pool2d(x, 3, 2, 1)
    maps = []
    for stage in (1, 2, 3, 4):
        index = 0
        while f"{prefix}layer{stage}.{index}.conv1.weight" in state:
            halves = stage > 1 and index == 0
            x = resnet_block(state, f"{prefix}layer{stage}.{index}.", x, 2 if halves else 1)
            index += 1
        maps.append(x)
    return maps


def resnet_block(state: State, prefix: str, x: Tensor, stride: int) -> Tensor:
    bottleneck = f"{prefix}conv3.weight" in state
    last, striding = (3, 2) if bottleneck else (2, 1)
    out = x
    for number in range(1, last + 1):
        out = convolved(state, f"{prefix}conv{number}", out, stride if number == striding else 1)
        out = batch_normed(state, f"{prefix}bn{number}", out)
        if number < last:
            out = out.relu()
    if f"{prefix}downsample.0.weight" in state:
        x = convolved(state, f"{prefix}downsample.0", x, stride)
        x = batch_normed(state, f"{prefix}downsample.1", x)
    return (out + x).relu()


def mobilenet_maps(state: State, prefix: str, x: Tensor) -> list[Tensor]:
    """C2 to C5."""

    def layer(name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        x = batch_normed(state, f"{name}.1", convolved(state, f"{name}.0", x, stride, groups))
        return x.clamp(0, 6)

    x = layer(f"{prefix}features.0", x, 2)
    maps = []
    for place in range(1, MOBILENET_MAPS[-1] + 1):
        block = f"{prefix}features.{place}.conv"
        part, out = 0, x
        # only the first block does not widen its input
        if place > 1:
            part, out = 1, layer(f"{block}.0", x)
        stride = 2 if place in MOBILENET_HALVING else 1
        out = layer(f"{block}.{part}", out, stride, groups=out.shape[1])
        out = convolved(state, f"{block}.{part + 1}", out)
        out = batch_normed(state, f"{block}.{part + 2}", out)
        x = x + out if out.shape == x.shape else out
        if place in MOBILENET_MAPS:
            maps.append(x)
    return maps


def feature_pyramid(state: State, maps: list[Tensor]) -> list[Tensor]:
    """P3 to P7."""
    # flat or nested, whichever the state dict has
    end = ".0" if "backbone.fpn.inner_blocks.0.0.weight" in state else ""
    pyramid: list[Tensor] = []
    above = None
    for level in (2, 1, 0):
        merged = convolved(state, f"backbone.fpn.inner_blocks.{level}{end}", maps[level])
        if above is not None:
            merged = merged + enlarged(above, merged.shape[2], merged.shape[3])
        pyramid.insert(0, convolved(state, f"backbone.fpn.layer_blocks.{level}{end}", merged))
        above = merged
    p6 = "backbone.fpn.extra_blocks.p6"
    # a P6 that takes as many channels as the pyramid has is computed from P5
    from_p5 = state[f"{p6}.weight"].shape[1] == state[f"{p6}.weight"].shape[0]
    pyramid.append(convolved(state, p6, pyramid[-1] if from_p5 else maps[-1], 2))
    pyramid.append(convolved(state, "backbone.fpn.extra_blocks.p7", pyramid[-1].relu(), 2))
    return pyramid


def enlarged(x: Tensor, height: int, width: int) -> Tensor:
    """The nearest value of the coarser map at every position of the finer one."""
    rows = torch.arange(height) * x.shape[2] // height
    columns = torch.arange(width) * x.shape[3] // width
    return x[:, :, rows][:, :, :, columns]


def group_normed(state: State, name: str, x: Tensor) -> Tensor:
    groups = x.reshape(x.shape[0], GROUPS, -1)
    mean = groups.mean(2, keepdim=True)
    variance = (groups - mean).square().mean(2, keepdim=True)
    standard = ((groups - mean) / (variance + EPSILON).sqrt()).reshape(x.shape)
    return standard * state[f"{name}.weight"][:, None, None] + state[f"{name}.bias"][:, None, None]


def subnet(state: State, prefix: str, last: str, pyramid: list[Tensor]) -> Tensor:
    """Predictions of all levels: row by row of the map, a position's anchors one after another."""
    nested = f"{prefix}conv.0.0.weight" in state
    per_position = len(RATIOS) * len(SCALES)
    levels = []
    for x in pyramid:
        for layer in range(4):
            # flat, the activations count too
            x = convolved(
                state, f"{prefix}conv.{layer}.0" if nested else f"{prefix}conv.{2 * layer}", x
            )
            if f"{prefix}conv.{layer}.1.weight" in state:
                x = group_normed(state, f"{prefix}conv.{layer}.1", x)
            x = x.relu()
        x = convolved(state, f"{prefix}{last}", x)
        # every anchor has its own block of channels
        blocks = torch.stack(x.chunk(per_position, dim=1), dim=4)
        levels.append(blocks.permute(0, 2, 3, 4, 1).flatten(1, 3))
    return torch.cat(levels, dim=1)


def all_anchors(shapes: list[tuple[int, int]], steps: list[tuple[int, int]]) -> Tensor:
    """Anchors of all levels, double [N, 4], for maps of these shapes with positions so far apart.

    As in torchvision, sides are cut to whole pixels before the ratio and corners rounded after it.
    """
    boxes = []
    for size, (rows, columns), (step_y, step_x) in zip(SIZES, shapes, steps, strict=True):
        for row in range(rows):
            for column in range(columns):
                for ratio in RATIOS:
                    for scale in SCALES:
                        side = int(size * scale)
                        half_x = round(side / math.sqrt(ratio) / 2)
                        half_y = round(side * math.sqrt(ratio) / 2)
                        x, y = column * step_x, row * step_y
                        boxes.append((x - half_x, y - half_y, x + half_x, y + half_y))
    return torch.tensor(boxes, dtype=torch.float64)


def decoded(deltas: Tensor, anchors: Tensor) -> Tensor:
    """Boxes, xyxy: the anchor's centre moved by parts of its sides, its sides multiplied."""
    left, top, right, bottom = anchors.unbind(1)
    dx, dy, dw, dh = deltas.unbind(2)
    x = (left + right) / 2 + dx * (right - left)
    y = (top + bottom) / 2 + dy * (bottom - top)
    half_width = (right - left) * dw.clamp(max=LARGEST_LOG).exp() / 2
    half_height = (bottom - top) * dh.clamp(max=LARGEST_LOG).exp() / 2
    return torch.stack([x - half_width, y - half_height, x + half_width, y + half_height], dim=2)
