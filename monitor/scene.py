"""The drawn scene: the `demo` source with its ground truth, and drawn pictures for training."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from .decision import Door
from .detections import FloatArray
from .drawing.backdrop import draw_backdrop, spoil
from .drawing.canvas import Canvas
from .drawing.face import face_box
from .drawing.lobby import draw_lobby
from .drawing.look import Look, Pose
from .drawing.person import Light, draw_person
from .drawing.script import CAST, DOOR_SPANS, DURATION_SECONDS, Actor
from .drawing.wardrobe import draw_held_mask
from .frame import Image
from .timeline import Span

Label = Literal["mask", "noMask"]

# A mask at least this high covers the nose; see `Pose.mask`.
_COVERS = 0.9
_NOISE_ROOM_PX = 64
# On a smaller face nobody could tell whether the nose is out.
_NOSE_SHOWS_PX = 22.0


class Scene:
    """People come to a door, put masks on and off, and leave; drawn, so that all of it is known.

    seed: who comes, and the colours of the place; what they do is always the same.
    width_px, height_px: the picture's size; the people stand apart at 4:3 and wider.
    fps: frames per second.
    """

    def __init__(self, seed: int, width_px: int, height_px: int, fps: float) -> None:
        rng = np.random.default_rng(seed)
        self.fps = fps
        self.frame_count = int(DURATION_SECONDS * fps)
        self._size = width_px, height_px
        self._seed = seed
        self._looks = [Look.draw_lots(rng) for _ in CAST]
        self._light = Light(x=-0.5, y=-0.5, ambient=0.62, tint=(1.0, 1.03, 1.05))
        self._lobby = draw_lobby(rng, width_px, height_px)
        room = (height_px + _NOISE_ROOM_PX, width_px + _NOISE_ROOM_PX, 3)
        noise = rng.standard_normal(room, np.float32) * 2.5
        self._lighter = np.maximum(noise, 0).astype(np.uint8)
        self._darker = np.maximum(-noise, 0).astype(np.uint8)

    def image(self, index: int) -> Image:
        """Draw frame `index`, uint8 [H, W, 3] BGR; the same bytes whenever it is asked for."""
        image = self._lobby.image.copy()
        for actor, look, pose in sorted(self._present(index), key=lambda part: part[2].face_px):
            draw_person(image, look, pose, self._light)
            if self._is_behind_wall(actor, index):
                cv2.copyTo(self._lobby.image, self._lobby.wall, image)
        down, right = np.random.default_rng((self._seed, index)).integers(0, _NOISE_ROOM_PX, 2)
        part = np.s_[down : down + image.shape[0], right : right + image.shape[1]]
        noisy = cv2.subtract(cv2.add(image, self._lighter[part]), self._darker[part])
        return noisy.astype(np.uint8, copy=False)

    def faces(self, index: int) -> list[tuple[FloatArray, Label]]:
        """Return the faces in frame `index` of which at least half is visible.

        Each is a box, float32 [4], xyxy pixels clipped to what is visible, and its label.
        """
        width_px, height_px = self._size
        found: list[tuple[FloatArray, Label]] = []
        for actor, look, pose in self._present(index):
            box = face_box(look, pose)
            low, high = np.zeros(2), np.array([width_px, height_px])
            if self._is_behind_wall(actor, index):
                low[0], high[0] = self._lobby.opening
            seen = np.concatenate([np.clip(box[:2], low, high), np.clip(box[2:], low, high)])
            if np.prod(seen[2:] - seen[:2]) >= 0.5 * np.prod(box[2:] - box[:2]):
                covered = pose.mask is not None and pose.mask >= _COVERS
                found.append((seen.astype(np.float32), "mask" if covered else "noMask"))
        return found

    def timeline(self) -> tuple[Span, ...]:
        """Return what a door with the policy's default times must be, and when."""
        return tuple(
            Span(start, end, Door.UNLOCKED if unlocked else Door.LOCKED)
            for start, end, unlocked in DOOR_SPANS
        )

    def _present(self, index: int) -> list[tuple[Actor, Look, Pose]]:
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index}: expected 0 to {self.frame_count - 1}")
        cast = zip(CAST, self._looks, strict=True)
        poses = [(actor, look, actor.pose(index / self.fps, *self._size)) for actor, look in cast]
        return [(actor, look, pose) for actor, look, pose in poses if pose is not None]

    def _is_behind_wall(self, actor: Actor, index: int) -> bool:
        return index / self.fps < actor.passes_wall


def demo() -> Scene:
    """Return the scene of the `demo` source."""
    return Scene(seed=8, width_px=640, height_px=360, fps=15.0)


