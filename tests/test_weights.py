"""Weights: published tensors find their place by name, and what does not fit is said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from export import checkpoint
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights.state_dict import BODY, load_weights, read_weights, with_current_names
from monitor.errors import ModelError

CONFIG = RetinaNetConfig(
    ("mask", "noMask"), "resnet18", width=0.125, fpn_channels=8, subnet_depth=2
)
HEAD = tuple(f"head.classification_head.cls_logits.{part}" for part in ("bias", "weight"))


def network_of(config: RetinaNetConfig, seed: int = 7) -> RetinaNet:
    torch.manual_seed(seed)
    return RetinaNet(config)


def floating(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the counters of batch normalisations, which nothing depends on."""
    return {name: value for name, value in state.items() if value.is_floating_point()}


def body_state() -> dict[str, Tensor]:
    """A bare backbone, under the names of a classifier."""
    return floating(network_of(CONFIG).backbone.body.state_dict())


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["body.safetensors", "body.pth"])
def test_a_backbone_in_half_precision_is_loaded_whole(
    tmp_path: Path, name: str, precision: torch.dtype
) -> None:
    state = {n: v.to(precision).contiguous() for n, v in body_state().items()}
    save = torch.save if name.endswith(".pth") else save_file
    save(state, tmp_path / name)
    network = network_of(CONFIG, seed=8)
    weights = read_weights(tmp_path / name)
    assert {value.dtype for value in weights.state.values()} == {torch.float32}
    report = load_weights(network, weights)
    assert report.loaded == {BODY + n for n in state}
    assert (report.missing, report.unused, report.other_shape) == ((), (), ())
    own = network.backbone.body.state_dict()
    for n, value in state.items():
        assert torch.equal(own[n], value.float())


def test_a_whole_detector_is_loaded_and_a_head_of_another_size_said_so(tmp_path: Path) -> None:
    other = network_of(
        RetinaNetConfig(("a",), "resnet18", width=0.125, fpn_channels=8, subnet_depth=2)
    )
    torch.save(other.state_dict(), tmp_path / "detector.pth")
    network = network_of(CONFIG, seed=8)
    before = floating(network.state_dict())
    before = {name: value.clone() for name, value in before.items()}
    report = load_weights(network, read_weights(tmp_path / "detector.pth"))
    assert report.other_shape == HEAD
    assert "2 of another shape, so left random" in str(report)
    assert "the class head is for other classes or anchors and starts anew" in str(report)
    assert report.loaded == before.keys() - set(HEAD)
    for name, value in floating(network.state_dict()).items():
        assert torch.equal(value, before[name] if name in HEAD else other.state_dict()[name])


