"""The mean of snapshots: a network between others, to be exported like any."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from training_cases import SMALL, drawn_set

from export import checkpoint
from export.__main__ import main
from export.mean import mean_of
from export.retinanet import RetinaNet
from export.weights.folding import folded_into, refold, with_norms
from export.weights.unfolding import unfold


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def snapshots(data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two trainings, the second begun from the first."""
    folder = tmp_path_factory.mktemp("snapshots")
    paths = [folder / "a" / "last.pt", folder / "b" / "last.pt"]
    words = ["--epochs", "1", "--no-evaluation", "--average-decay", "0.5"]
    first = ["--snapshot-path", str(paths[0].parent), *SMALL, *words]
    assert main(["train", *first, "pascal", str(data_set)]) == 0
    start = [word for word in SMALL if word != "--no-weights"]
    second = ["--snapshot-path", str(paths[1].parent), "--weights", str(paths[0]), *start, *words]
    assert main(["train", *second, "pascal", str(data_set)]) == 0
    return paths


@pytest.fixture(scope="module")
def mean(snapshots: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mean") / "mean.pt"
    assert main(["mean", str(path), *map(str, snapshots)]) == 0
    return path


@torch.no_grad()
def parameters(network: RetinaNet) -> list[Tensor]:
    """Weights and biases of all convolutions, the normalisations after them folded into them."""
    found: list[Tensor] = []
    for convolution, norm in with_norms(network):
        if norm is not None:
            found += folded_into(convolution, norm)
        else:
            found += convolution.parameters()
    return found


def test_what_each_convolution_does_lies_in_the_middle(mean: Path, snapshots: list[Path]) -> None:
    first, second, between = (
        parameters(checkpoint.load_network(path)[0]) for path in (*snapshots, mean)
    )
    moved = 0
    for a, b, value in zip(first, second, between, strict=True):
        assert torch.allclose(value, (a + b) / 2, atol=1e-5)
        moved += not torch.equal(a, b)
    assert moved > 10


@torch.no_grad()
def test_a_network_that_does_the_same_with_other_weights_changes_nothing(
    snapshots: list[Path],
) -> None:
    network, _ = checkpoint.load_network(snapshots[1])
    same, _ = checkpoint.load_network(snapshots[1])
    pictures = torch.randint(0, 255, (2, 64, 64, 3), dtype=torch.uint8)
    # as it comes back from an exported file, for which its normalisations were folded away
    for convolution, norm in with_norms(same):
        if norm is not None:
            refold(convolution, norm, *folded_into(convolution, norm))
    unfold(same, [pictures])
    assert not torch.equal(*(n.backbone.body.bn1.running_var for n in (network, same)))
    for order in ([network, same], [same, network]):
        for wanted, found in zip(network(pictures), mean_of(order)(pictures), strict=True):
            assert torch.allclose(found, wanted, atol=1e-3)


def test_it_says_whose_mean_it_is_and_has_no_figures_of_theirs(mean: Path) -> None:
    content = checkpoint.load(mean)
    assert content["arguments"]["mean_of"] == ["last.pt", "last.pt"]
    assert content["history"] == []


def test_it_can_be_started_from_and_not_continued(
    mean: Path, data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = [word for word in SMALL if word != "--no-weights"]
    once = ["--snapshot-path", str(tmp_path), *start, "--epochs", "1", "--no-evaluation"]
    assert main(["train", *once, "--weights", str(mean), "pascal", str(data_set)]) == 0
    capsys.readouterr()
    assert main(["train", *once, "--snapshot", str(mean), "pascal", str(data_set)]) == 2
    assert "a mean of snapshots found, expected one of a training" in capsys.readouterr().err


def test_another_network_has_no_mean_with_it(
    snapshots: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = checkpoint.load(snapshots[0])
    content.pop("format")
    content["resize"] |= {"max_side_px": 160}
    checkpoint.save(tmp_path / "other.pt", content)
    words = [str(snapshots[0]), str(tmp_path / "other.pt")]
    assert main(["mean", str(tmp_path / "mean.pt"), *words]) == 2
    said = capsys.readouterr().err
    assert "other.pt: max_side_px 160 found, expected 128, as in " in said
    assert not (tmp_path / "mean.pt").exists()


def test_a_snapshot_from_before_an_option_is_one_of_its_default(
    snapshots: list[Path], tmp_path: Path
) -> None:
    content = checkpoint.load(snapshots[0])
    content.pop("format")
    content["config"].pop("fused")
    checkpoint.save(tmp_path / "old.pt", content)
    for order in ([snapshots[0], tmp_path / "old.pt"], [tmp_path / "old.pt", snapshots[0]]):
        assert main(["mean", str(tmp_path / "mean.pt"), *map(str, order)]) == 0


def test_one_snapshot_has_no_mean(
    snapshots: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mean", str(tmp_path / "mean.pt"), str(snapshots[0])]) == 2
    assert "one found, expected two or more" in capsys.readouterr().err