def training_picture(
    rng: np.random.Generator, width_px: int, height_px: int
) -> tuple[Image, FloatArray, list[str]]:
    """Draw a picture of nobody, or of up to six people, with and without masks.

    rng: all that is left to chance comes from it. width_px, height_px: the picture's size.
    Returns the image, uint8 [height_px, width_px, 3] BGR; the boxes of its faces, float32 [N, 4]
    xyxy pixels inside the picture; and their labels, "mask" or "noMask".
    """
    if rng.random() < 0.2:
        image = draw_lobby(rng, width_px, height_px).image
    else:
        image = draw_backdrop(rng, width_px, height_px)
    light = Light.draw_lots(rng)
    boxes: list[FloatArray] = []
    labels: list[str] = []
    count = int(rng.choice(7, p=(0.08, 0.3, 0.22, 0.16, 0.12, 0.07, 0.05)))
    # The smallest stand farthest away, so they are drawn first.
    for face_px in sorted(_face_sizes(rng, count, width_px, height_px)):
        look = Look.draw_lots(rng)
        for _ in range(8):
            pose, label = _pose_by_lot(rng, face_px, width_px, height_px)
            box = face_box(look, pose)
            if _is_free(box, boxes):
                break
        else:
            continue
        draw_person(image, look, pose, light)
        boxes.append(np.clip(box, 0, [width_px, height_px] * 2).astype(np.float32))
        labels.append(label)
    while rng.random() < 0.15:
        _lost_mask(rng, image, boxes)
    found = np.array(boxes, np.float32).reshape(-1, 4)
    return spoil(rng, image), found, labels


def _face_sizes(rng: np.random.Generator, count: int, width_px: int, height_px: int) -> list[float]:
    small, large = 9.0, 0.5 * min(width_px, height_px)
    share = 1.0 if count <= 1 else 0.8 / count**0.5
    return [float(small * (large * share / small) ** rng.uniform(0, 1)) for _ in range(count)]


def _pose_by_lot(
    rng: np.random.Generator, face_px: float, width_px: int, height_px: int
) -> tuple[Pose, str]:
    """Return a pose drawn by lot, and the label that it deserves."""
    room = face_px * 0.4
    hands: tuple[tuple[float, float], ...] = ()
    mask: float | None = None
    way = rng.random()
    if way < 0.48:
        mask = float(rng.uniform(0.93, 1.1))
        if rng.random() < 0.08:
            hands = (
                (float(rng.choice((-1, 1)) * rng.uniform(0.7, 1.3)), float(rng.uniform(1, 2))),
            )
    elif way < 0.56 and face_px >= _NOSE_SHOWS_PX:
        mask = float(rng.uniform(0.42, 0.6))
    elif 0.56 <= way < 0.64:
        mask = float(rng.uniform(0.0, 0.14) if rng.random() < 0.75 else rng.uniform(-3, -0.3))
    elif 0.64 <= way < 0.72:
        hands = ((float(rng.normal(0, 0.3)), float(rng.uniform(0.7, 1.3))),)
    pose = Pose(
        x=float(rng.uniform(room, width_px - room)),
        y=float(rng.uniform(room * 1.2, height_px - room * 1.2)),
        face_px=face_px,
        tilt=float(rng.normal(0, 0.13)),
        turn=float(np.clip(rng.normal(0, 0.3), -0.7, 0.7)),
        nod=float(rng.normal(0.05, 0.14)),
        mask=mask,
        hands=hands,
        mouth=float(max(0.0, rng.uniform(-1, 1))),
        eyes=float(rng.choice((1.0, 1.0, 0.8, 0.6, 0.1))),
        gaze=float(rng.uniform(-1, 1)),
        scarf=bool(rng.random() < 0.1),
    )
    return pose, "mask" if way < 0.48 else "noMask"


def _is_free(box: FloatArray, others: list[FloatArray]) -> bool:
    """Whether a face (and the neck below it) keeps clear of the faces already there."""
    x1, y1, x2, y2 = box
    tall = y2 - y1
    for left, top, right, bottom in others:
        apart = x1 > right or x2 < left or y1 - 0.5 * tall > bottom or y2 + 0.4 * tall < top
        # A body hides what is below its face, whoever stands there.
        hidden = bottom > y1 and min(right, x2 + 1.5 * (x2 - x1)) > max(left, x1 - 1.5 * (x2 - x1))
        if not apart or hidden:
            return False
    return True


def _lost_mask(rng: np.random.Generator, image: Image, boxes: list[FloatArray]) -> None:
    """Draw a mask that nobody wears, where no face is."""
    height_px, width_px = image.shape[:2]
    half = float(rng.uniform(6, 0.12 * width_px))
    x, y = float(rng.uniform(0, width_px)), float(rng.uniform(0, height_px))
    spot = np.array([x - half, y - half, x + half, y + 1.5 * half], np.float32)
    if not _is_free(spot, boxes):
        return
    angle = rng.uniform(-1, 1)
    cos, sin = half * np.cos(angle), half * np.sin(angle)
    place = np.array([[cos, -sin, x], [sin, cos, y]])
    canvas = Canvas((-1.4, -0.2, 1.4, 1.6), half, oversample=2)
    draw_held_mask(canvas, Look.draw_lots(rng).mask)
    canvas.finish().lay_on(image, place)
