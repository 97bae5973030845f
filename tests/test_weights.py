"""Weights: published tensors find their place by name, and what does not fit is said."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from export import checkpoint
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights import load_weights
from monitor.errors import ModelError

CONFIG = RetinaNetConfig(
    ("mask", "noMask"), "resnet18", width=0.125, fpn_channels=8, subnet_depth=1
)


def body_state(config: RetinaNetConfig) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    body = RetinaNet(config).backbone.body.state_dict()
    return {n: v.half().contiguous() for n, v in body.items() if v.is_floating_point()}


def test_a_backbone_in_half_precision_is_loaded_whole(tmp_path: Path) -> None:
    state = body_state(CONFIG)
    save_file(state, tmp_path / "body.safetensors")
    network = RetinaNet(CONFIG)
    report = load_weights(network, tmp_path / "body.safetensors")
    assert (report.loaded, report.missing, report.unused) == (len(state), (), ())
    for name, value in network.backbone.body.state_dict().items():
        if name in state:
            assert torch.equal(value, state[name].float())


def test_a_whole_detector_is_loaded_and_a_head_of_another_size_said_so(tmp_path: Path) -> None:
    other = RetinaNet(RetinaNetConfig(("a",), "resnet18", 0.125, fpn_channels=8, subnet_depth=1))
    torch.save(other.state_dict(), tmp_path / "detector.pth")
    report = load_weights(RetinaNet(CONFIG), tmp_path / "detector.pth")
    assert report.other_shape == tuple(
        f"head.classification_head.cls_logits.{part}" for part in ("bias", "weight")
    )
    assert "2 other shape" in str(report)


def test_what_a_partial_backbone_lacks_is_named(tmp_path: Path) -> None:
    state = {n: v for n, v in body_state(CONFIG).items() if not n.startswith("layer4")}
    save_file(state | {"fc.weight": torch.zeros(3)}, tmp_path / "part.safetensors")
    report = load_weights(RetinaNet(CONFIG), tmp_path / "part.safetensors")
    assert report.unused == ("backbone.body.fc.weight",)
    assert report.missing
    assert all(name.startswith("backbone.body.layer4") for name in report.missing)


class Dangerous:
    """Would run code when unpickled."""

    def __reduce__(self) -> tuple:
        return (print, ("code was run",))


@pytest.mark.parametrize("load", [checkpoint.load, lambda path: load_weights(None, path)])
def test_code_in_a_file_is_never_run(
    load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"x": Dangerous()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match=r"evil.pth"):
        load(tmp_path / "evil.pth")
    assert "code was run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [
        b"",  # an empty file
        b"PK\x03\x04 and then nothing",  # the beginning of an archive
    ],
)
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=name):
        load_weights(RetinaNet(CONFIG), tmp_path / name)


def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "wide.safetensors")
    with pytest.raises(ModelError, match=r"no tensor fits a resnet18 of width 0.125"):
        load_weights(RetinaNet(CONFIG), tmp_path / "wide.safetensors")
