"""Feature pyramid network: P3 to P7 from C3 to C5."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class FeaturePyramid(nn.Module):
    """Lateral and top-down connections, with RetinaNet's P6 and P7 on top.

    Lin et al. 2016, https://arxiv.org/abs/1612.03144

    inputs: channel counts of C3, C4 and C5.
    channels: channel count of every output.
    p6_from: "p5" or "c5", the map that P6 is computed from; published weights come in both.

    `forward` takes [C3, C4, C5] and returns [P3, P4, P5, P6, P7] at strides 8, 16, 32, 64 and 128.
    """

    def __init__(self, inputs: tuple[int, ...], channels: int, p6_from: str) -> None:
        super().__init__()
        # the nesting reproduces the parameter names of torchvision's published checkpoints
        self.inner_blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(count, channels, 1)) for count in inputs
        )
        self.layer_blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1)) for _ in inputs
        )
        self.p6_from = p6_from
        self.extra_blocks = nn.ModuleDict(
            {
                "p6": nn.Conv2d(channels if p6_from == "p5" else inputs[-1], channels, 3, 2, 1),
                "p7": nn.Conv2d(channels, channels, 3, 2, 1),
            }
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
        p6 = self.extra_blocks["p6"](outputs[-1] if self.p6_from == "p5" else features[-1])
        return [*outputs, p6, self.extra_blocks["p7"](functional.relu(p6))]
