"""Small networks with random weights, and ONNX files of them."""

from __future__ import annotations

from pathlib import Path

import torch
from colours import CLASSES

from export.graph.frame_detector import FrameDetector
from export.graph.onnx_graph import half_precision, save_model, trace
from export.postprocess import PostprocessConfig
from export.retinanet import RetinaNet, RetinaNetConfig
from monitor.contract import Contract, ResizeRule

__all__ = ["exported", "half_precision", "small_network"]


def small_network() -> RetinaNet:
    """A network that sees much."""
    torch.manual_seed(0)
    network = RetinaNet(
        RetinaNetConfig(CLASSES, "resnet18", width=0.125, fpn_channels=8, subnet_depth=1, prior=0.3)
    )
    with torch.no_grad():
        network.head.classification_head.get_parameter("cls_logits.weight").mul_(30)
    return network


def exported(network: RetinaNet, path: Path) -> Path:
    """The file of a network that looks at pictures of 256 px."""
    detector = FrameDetector(network, PostprocessConfig(), ResizeRule(256, 256)).eval()
    save_model(trace(detector), Contract(CLASSES, ResizeRule(256, 256)), path)
    return path
