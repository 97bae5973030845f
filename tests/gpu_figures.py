"""GPU figures: a ResNet-50 in float16, bound and replayed, beside a plain session in float32.

python tests/gpu_figures.py prints them as JSON, and exits with 1 when the one is not at least four
times as fast as the other or takes more than 3 ms. What is timed is all of it: a frame of 1920 x
1080 px on the host, its resize, the network, and boxes on the host. Not yet run on a GPU.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from export.graph.frame_detector import FrameDetector
from export.graph.onnx_graph import half_precision, save_model, trace
from export.postprocess import PostprocessConfig
from export.retinanet import RetinaNet, RetinaNetConfig
from monitor.bench.stages import compare
from monitor.contract import Contract, ResizeRule
from monitor.detector import Detector
from monitor.frame import Image
from monitor.scene import training_picture
from monitor.session import Plain, open_session

RULE = ResizeRule(None, None)  # as the frame comes, which is resized to a square here
LEAST_SPEEDUP = 4.0
MOST_MS = 3.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--device", default="cuda", choices=("cpu", "cuda", "tensorrt"))
    add("--backbone", default="resnet50")
    add("--side", type=int, default=800, help="of the network's input, pixels")
    add("--frames", type=int, default=300, help="how many to time")
    add("--peak", type=float, default=989.0, help="10^12 float16 operations/s (default: H100 SXM)")
    add("--bandwidth", type=float, default=3350.0, help="10^9 bytes/s of the card's memory")
    options = parser.parse_args(arguments)
    network = RetinaNet(
        RetinaNetConfig(("mask", "noMask"), options.backbone, fpn_channels=256, subnet_depth=4)
    ).eval()
    with TemporaryDirectory() as folder:
        single, half = Path(folder, "single.onnx"), Path(folder, "half.onnx")
        for path, kept in ((single, network), (half, half_precision(network))):
            detector = FrameDetector(kept, PostprocessConfig(), RULE).eval()
            save_model(trace(detector), Contract(("mask", "noMask"), RULE), path)
        found = measured(single, half, options)
    found["floor"] = floor(network, options)
    print(json.dumps(found, indent=1))
    return 0 if found["speedup"] >= LEAST_SPEEDUP and found["p50_ms"] <= MOST_MS else 1


def measured(single: Path, half: Path, options: argparse.Namespace) -> dict[str, object]:
    """Both ways in turn on the same frames."""
    detector = Detector(half, device=options.device)
    cuda = "cpu" if options.device == "cpu" else "cuda"
    plain = Plain(open_session(single.read_bytes(), cuda, threads=detector.threads))
    resized = partial(cv2.resize, dsize=(options.side, options.side))

    def bound(frame: Image) -> object:
        return detector(np.asarray(resized(frame), np.uint8))

    def simple(frame: Image) -> object:
        small = np.asarray(resized(frame), np.uint8)
        boxes, scores = plain(small[None])
        return detector.detections((boxes[0], scores[0]), small, small)

    drawn = np.random.default_rng(1)
    frames = [training_picture(drawn, 1920, 1080)[0] for _ in range(8)]
    took = compare(frames, bound, simple, options.frames)
    return {
        "device": options.device,
        "provider": detector.provider,
        "graph": detector.graph,
        "p50_ms": took.ours.p50_ms,
        "p95_ms": took.ours.p95_ms,
        "plain_fp32_p50_ms": took.other.p50_ms,
        "speedup": 1 / took.ratio,
    }


def floor(network: RetinaNet, options: argparse.Namespace) -> dict[str, float]:
    """What no implementation can stay below: operations over peak, weights over bandwidth."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, options.side, options.side, 3))
    operations = counter.get_total_flops()
    weights_bytes = 2 * sum(parameter.numel() for parameter in network.parameters())
    return {
        "operations": operations,
        "operations_ms": operations / options.peak / 1e9,
        "bytes_ms": weights_bytes / options.bandwidth / 1e6,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
