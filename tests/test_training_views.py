"""Views as training sees them: boxes on their objects, and the right way up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from picture_files import write
from training_views import COLOURS, pictures_of_squares, set_of

from export.datasets import Sample
from export.views import transforms
from export.views.transforms import Augmentation

VIEWS = 40


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return pictures_of_squares(tmp_path_factory.mktemp("squares"))


@pytest.fixture
def true_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the light as it is, so that colours can be recognised."""
    monkeypatch.setattr(transforms, "recoloured", lambda image, rng: image)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_boxes_lie_on_their_objects_in_parts_of_one_picture_and_of_four(
    squares: list[Sample], mosaic: float, true_colours: None
) -> None:
    views = set_of(squares, Augmentation(96, mosaic, upside_down=0.3))
    shown = Counter()
    for position in range(VIEWS):
        picture, target = views[position, position % len(squares)]
        assert picture.shape == (96, 96, 3)
        shown.update(target.labels.tolist())
        for (x1, y1, x2, y2), label in zip(
            target.boxes.tolist(), target.labels.tolist(), strict=True
        ):
            assert 0 <= x1 < x2 <= 96
            assert 0 <= y1 < y2 <= 96
            # scaled up twice, a hard edge smears over less than 3 px
            inside = picture[round(y1) + 3 : round(y2) - 3, round(x1) + 3 : round(x2) - 3]
            assert np.abs(inside.numpy() - COLOURS[label]).max(initial=0) <= 8
    assert shown[0] > 0
    assert shown[1] > 0


def test_a_mosaic_shows_four_pictures_and_the_one_asked_for_first(
    tmp_path: Path, true_colours: None
) -> None:
    # pictures of one shade without an object, large enough never to be padded
    samples = [
        Sample(
            write(tmp_path / f"{shade}.png", np.full((400, 400, 3), shade, np.uint8)),
            np.zeros((0, 4), np.float32),
            (),
        )
        for shade in range(0, 250, 10)
    ]
    views = set_of(samples, Augmentation(64, mosaic=1.0))
    quarters = []
    for position in range(VIEWS):
        picture, _ = views[position, 7]
        for y in (0, 32):
            for x in (0, 32):
                shades = picture[y : y + 32, x : x + 32].unique().tolist()
                assert len(shades) == 1
                quarters += shades
    assert quarters[::4] == [70] * VIEWS
    # the other three are any: 120 draws leave out one or two of 25
    assert len(set(quarters)) > 20


@pytest.mark.parametrize(
    ("share", "least", "most"),
    [
        (0.0, 0, 0),  # not asked for: never
        (0.5, 10, 30),  # half of the views, and 10 of 40 are three deviations less
        (1.0, VIEWS, VIEWS),  # always
    ],
)
@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_no_view_is_upside_down_unless_asked_for(
    tmp_path: Path, share: float, least: int, most: int, mosaic: float, true_colours: None
) -> None:
    # light above and dark below, and large enough never to be padded
    image = np.repeat(np.linspace(200, 50, 600).astype(np.uint8)[:, None, None], 600, axis=1)
    path = write(tmp_path / "light.png", np.repeat(image, 3, axis=2))
    sample = Sample(path, np.array([[250, 250, 350, 350]], np.float32), ("mask",))
    views = set_of([sample], Augmentation(128, mosaic, upside_down=share))
    # the upper left part of a mosaic is one picture too
    side = 64 if mosaic else 128
    turned = 0
    for position in range(VIEWS):
        rows = views[position, 0][0][:side, :side].float().mean(dim=(1, 2))
        turned += bool(rows[: side // 4].mean() < rows[-side // 4 :].mean())
    assert least <= turned <= most
