"""torchvision's state dicts: every name is understood, and the outputs are torchvision's."""

from pathlib import Path
from typing import Any

import pytest
import reference_retinanet as reference
import torch
from published_names import Shapes, classifier, random_state, retinanet
from torch import Tensor

from export.backbone import BACKBONES, make_backbone
from export.boxes import decode
from export.retinanet import RetinaNet, RetinaNetConfig
from export.weights.shape import network_shape
from export.weights.state_dict import WeightsReport, load_weights, read_weights

TOLERANCE = 1e-4
CLASSES = ("mask", "noMask", "maskBelowNose")
# sides of which even the map of the coarsest stride is a whole part
WHOLE_SIDES = (128, 256)
OTHER_SIDES = (96, 160)

DETECTORS = [
    # torchvision's first RetinaNet, as published
    pytest.param(retinanet("resnet18", 64, 16, 3, second=False, nested=False), id="first, flat"),
    # and as torchvision saves it today
    pytest.param(retinanet("resnet18", 64, 16, 3, second=False), id="first, nested"),
    # group normalisation in groups of 2, P6 from C5; blocks of three convolutions
    pytest.param(retinanet("resnet50", 8, 64, 3, second=True), id="second"),
]


def loaded(state: dict[str, Tensor], folder: Path) -> tuple[RetinaNet, WeightsReport]:
    """A network made from a state dict's file alone."""
    torch.save(state, folder / "published.pth")
    weights = read_weights(folder / "published.pth")
    network = RetinaNet(RetinaNetConfig(CLASSES, **network_shape(weights)))
    return network.eval(), load_weights(network, weights)


def pictures(sides: tuple[int, int]) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (2, *sides, 3), generator=generator, dtype=torch.uint8)


def difference(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    return (found.double() - expected).abs().max().item()


@pytest.mark.parametrize("shapes", DETECTORS)
@torch.no_grad()
def test_raw_outputs_of_a_published_state_dict_are_those_of_the_papers(
    shapes: Shapes, tmp_path: Path
) -> None:
    state = random_state(shapes)
    # a width of the first anchor beyond what is exponentiated
    state["head.regression_head.bbox_reg.bias"][2] = 9.0
    network, report = loaded(state, tmp_path)
    assert (report.missing, report.unused, report.other_shape) == ((), (), ())
    own = network.state_dict()
    assert report.loaded == {n for n in own if not n.endswith("num_batches_tracked")}
    logits, deltas, anchors = network(pictures(WHOLE_SIDES))
    expected = reference.raw_outputs(state, pictures(WHOLE_SIDES))
    assert expected.logits.std() > 0.1
    assert expected.deltas.std() > 0.1
    assert difference(logits, expected.logits) < TOLERANCE
    assert difference(deltas, expected.deltas) < TOLERANCE
    assert difference(anchors, expected.anchors) < TOLERANCE
    # in units of the anchor, as the deltas are: the largest are 1000 pixels wide
    sides = (expected.anchors[:, 2:] - expected.anchors[:, :2]).repeat(1, 2)
    assert difference(decode(deltas, anchors) / sides, expected.boxes / sides) < TOLERANCE


@torch.no_grad()
def test_where_no_stride_of_128_fits_only_the_anchors_of_p6_and_p7_leave_torchvisions(
    tmp_path: Path,
) -> None:
    state = random_state(retinanet("resnet18", 64, 16, 3, second=False))
    network, _ = loaded(state, tmp_path)
    logits, deltas, anchors = network(pictures(OTHER_SIDES))
    expected = reference.raw_outputs(state, pictures(OTHER_SIDES))
    assert difference(logits, expected.logits) < TOLERANCE
    assert difference(deltas, expected.deltas) < TOLERANCE
    shared = 9 * sum(height * width for height, width in expected.shapes[:3])
    assert difference(anchors[:shared], expected.anchors[:shared]) < TOLERANCE
    strides = [(stride, stride) for stride in (8, 16, 32, 64, 128)]
    on_strides = reference.all_anchors(expected.shapes, strides)
    assert difference(anchors, on_strides) < TOLERANCE
    assert difference(on_strides[shared:], expected.anchors[shared:]) > 1


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "mobilenet_v2"])
@torch.no_grad()
def test_maps_of_a_published_classifier_are_those_of_the_papers(name: str, tmp_path: Path) -> None:
    state = random_state(classifier(name))
    for key, value in state.items():
        # one channel of every layer reaches the 6 at which MobileNetV2 cuts it
        if key.endswith("running_mean"):
            value[0] -= 12
    network, report = loaded(state, tmp_path)
    assert report.missing == ()
    x = reference.normalised(pictures(WHOLE_SIDES))
    maps = reference.mobilenet_maps if name == "mobilenet_v2" else reference.resnet_maps
    expected = maps({n: value.double() for n, value in state.items()}, "", x)
    for found, wanted in zip(network.backbone.body(x.float()), expected, strict=True):
        assert wanted.std() > 0.1
        assert difference(found, wanted) < TOLERANCE


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_has_the_published_tensors_less_the_classifier(name: str) -> None:
    with torch.device("meta"):
        own = {n: tuple(v.shape) for n, v in make_backbone(name).state_dict().items()}
    # MobileNetV2's last convolution only widens the map for the classifier
    left_out = ("fc.", "classifier.", "features.18.")
    published = {n: s for n, s in classifier(name).items() if not n.startswith(left_out)}
    assert own == published


