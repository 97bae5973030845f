"""Thinning: the channels of a wide network that a narrower one starts with.

Liu et al. 2017, https://arxiv.org/abs/1708.06519, judge a channel by the scale of its
normalisation; here also by what the next convolution makes of it.
"""

from __future__ import annotations

import re

from torch import Tensor

# of an inverted residual: what makes its inner channels, filters each, and joins them
BLOCK = re.compile(r"(.*features\.\d+\.conv)\.2\.weight")
INNER = tuple(
    f"{layer}.{part}"
    for layer in ("0.0", "0.1", "1.0", "1.1")
    for part in ("weight", "bias", "running_mean", "running_var")
)


def thinned(state: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with only as many inner channels an inverted residual as are wanted.

    Those stay that count most in what the residual gives; everything else stays as it is.

    state: of a MobileNetV2, or of anything else, which is returned as it is.
    wanted: tensors of the network that is to take them.
    """
    result = dict(state)
    for name, joining in state.items():
        found = BLOCK.fullmatch(name)
        if not found or name not in wanted or f"{found[1]}.1.1.weight" not in state:
            continue
        count = wanted[name].shape[1]
        if wanted[name].shape[0] != joining.shape[0] or count >= joining.shape[1]:
            continue
        scale = state[f"{found[1]}.1.1.weight"].abs()
        weight = scale * joining.abs().sum(dim=(0, 2, 3))
        kept = weight.topk(count).indices.sort().values
        result[name] = joining[:, kept]
        for inner in INNER:
            if (key := f"{found[1]}.{inner}") in state:
                result[key] = state[key][kept]
    return result
