"""Backbones and the whole network: shapes, strides and the names that published weights use."""

import pytest
import torch

from export.backbone import BACKBONES, divisible, make_backbone
from export.retinanet import RetinaNet, RetinaNetConfig

SIDE_PX = 64


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("width", [0.5, 1.0])
def test_maps_have_strides_4_to_32_and_the_channels_announced(name: str, width: float) -> None:
    backbone = make_backbone(name, width)
    maps = backbone(torch.zeros(2, 3, SIDE_PX, 2 * SIDE_PX))
    for feature, channels, stride in zip(maps, backbone.channels, (4, 8, 16, 32), strict=True):
        assert feature.shape == (2, channels, SIDE_PX // stride, 2 * SIDE_PX // stride)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        # torchvision's published counts, less the classifier: 11,689,512 - 513,000
        ("resnet18", 11_176_512),
        # 21,797,672 - 513,000
        ("resnet34", 21_284_672),
        # 25,557,032 - 2,049,000
        ("resnet50", 23_508_032),
        # 44,549,160 - 2,049,000
        ("resnet101", 42_500_160),
        # 60,192,808 - 2,049,000
        ("resnet152", 58_143_808),
        # 3,504,872 - 1,281,000 (classifier) - 412,160 (features.18, which is not used)
        ("mobilenet_v2", 1_811_712),
    ],
)
def test_parameter_counts_are_those_of_the_published_networks(name: str, parameters: int) -> None:
    assert sum(p.numel() for p in make_backbone(name).parameters()) == parameters


def test_a_backbone_of_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="found 'vgg'"):
        make_backbone("vgg")


@pytest.mark.parametrize(
    ("channels", "rounded"),
    [
        (16, 16),  # a multiple of 8 stays
        (11.2, 16),  # 8 would be more than 10 % too few
        (12, 16),  # a half goes up
        (3, 8),  # never below 8
        (17, 16),  # 16 is near enough
    ],
)
def test_channel_counts_are_rounded_to_multiples_of_8(channels: float, rounded: int) -> None:
    assert divisible(channels) == rounded


def test_parameter_names_are_torchvisions() -> None:
    config = RetinaNetConfig(classes=("mask", "noMask"), backbone="resnet50", subnet_depth=4)
    names = RetinaNet(config).state_dict().keys()
    for name in (
        "backbone.body.conv1.weight",
        "backbone.body.layer1.0.downsample.0.weight",
        "backbone.body.layer4.2.bn3.running_var",
        "backbone.fpn.inner_blocks.2.0.weight",
        "backbone.fpn.layer_blocks.0.0.bias",
        "backbone.fpn.extra_blocks.p7.weight",
        "head.classification_head.conv.3.0.weight",
        "head.classification_head.cls_logits.bias",
        "head.regression_head.bbox_reg.weight",
    ):
        assert name in names


def test_an_untrained_network_gives_every_anchor_the_prior() -> None:
    torch.manual_seed(0)
    config = RetinaNetConfig(classes=("mask", "noMask"), prior=0.02)
    logits, deltas, anchors = RetinaNet(config).eval()(torch.zeros(1, 64, 64, 3))
    positions = 8 * 8 + 4 * 4 + 2 * 2 + 1 + 1
    # three ratios of three scales at each position, as in the paper
    assert logits.shape == (1, positions * 9, 2)
    assert deltas.shape == (1, positions * 9, 4)
    assert anchors.shape == (positions * 9, 4)
    assert torch.sigmoid(logits).mean().item() == pytest.approx(0.02, abs=2e-3)


def test_pictures_are_normalised_as_rgb_although_they_come_as_bgr() -> None:
    config = RetinaNetConfig(classes=("a",), mean=(1.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    network = RetinaNet(config).eval()
    seen: list[torch.Tensor] = []
    network.backbone.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    pure_red = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
    pure_red[..., 2] = 255
    network(pure_red)
    assert seen[0].abs().max().item() == 0.0


def test_a_config_survives_its_trip_through_a_checkpoint() -> None:
    config = RetinaNetConfig(classes=("mask", "noMask"), width=0.5, anchor_ratios=(0.5, 1.0, 2.0))
    assert RetinaNetConfig.from_dict(config.to_dict()) == config
