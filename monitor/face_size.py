"""The size of a face that a model and a policy can judge, in pixels of a camera's frame."""

from __future__ import annotations

import math

from .contract import LARGEST_SIDE_PX, Contract

# An anchor learned a face that it overlapped at least by half, so down to half of its own area.
_SMALLEST_SHARE = math.sqrt(0.5)


def smallest_face_px(
    contract: Contract, *, width_px: int, height_px: int, ignored_below_px: float
) -> float:
    """The side, square root of width times height, from which a face in a frame can be judged.

    A network that was trained with anchors knows no face that is much smaller than the smallest of
    them, in the picture as the network gets it. A file that does not name its anchors leaves only
    what the policy asks for.

    width_px, height_px: of the frame.
    ignored_below_px: smaller faces are ignored by the policy.
    """
    anchors = contract.training.get("anchor_sizes")
    if not isinstance(anchors, list) or not all(map(_is_side, anchors)):
        return ignored_below_px
    network_width_px, network_height_px = contract.resize.size(width_px, height_px)
    shrunk = math.sqrt(width_px * height_px / (network_width_px * network_height_px))
    return max(ignored_below_px, min(anchors, default=0.0) * _SMALLEST_SHARE * shrunk)


def _is_side(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value <= LARGEST_SIDE_PX