@pytest.mark.parametrize(
    ("theirs", "rows"),
    [
        # as it is
        (("mask", "noMask"), (0, 1)),
        # another order
        (("noMask", "mask"), (1, 0)),
        # more classes than are wanted
        (("noMask", "hand", "mask"), (2, 0)),
        # as many classes, one of them unknown
        (("mask", "hand"), None),
        # classes that this network knows under other names
        (("with", "without"), None),
    ],
)
def test_a_snapshots_class_head_is_taken_by_the_names_of_its_classes(
    tmp_path: Path,
    theirs: tuple[str, ...],
    rows: tuple[int, ...] | None,
) -> None:
    other = network_of(replace(CONFIG, classes=theirs))
    torch.nn.init.normal_(other.head.classification_head.get_parameter("cls_logits.bias"))
    state = other.state_dict()
    config = other.config.to_dict()
    checkpoint.save(tmp_path / "last.pt", {"averaged": state, "config": config})
    network = network_of(CONFIG, seed=8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    report = load_weights(network, read_weights(tmp_path / "last.pt"))
    anchors = network.anchors.per_position
    for name in HEAD:
        wanted = before[name]
        if rows is not None:
            # for each anchor a row of every class
            wanted = torch.stack(
                [state[name][a * len(theirs) + row] for a in range(anchors) for row in rows]
            )
        assert torch.equal(network.state_dict()[name], wanted), name
        assert (name in report.loaded) == (rows is not None)
    assert ("the class head is for other classes" in str(report)) == (rows is None)
    assert report.loaded | set(HEAD) == floating(state).keys()


def test_what_a_partial_backbone_lacks_is_named(tmp_path: Path) -> None:
    state = {n: v for n, v in body_state().items() if not n.startswith("layer4")}
    save_file(state | {"fc.weight": torch.zeros(3)}, tmp_path / "part.safetensors")
    report = load_weights(network_of(CONFIG), read_weights(tmp_path / "part.safetensors"))
    assert report.unused == ("backbone.body.fc.weight",)
    assert set(report.missing) == {
        BODY + name for name in body_state() if name.startswith("layer4")
    }
    text = str(report)
    assert f"{len(state)} tensors loaded; {len(report.missing)} missing, so left random" in text
    # four of them are enough
    assert text.count("layer4") == 4
    assert "1 not used (backbone.body.fc.weight)" in text


@pytest.mark.parametrize(
    ("old", "current"),
    [
        # a bare backbone
        ("layer1.0.conv1.weight", "backbone.body.layer1.0.conv1.weight"),
        ("features.0.0.weight", "backbone.body.features.0.0.weight"),
    ],
)
def test_names_of_a_classifier_are_those_of_the_body(old: str, current: str) -> None:
    assert list(with_current_names({old: torch.zeros(1)})) == [current]


@pytest.mark.parametrize(
    ("old", "current"),
    [
        # the pyramid's convolutions lie one level deeper now
        ("backbone.fpn.inner_blocks.2.weight", "backbone.fpn.inner_blocks.2.0.weight"),
        ("backbone.fpn.layer_blocks.0.bias", "backbone.fpn.layer_blocks.0.0.bias"),
        # those on top do not
        ("backbone.fpn.extra_blocks.p6.weight", "backbone.fpn.extra_blocks.p6.weight"),
        # of the subnets every second layer was an activation
        ("head.classification_head.conv.0.weight", "head.classification_head.conv.0.0.weight"),
        ("head.regression_head.conv.6.bias", "head.regression_head.conv.3.0.bias"),
        # the predicting layers were always where they are
        ("head.regression_head.bbox_reg.weight", "head.regression_head.bbox_reg.weight"),
        # names of today
        ("backbone.fpn.inner_blocks.2.0.weight", "backbone.fpn.inner_blocks.2.0.weight"),
        ("head.classification_head.conv.3.0.weight", "head.classification_head.conv.3.0.weight"),
        ("head.classification_head.conv.3.1.weight", "head.classification_head.conv.3.1.weight"),
        ("backbone.body.layer1.0.conv1.weight", "backbone.body.layer1.0.conv1.weight"),
    ],
)
def test_torchvisions_old_names_become_those_of_today(old: str, current: str) -> None:
    # a whole detector
    state = {"backbone.body.conv1.weight": torch.zeros(1), old: torch.ones(1)}
    assert list(with_current_names(state)) == ["backbone.body.conv1.weight", current]


def with_old_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    flat = {re.sub(r"(_blocks\.\d)\.0\.", r"\1.", name): v for name, v in state.items()}
    return {
        re.sub(r"conv\.(\d)\.0\.", lambda found: f"conv.{2 * int(found[1])}.", name)
        if name.startswith("head.")
        else name: value
        for name, value in flat.items()
    }


def test_a_detector_under_old_names_is_loaded_whole(tmp_path: Path) -> None:
    state = network_of(CONFIG).state_dict()
    old = with_old_names(state)
    assert len(set(old) - set(state)) == 12 + 8
    torch.save(old, tmp_path / "old.pth")
    network = network_of(CONFIG, seed=8)
    report = load_weights(network, read_weights(tmp_path / "old.pth"))
    assert (report.missing, report.unused, report.other_shape) == ((), (), ())
    for name, value in floating(network.state_dict()).items():
        assert torch.equal(value, state[name]), name


class Dangerous:
    """Would run code when unpickled."""

    def __reduce__(self) -> tuple:
        return (print, ("code was run",))


@pytest.mark.parametrize("load", [checkpoint.load, read_weights])
def test_code_in_a_file_is_never_run(
    load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"x": Dangerous()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match=r"evil.pth"):
        load(tmp_path / "evil.pth")
    assert "code was run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),  # an empty file
        (b"PK\x03\x04 and then nothing", "damaged"),  # the beginning of an archive
        (None, "no such file"),  # no file at all
    ],
)
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_file_that_is_damaged_or_missing_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name}: {message}"):
        read_weights(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        [torch.zeros(1)],  # a list of tensors without a name
        {"state_dict": {"conv1.weight": torch.zeros(1)}},  # tensors one level too deep
        {"conv1.weight": torch.zeros(1), "epoch": 3},  # more than tensors
    ],
)
def test_a_file_of_anything_but_tensors_by_name_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(ModelError, match=r"x\.pth: no state dict found"):
        read_weights(tmp_path / "x.pth")


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "wide.safetensors")
    weights = read_weights(tmp_path / "wide.safetensors")
    with pytest.raises(ModelError, match=r"no tensor fits a resnet18 of width 0.125"):
        load_weights(network_of(CONFIG), weights)
