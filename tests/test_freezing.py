"""Freezing: what was loaded stays as it was, and what was not is learnt."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from export.backbone import BACKBONES
from export.freezing import freeze, frozen_norms
from export.optimisers import make_optimiser
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights.state_dict import BODY


def small_network(backbone: str = "resnet18") -> RetinaNet:
    torch.manual_seed(0)
    return RetinaNet(
        RetinaNetConfig(("mask", "noMask"), backbone, 0.125, fpn_channels=8, subnet_depth=1)
    )


def everything(network: RetinaNet) -> set[str]:
    return set(network.state_dict())


def learns(network: RetinaNet) -> set[str]:
    return {name for name, value in network.named_parameters() if value.requires_grad}


def below(network: RetinaNet, *modules: str) -> set[str]:
    """Names of the parameters of these modules of the backbone."""
    prefixes = tuple(f"{BODY}{module}." for module in modules)
    return {name for name, _ in network.named_parameters() if name.startswith(prefixes)}


STEM = ("conv1", "bn1", "layer1")
BEHIND = ("layer2", "layer3", "layer4")


@pytest.mark.parametrize(
    ("whole", "stem", "frozen"),
    [
        (False, False, ()),  # nothing asked for
        (False, True, STEM),  # what comes before stride 8
        (True, False, (*STEM, *BEHIND)),  # the backbone, and nothing behind it
        (True, True, (*STEM, *BEHIND)),  # both
    ],
)
def test_what_was_loaded_is_frozen_as_far_as_asked_for(
    whole: bool, stem: bool, frozen: tuple[str, ...]
) -> None:
    network = small_network()
    before = learns(network)
    freeze(network, everything(network), whole=whole, stem=stem)
    assert before - learns(network) == below(network, *frozen)


def test_the_stem_of_mobilenet_ends_before_stride_8_too() -> None:
    network = small_network("mobilenet_v2")
    before = learns(network)
    freeze(network, everything(network), whole=False, stem=True)
    # features.4 is the first of stride 8: table 2 of the paper
    assert before - learns(network) == below(network, *(f"features.{n}" for n in range(4)))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_whole_backbone_leaves_none_of_its_parameters_to_learn(backbone: str) -> None:
    with torch.device("meta"):
        network = small_network(backbone)
    freeze(network, everything(network), whole=True, stem=False)
    assert learns(network)
    assert not any(name.startswith(BODY) for name in learns(network))


@pytest.mark.parametrize(
    ("lacking", "still_learns"),
    [
        ("layer4.", ("layer4",)),  # a stage without weights
        ("layer2.0.downsample.0.", ("layer2.0.downsample.0",)),  # a single convolution
        ("bn1.bias", ("bn1",)),  # half of a layer: all of it is learnt
        ("", (*STEM, *BEHIND)),  # no weights at all
    ],
)
def test_what_has_no_weights_is_not_frozen(lacking: str, still_learns: tuple[str, ...]) -> None:
    network = small_network()
    loaded = {name for name in everything(network) if not name.startswith(BODY + lacking)}
    freeze(network, loaded, whole=True, stem=True)
    assert {n for n in learns(network) if n.startswith(BODY)} == below(network, *still_learns)


def one_step(network: RetinaNet, still: list[nn.Module]) -> dict[str, Tensor]:
    """State after a step on noise, as training takes it."""
    network.train()
    for module in still:
        module.eval()
    optimiser = make_optimiser("sgd", network, weight_decay=0.1)
    logits, deltas, _ = network(255 * torch.rand(2, 64, 64, 3))
    (logits.square().sum() + deltas.square().sum()).backward()
    optimiser.step()
    return network.state_dict()


def changed(network: RetinaNet, still: list[nn.Module]) -> set[str]:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = one_step(network, still)
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


def is_statistic(name: str) -> bool:
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def test_a_step_moves_neither_weights_nor_statistics_of_frozen_layers() -> None:
    network = small_network()
    frozen = freeze(network, everything(network), whole=False, stem=True)
    moved = changed(network, frozen_norms(network, frozen, all_norms=False))
    still = tuple(f"{BODY}{module}." for module in STEM)
    assert not {name for name in moved if name.startswith(still)}
    # everything else does move, statistics included
    assert moved == {name for name in everything(network) if not name.startswith(still)}


@pytest.mark.parametrize(
    ("loaded", "all_norms", "adapt"),
    [
        (lambda network: set(), False, True),  # none is frozen
        (everything, False, False),  # frozen with its layer
        (lambda network: set(), True, False),  # all of them, frozen or not
    ],
)
def test_statistics_stay_where_layers_are_frozen_or_all_are_asked_for(
    loaded: Callable[[RetinaNet], set[str]], all_norms: bool, adapt: bool
) -> None:
    network = small_network()
    frozen = freeze(network, loaded(network), whole=True, stem=False)
    still = frozen_norms(network, frozen, all_norms=all_norms)
    statistics = {name for name in everything(network) if is_statistic(name)}
    assert changed(network, still) & statistics == (statistics if adapt else set())
