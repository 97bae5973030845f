"""Feature pyramid network: P2 or P3 up to P5, P6 or P7, from the same levels up to C5."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

EXTRA = ("p6", "p7")


class FeaturePyramid(nn.Module):
    """Lateral and top-down connections, with RetinaNet's P6 and P7 on top.

    Lin et al. 2016, https://arxiv.org/abs/1612.03144

    inputs: channel counts of the backbone's maps, the last of them C5.
    channels: channel count of every output.
    extra: how many of P6 and P7 to add, 0 to 2.
    p6_from: "p5" or "c5", the map that P6 is computed from; published weights come in both.

    `forward` takes the backbone's maps and returns as many pyramid maps and the extra ones, finest
    first.
    """

    def __init__(self, inputs: tuple[int, ...], channels: int, extra: int, p6_from: str) -> None:
        super().__init__()
        # the nesting reproduces the parameter names of torchvision's published checkpoints
        self.inner_blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(count, channels, 1)) for count in inputs
        )
        self.layer_blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1)) for _ in inputs
        )
        self.p6_from = p6_from
        extra_inputs = {"p6": channels if p6_from == "p5" else inputs[-1], "p7": channels}
        self.extra_blocks = nn.ModuleDict(
            {name: nn.Conv2d(extra_inputs[name], channels, 3, 2, 1) for name in EXTRA[:extra]}
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                nn.init.zeros_(module.bias)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        laterals = [block(x) for block, x in zip(self.inner_blocks, features, strict=True)]
        merged = laterals[-1]
        outputs = [self.layer_blocks[-1](merged)]
        for lateral, layer in zip(laterals[-2::-1], list(self.layer_blocks)[-2::-1], strict=True):
            merged = lateral + functional.interpolate(
                merged, size=lateral.shape[-2:], mode="nearest"
            )
            outputs.insert(0, layer(merged))
        last = outputs[-1] if self.p6_from == "p5" else features[-1]
        for name, block in self.extra_blocks.items():
            last = block(functional.relu(last) if name == "p7" else last)
            outputs.append(last)
        return outputs
