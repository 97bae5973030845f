"""Exported weights: training goes on from a file that the monitor runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from training_cases import drawn_set

from export import checkpoint
from export.__main__ import main
from export.graph.frame_detector import FrameDetector
from export.graph.parity import answers, compare
from export.postprocess import PostprocessConfig
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights.exported import read_exported
from export.weights.state_dict import load_weights, read_weights
from export.weights.unfolding import unfold
from monitor.contract import KEY_PREFIX, ResizeRule
from monitor.detector import SHIPPED_MODELS, Detector
from monitor.errors import ModelError
from monitor.frame import Image
from monitor.scene import training_picture

RULE = ResizeRule(64, 64)


def drawn(seed: int) -> Image:
    return training_picture(np.random.default_rng(seed), 100, 80)[0]


def network_of(backbone: str) -> RetinaNet:
    """A small network whose normalisations have seen something, sure of what it finds."""
    torch.manual_seed(0)
    # 72 inner channels in some blocks of the MobileNetV2, which int8 fills up to whole vectors
    shape = {"width": 0.25} if backbone == "resnet18" else {"expansion": 3}
    if backbone == "fused":
        backbone, shape = "mobilenet_v2", {**shape, "fused": True}
    config = RetinaNetConfig(
        ("a", "b"),
        backbone,
        fpn_channels=8,
        subnet_depth=1,
        anchor_sizes=(20, 40, 80, 160, 320),
        **shape,
    )
    network = RetinaNet(config)
    batch = torch.from_numpy(np.stack([cv2.resize(drawn(seed), (64, 64)) for seed in range(8)]))
    for _ in range(20):
        network.train()(batch)
    classifier = network.head.classification_head.get_submodule("cls_logits")
    with torch.no_grad():
        # few are sure, so that rounding changes nothing of which candidate wins
        spread = 3 / network.eval()(batch)[0].std()
        classifier.get_parameter("weight").mul_(spread)
        classifier.get_parameter("bias").fill_(-4.0)
    return network


def exported(network: RetinaNet, folder: Path, *options: str) -> Path:
    """A file of the network; the folder also gets pictures to calibrate with."""
    pictures = [torch.from_numpy(cv2.imencode(".png", drawn(seed))[1]) for seed in range(4)]
    for seed, picture in enumerate(pictures):
        (folder / f"{seed}.png").write_bytes(picture.numpy().tobytes())
    content = {
        "config": network.config.to_dict(),
        "resize": {"min_side_px": 64, "max_side_px": 64, "multiple_px": 32},
        "arguments": {},
        "history": [],
        "epoch": 1,
        "progress": {"steps": 0},
        "pictures": pictures,
        "averaged": network.state_dict(),
    }
    checkpoint.save(folder / "small.pt", content)
    path = folder / "small.onnx"
    assert main(["onnx", *options, str(folder / "small.pt"), str(path)]) == 0
    return path


@pytest.mark.parametrize(
    ("backbone", "options", "tolerance"),
    [
        ("resnet18", (), 1e-5),
        ("resnet18", ("--fp16",), 5e-3),
        # rounded to 256 steps a channel
        ("mobilenet_v2", ("--int8", "--calibration", "."), 0.2),
        # its stem takes four pixels at once there
        ("fused", ("--int8", "--calibration", "."), 0.2),
        ("resnet18", ("--int8", "--calibration", "."), 0.2),
    ],
)
def test_a_network_comes_back_from_its_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backbone: str,
    options: tuple[str, ...],
    tolerance: float,
) -> None:
    monkeypatch.chdir(tmp_path)
    network = network_of(backbone)
    weights = read_weights(exported(network, tmp_path, *options))
    assert weights.folded
    assert RetinaNetConfig.from_dict(weights.config) == network.config
    read = RetinaNet(network.config)
    report = load_weights(read, weights)
    assert (report.missing, report.unused, report.other_shape) == ((), (), ())
    batch = torch.from_numpy(np.stack([cv2.resize(drawn(seed), (64, 64)) for seed in range(4)]))
    with torch.no_grad():
        for before, after in zip(network(batch), read.eval()(batch), strict=True):
            spread = float(before.std())
            assert float((before - after).abs().mean()) <= tolerance * spread


@pytest.mark.parametrize("name", sorted(SHIPPED_MODELS))
def test_a_shipped_model_comes_back_as_what_it_is(name: str) -> None:
    state, config = read_exported(SHIPPED_MODELS[name])
    network = RetinaNet(RetinaNetConfig.from_dict(config))
    network.load_state_dict(state, strict=False)
    detect = Detector(SHIPPED_MODELS[name], device="cpu")
    pictures = [training_picture(np.random.default_rng(seed), 512, 384)[0] for seed in range(6)]
    options = detect.contract.training["export"]
    config = PostprocessConfig(detections=options["max_detections"], iou=options["nms_threshold"])
    found = answers(FrameDetector(network.eval(), config, detect.resize), pictures, 0.3)
    parity = compare(found, detect, pictures, 0.3, config.detections)
    assert parity.detections > 5
    assert parity.matched > 0.9


def test_unfolding_changes_nothing_of_what_a_network_does() -> None:
    network = network_of("mobilenet_v2")
    batch = torch.from_numpy(np.stack([cv2.resize(drawn(seed), (64, 64)) for seed in range(8, 14)]))
    with torch.no_grad():
        before = network(batch)[0]
        unfold(network, [batch[:2], batch[2:]])
        assert not network.training
        assert torch.allclose(network(batch)[0], before, atol=1e-3)
        # nor in training, where each step takes the statistics of its own pictures
        assert torch.allclose(network.train()(batch)[0], before, atol=0.05 * float(before.std()))


def test_unfolding_bears_a_channel_that_never_changes() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2))
    torch.nn.init.zeros_(network[0].weight)
    batch = torch.rand(2, 3, 4, 4)
    before = network.eval()(batch)
    unfold(network, [batch])
    assert torch.allclose(network.eval()(batch), before, atol=1e-4)


def test_training_goes_on_from_a_file(tmp_path: Path) -> None:
    path = exported(network_of("resnet18"), tmp_path)
    data = drawn_set(tmp_path / "drawn")
    classes = ["--merge", "mask=a", "--merge", "noMask=b"]
    options = [
        *("--weights", str(path), "--snapshot-path", str(tmp_path), "--epochs", "1"),
        *("--image-min-side", "64", "--image-max-side", "64", "--batch-size", "4"),
        *("--workers", "0", "--precision", "fp32", "--lr", "1e-9", *classes),
    ]
    assert main(["train", *options, "pascal", str(data)]) == 0
    content = checkpoint.load(tmp_path / "last.pt")
    # at this rate nothing is learnt but the statistics of the pictures
    weights, first = read_weights(path), "backbone.body.conv1.weight"
    assert torch.allclose(content["network"][first], weights.state[first], atol=1e-5)
    assert content["config"]["anchor_sizes"] == (20, 40, 80, 160, 320)
    assert content["network"]["backbone.body.bn1.running_var"].std() > 0.01


def without_network(model: onnx.ModelProto) -> None:
    for prop in model.metadata_props:
        if prop.key == KEY_PREFIX + "training":
            prop.value = "{}"


def saying(there: str, here: str) -> Callable[[onnx.ModelProto], None]:
    """Changes what stands in the metadata."""

    def change(model: onnx.ModelProto) -> None:
        for prop in model.metadata_props:
            prop.value = prop.value.replace(there, here)

    return change


def without_a_shape(model: onnx.ModelProto) -> None:
    for prop in model.metadata_props:
        if prop.key == KEY_PREFIX + "training":
            prop.value = '{"network": [1]}'


def without_metadata(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def without_a_weight(model: onnx.ModelProto) -> None:
    [last] = [n for n in model.graph.node if n.op_type == "Conv"][-1:]
    last.input[1] = "elsewhere"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_network, "found nothing about the shape of its network"),
        (
            saying('"head_norm": "none"', '"head_norm": "group"'),
            "group normalisation, which no export folds away",
        ),
        (saying('"fpn_channels": 64', '"fpn_channels": 32'), "more channels than .* found"),
        (saying('"prior": 0.01', '"prior": 0'), "its config describes no network"),
        (without_a_shape, "its config describes no network"),
        (without_metadata, "no maskgate metadata"),
        (saying('"precision": "int8"', '"precise": "int8"'), "does not fit its network: KeyError"),
        (without_a_weight, "does not fit its network"),
    ],
)
def test_a_file_that_says_too_little_is_refused(
    tmp_path: Path, change: Callable[[onnx.ModelProto], None], message: str
) -> None:
    model = onnx.load(SHIPPED_MODELS["edge"])
    change(model)
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(ModelError, match=f"x.onnx.*{message}"):
        read_weights(tmp_path / "x.onnx")


@pytest.mark.parametrize("content", [b"", b"no ONNX", None])
def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.onnx"):
        read_weights(tmp_path / "x.onnx")
