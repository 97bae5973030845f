"""RetinaNet and everything that defines one.

Lin et al. 2017, https://arxiv.org/abs/1708.02002
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from torch import Tensor, nn

from .anchor_config import AnchorConfig
from .anchors import Anchors
from .backbone import EXPANSION, MobileNetV2, ResNet, make_backbone
from .fpn import FeaturePyramid
from .heads import Head
from .normalisation import Normalisation

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
COARSEST_MAP_STRIDE = 32


@dataclass(frozen=True)
class RetinaNetConfig:
    """What must be known to build a network; stored in every checkpoint.

    classes: class names in the order of the score columns.
    backbone, width, expansion, fused: see `make_backbone`.
    fpn_channels: channels of every pyramid level and of the subnets; the paper has 256.
    subnet_depth: hidden layers of each subnet; the paper has 4.
    head_norm: "none" or "group", see `Subnet`.
    p6_from: "p5" or "c5".
    anchor_sizes, anchor_strides, anchor_ratios, anchor_scales: see `AnchorConfig`; the strides say
        which levels the pyramid has.
    mean, std: RGB normalisation of values in 0 to 1.
    prior: see `Head`.
    """

    classes: tuple[str, ...]
    backbone: str = "resnet50"
    width: float = 1.0
    expansion: int = EXPANSION
    fused: bool = False
    fpn_channels: int = 64
    subnet_depth: int = 2
    head_norm: str = "none"
    p6_from: str = "p5"
    anchor_sizes: tuple[float, ...] = AnchorConfig.sizes
    anchor_strides: tuple[int, ...] = AnchorConfig.strides
    anchor_ratios: tuple[float, ...] = AnchorConfig.ratios
    anchor_scales: tuple[float, ...] = AnchorConfig.scales
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    prior: float = 0.01

    @property
    def anchors(self) -> AnchorConfig:
        """The anchors in one piece."""
        return AnchorConfig(
            self.anchor_sizes, self.anchor_strides, self.anchor_ratios, self.anchor_scales
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RetinaNetConfig:
        """The config that `to_dict` wrote; raises TypeError for a name it does not know."""
        sequences = {f.name for f in fields(cls) if str(f.type).startswith("tuple")}
        return cls(**{k: tuple(v) if k in sequences else v for k, v in values.items()})


class PyramidBackbone(nn.Module):
    """A backbone and the pyramid on it, under the names that torchvision's checkpoints use."""

    def __init__(self, body: ResNet | MobileNetV2, config: RetinaNetConfig) -> None:
        super().__init__()
        self.body = body
        strides = config.anchor_strides
        self.maps = sum(stride <= COARSEST_MAP_STRIDE for stride in strides)
        self.fpn = FeaturePyramid(
            body.channels[-self.maps :],
            config.fpn_channels,
            len(strides) - self.maps,
            config.p6_from,
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """The pyramid's maps, finest first, of float [B, 3, H, W]."""
        return self.fpn(self.body(x)[-self.maps :])


class RetinaNet(nn.Module):
    """The network: pictures in, raw predictions for every anchor out."""

    normalisation: nn.Module

    def __init__(self, config: RetinaNetConfig) -> None:
        super().__init__()
        self.config = config
        self.normalisation = Normalisation(config.mean, config.std)
        body = make_backbone(config.backbone, config.width, config.expansion, fused=config.fused)
        self.backbone = PyramidBackbone(body, config)
        self.anchors = Anchors(config.anchors)
        self.head = Head(
            config.fpn_channels,
            config.subnet_depth,
            config.head_norm,
            len(config.classes),
            self.anchors.per_position,
            config.prior,
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict for every anchor.

        pictures: [B, H, W, 3], BGR, values 0 to 255, uint8 or float; H and W multiples of 32.

        Returns class logits float [B, N, C], box deltas float [B, N, 4] and anchors float32 [N, 4].
        """
        pyramid = self.backbone(self.normalisation(pictures))
        logits, deltas = self.head(pyramid)
        return logits, deltas, self.anchors([(p.shape[2], p.shape[3]) for p in pyramid])


def network_of(values: Any) -> RetinaNet:
    """The network of a config that a file holds, with random weights.

    values: what `RetinaNetConfig.to_dict` wrote, and maybe somebody else since.

    Raises ValueError where no network can be like that.
    """
    try:
        return RetinaNet(RetinaNetConfig.from_dict(values))
    except Exception as error:
        # whatever a wrong value leads to, somewhere in the network
        raise ValueError(f"its config describes no network: {error!r}") from None