@pytest.mark.parametrize(
    ("second", "parameters"),
    [
        # torchvision's count for retinanet_resnet50_fpn, with the 26560 scales and as many offsets
        # of its batch normalisations, which are frozen and which it does not count
        (False, 34_014_999 + 2 * 26_560),
        # torchvision's count for retinanet_resnet50_fpn_v2
        (True, 38_198_935),
    ],
)
def test_a_detector_has_the_published_tensors_and_as_many_parameters(
    second: bool, parameters: int
) -> None:
    coco = tuple(str(index) for index in range(91))
    shape = {"head_norm": "group", "p6_from": "c5"} if second else {}
    config = RetinaNetConfig(coco, "resnet50", fpn_channels=256, subnet_depth=4, **shape)
    with torch.device("meta"):
        network = RetinaNet(config)
    own = {n: tuple(v.shape) for n, v in network.state_dict().items()}
    assert own == retinanet("resnet50", 64, 256, 91, second=second)
    assert sum(p.numel() for p in network.parameters()) == parameters


def shape_of(shapes: Shapes, folder: Path) -> dict[str, Any]:
    """What a file with tensors of these names and shapes says of its network."""
    torch.save({n: torch.zeros(()).expand(s) for n, s in shapes.items()}, folder / "zeros.pth")
    return network_shape(read_weights(folder / "zeros.pth"))


@pytest.mark.parametrize("name", BACKBONES)
def test_a_published_classifier_says_which_backbone_it_is(name: str, tmp_path: Path) -> None:
    blocks = {"expansion": 6, "fused": False} if name == "mobilenet_v2" else {}
    assert shape_of(classifier(name), tmp_path) == {"backbone": name, "width": 1.0, **blocks}


@pytest.mark.parametrize(
    ("shapes", "norm", "p6_from"),
    [
        # retinanet_resnet50_fpn as published
        (retinanet("resnet50", 64, 256, 91, second=False, nested=False), "none", "p5"),
        # and as torchvision saves it today
        (retinanet("resnet50", 64, 256, 91, second=False), "none", "p5"),
        # retinanet_resnet50_fpn_v2
        (retinanet("resnet50", 64, 256, 91, second=True), "group", "c5"),
    ],
)
def test_a_published_detector_says_how_it_is_built(
    shapes: Shapes, norm: str, p6_from: str, tmp_path: Path
) -> None:
    assert shape_of(shapes, tmp_path) == {
        "backbone": "resnet50",
        "width": 1.0,
        "fpn_channels": 256,
        "subnet_depth": 4,
        "head_norm": norm,
        "p6_from": p6_from,
    }


def test_a_class_head_for_the_91_classes_of_coco_starts_anew_and_the_rest_is_taken(
    tmp_path: Path,
) -> None:
    shapes = retinanet("resnet18", 8, 16, 91, second=False, nested=False)
    network, report = loaded(random_state(shapes), tmp_path)
    head = (
        "head.classification_head.cls_logits.bias",
        "head.classification_head.cls_logits.weight",
    )
    assert (report.missing, report.unused, report.other_shape) == ((), (), head)
    assert len(report.loaded) == len(shapes) - 2
    assert "the class head is for other classes or anchors and starts anew" in str(report)
    # the prior of an untrained network
    bias = network.state_dict()[head[0]]
    assert torch.allclose(bias.sigmoid(), torch.full_like(bias, network.config.prior))
