"""Freezing: which parts of a network training leaves as they were loaded."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from .retinanet import RetinaNet
from .weights.state_dict import BODY


def freeze(
    network: RetinaNet, loaded: Collection[str], *, whole: bool, stem: bool
) -> list[nn.Module]:
    """Stop the gradient of what was loaded of the backbone, and of nothing else.

    loaded: names of the parameters that are not random.
    whole: freeze all of it.
    stem: freeze what comes before stride 8.

    Returns the layers that are frozen.
    """
    stems = {id(m) for part in network.backbone.body.stem() for m in part.modules()}
    frozen = []
    for name, module in network.backbone.body.named_modules():
        own = [f"{BODY}{name}.{key}" for key, _ in module.named_parameters(recurse=False)]
        # statistics that were not loaded must adapt; the count of batches is none of them
        own += [
            f"{BODY}{name}.{key}"
            for key, value in module.named_buffers(recurse=False)
            if value.is_floating_point()
        ]
        wanted = whole or (stem and id(module) in stems)
        if own and wanted and all(key in loaded for key in own):
            module.requires_grad_(False)
            frozen.append(module)
    return frozen


def frozen_norms(
    network: RetinaNet, frozen: Collection[nn.Module], *, all_norms: bool
) -> list[nn.Module]:
    """The batch normalisations whose statistics are to stay as they are.

    frozen: layers that are frozen, as `freeze` gives them.
    all_norms: every one, frozen or not.
    """
    modules = network.modules() if all_norms else frozen
    return [module for module in modules if isinstance(module, nn.BatchNorm2d)]
