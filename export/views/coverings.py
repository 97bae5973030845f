"""Coverings: bare faces of a picture with something drawn before them, and masks without a face."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.detections import FloatArray
from monitor.drawing.covering import draw_covering
from monitor.drawing.face import face_box
from monitor.drawing.look import Look, Pose
from monitor.drawing.person import Light
from monitor.frame import Image

IntArray = npt.NDArray[np.int64]

# below this a mask under the nose cannot be told from one over it
_NOSE_SHOWS_PX = 28.0
_SMALLEST_FACE_PX = 14.0
_LOST_MASK_SHARE = 0.08


@dataclass(frozen=True)
class Coverings:
    """How often, and what becomes of the labels.

    share: of the bare faces that get something drawn before them, 0 to 1.
    bare, masked: columns of the two classes. A face stays `bare` under a hand, a scarf, a mask
        below the nose or the chin, and becomes `masked` only under a mask over nose and mouth.
    """

    share: float
    bare: int
    masked: int

    def draw(
        self, image: Image, boxes: FloatArray, labels: IntArray, rng: np.random.Generator
    ) -> IntArray:
        """Cover some bare faces of a picture, and now and then add a mask that nobody wears.

        image: uint8 [H, W, 3], BGR, drawn into.
        boxes: float32 [N, 4], xyxy pixels, of faces from forehead to chin, as the drawn scenes have
            them.
        labels: int64 [N], columns of the class scores.

        Returns the labels that the faces now deserve.
        """
        labels = labels.copy()
        light = Light.draw_lots(rng)
        for row, box in enumerate(boxes):
            side_px = float(np.sqrt((box[2:] - box[:2]).prod()))
            if labels[row] != self.bare or side_px < _SMALLEST_FACE_PX or _is_cut(image, box):
                continue
            if rng.random() < self.share:
                pose, worn = _pose(box, side_px, rng)
                look = replace(Look.draw_lots(rng), skin=_skin(image, box))
                draw_covering(image, look, pose, light)
                labels[row] = self.masked if worn else self.bare
        if rng.random() < _LOST_MASK_SHARE:
            _lose_mask(image, boxes, light, rng)
        return labels


def _is_cut(image: Image, box: FloatArray) -> bool:
    """Whether a face may go on beyond the picture, so that nobody knows where its nose is."""
    height_px, width_px = image.shape[:2]
    return bool((box[:2] <= 0).any() or box[2] >= width_px or box[3] >= height_px)


def _pose(box: FloatArray, side_px: float, rng: np.random.Generator) -> tuple[Pose, bool]:
    """What is held before the face in a box, and whether that is a mask worn as it should be."""
    way = rng.random()
    mask: float | None = None
    hands: tuple[tuple[float, float], ...] = ()
    if way < 0.55:
        mask = float(rng.uniform(1.0, 1.12))
    elif way < 0.75 and side_px >= _NOSE_SHOWS_PX:
        mask = float(rng.uniform(0.4, 0.54))
    elif way < 0.82:
        mask = float(rng.uniform(0.0, 0.12))
    elif way < 0.93:
        hands = ((float(rng.normal(0, 0.35)), float(rng.uniform(0.6, 1.1))),)
    pose = Pose(
        0.0,
        0.0,
        2.0,
        tilt=float(rng.normal(0, 0.1)),
        turn=float(np.clip(rng.normal(0, 0.3), -0.6, 0.6)),
        nod=float(rng.normal(0.05, 0.1)),
        mask=mask,
        hands=hands,
        scarf=way >= 0.93,
    )
    return _fitted(pose, box), way < 0.55


def _fitted(pose: Pose, box: FloatArray) -> Pose:
    """The pose at the place and of the size that make a drawn face fill the box."""
    drawn = face_box(_AVERAGE_LOOK, pose)
    wide, tall = (box[2:] - box[:2]) / (drawn[2:] - drawn[:2])
    half = float(wide + tall) / 2
    x = float((box[0] + box[2]) / 2 - half * (drawn[0] + drawn[2]) / 2)
    y = float(box[3] - half * drawn[3])
    return replace(pose, x=x, y=y, face_px=2 * half)


def _skin(image: Image, box: FloatArray) -> tuple[float, float, float]:
    """The colour of the face in a box, BGR, from around its eyes and cheeks."""
    x1, y1, x2, y2 = box.round().astype(int)
    left, right = (round(x1 + share * (x2 - x1)) for share in (0.3, 0.7))
    top, bottom = (round(y1 + share * (y2 - y1)) for share in (0.3, 0.6))
    blue, green, red = np.median(image[top:bottom, left:right].reshape(-1, 3), axis=0)
    return float(blue), float(green), float(red)


def _lose_mask(image: Image, boxes: FloatArray, light: Light, rng: np.random.Generator) -> None:
    """Draw a mask into a picture where no face is."""
    height_px, width_px = image.shape[:2]
    side_px = float(np.exp(rng.uniform(np.log(14), np.log(width_px / 3))))
    corner = rng.uniform((0, 0), (width_px - side_px, height_px - side_px))
    box = np.concatenate([corner, corner + side_px]).astype(np.float32)
    apart = (boxes[:, :2] > box[2:]) | (boxes[:, 2:] < box[:2])
    if not apart.any(axis=1).all():
        return
    pose = replace(_fitted(Pose(0.0, 0.0, 2.0), box), mask=1.0, tilt=float(rng.normal(0, 0.6)))
    draw_covering(image, Look.draw_lots(rng), pose, light)


_AVERAGE_LOOK = replace(Look.draw_lots(np.random.default_rng(0)), jaw=0.97)
