"""Thinning: the channels of a wide network that a narrower one starts with.

Liu et al. 2017, https://arxiv.org/abs/1708.06519, judge a channel by the scale of its
normalisation; here also by what the next convolution makes of it.
"""

from __future__ import annotations

import re

from torch import Tensor

# what joins the inner channels of an inverted residual; the first one lets the stem make them
JOINING = re.compile(r"(.*features\.)(?:(1)\.conv\.1|(\d+)\.conv\.2)\.weight")
# of a convolution and its normalisation
PARTS = tuple(
    f"{n}.{part}" for n in "01" for part in ("weight", "bias", "running_mean", "running_var")
)


def thinned(state: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with only as many inner channels an inverted residual as are wanted.

    Those stay that count most in what the residual gives; everything else stays as it is.

    state: of a MobileNetV2, or of anything else, which is returned as it is.
    wanted: tensors of the network that is to take them.
    """
    result = dict(state)
    for name, joining in state.items():
        making, filtering = inner_layers(name)
        if name not in wanted or f"{filtering}.1.weight" not in state:
            continue
        count = wanted[name].shape[1]
        if wanted[name].shape[0] != joining.shape[0] or count >= joining.shape[1]:
            continue
        scale = state[f"{filtering}.1.weight"].abs()
        weight = scale * joining.abs().sum(dim=(0, 2, 3))
        kept = weight.topk(count).indices.sort().values
        result[name] = joining[:, kept]
        for inner in (f"{layer}.{part}" for layer in (making, filtering) for part in PARTS):
            if inner in state:
                result[inner] = state[inner][kept]
    return result


def inner_layers(joining: str) -> tuple[str, str]:
    """Names of what makes the inner channels and of what filters each, given what joins them.

    joining: name of a tensor; both are empty where it joins none.
    """
    found = JOINING.fullmatch(joining)
    if not found:
        return "", ""
    features, first, other = found.groups()
    if first:
        return f"{features}0", f"{features}1.conv.0"
    return f"{features}{other}.conv.0", f"{features}{other}.conv.1"
