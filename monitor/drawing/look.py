"""How a drawn person looks, and how they hold themselves in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Colour, Floats, Points


def _palette(codes: str) -> tuple[Colour, ...]:
    """Return the BGR colours of RGB codes such as "ff8000"."""
    rgb = [bytes.fromhex(code) for code in codes.split()]
    return tuple((float(b), float(g), float(r)) for r, g, b in rgb)


# Skin from light to dark; people are drawn from between neighbours.
_SKINS = _palette("fadecd eec8ac deac8a c68c62 9c6242 6e422c 4a2e22")
_HAIRS = _palette("181416 30241e 543826 825a3c be8c5a dcb478 964628 9c9896 d4d0cd")
_IRISES = _palette("543424 342218 466478 506e54")
_CLOTHES = _palette("2c323c 284660 323c78 962828 3c6e46 949696 dad7d7 aa6e3c 6e466e 201e1e 5a96b4")
_MASKS = _palette("96c6e2 b4d6e8 f0eeee 222022 78b496 e6a0be 3c5aa0 8c323c 787878")

STYLES = ("bald", "crop", "short", "swept", "fringe", "bob", "long", "bun", "curly", "scarf")
_STYLE_SHARES = (0.08, 0.18, 0.17, 0.12, 0.1, 0.08, 0.11, 0.05, 0.06, 0.05)
HATS = ("", "cap", "beanie")
BEARDS = ("", "stubble", "moustache", "goatee", "full")
GLASSES = ("", "thin", "thick", "sun")
MASKS = ("surgical", "ffp2", "cloth")
PATTERNS = ("", "stripes", "dots", "checks")


@dataclass(frozen=True, slots=True)
class MaskLook:
    """A mask: its kind (of MASKS), BGR colours and, for cloth, its pattern (of PATTERNS)."""

    kind: str
    colour: Colour
    ink: Colour
    pattern: str


@dataclass(frozen=True, slots=True)
class Look:
    """What does not change about a person while they are in view.

    Colours are BGR, 0 to 255; jaw and build are about 1; `hair_seed` places single strands.
    """

    skin: Colour
    hair: Colour
    iris: Colour
    top: Colour
    trousers: Colour
    collar: str
    style: str
    hat: str
    hat_colour: Colour
    beard: str
    glasses: str
    brow: float
    jaw: float
    nose: float
    lips: float
    build: float
    age: float
    mask: MaskLook
    hair_seed: int

    @classmethod
    def draw_lots(cls, rng: np.random.Generator) -> Look:
        """Return a person drawn by lot."""
        skin = _between(rng, _SKINS, jitter=6)
        may_have_beard = rng.random() < 0.45
        style = str(rng.choice(STYLES, p=_STYLE_SHARES))
        bearded = may_have_beard and style not in ("bob", "scarf")
        hat = "" if style in ("scarf", "bun") else str(rng.choice(HATS, p=(0.86, 0.08, 0.06)))
        return cls(
            skin=skin,
            hair=_near(rng, _HAIRS, jitter=8),
            iris=_near(rng, _IRISES, jitter=6),
            top=_near(rng, _CLOTHES, jitter=18),
            trousers=_near(rng, _CLOTHES[:5], jitter=12),
            collar=str(rng.choice(("crew", "vee", "shirt", "hood"))),
            style=style,
            hat=hat,
            hat_colour=_near(rng, _CLOTHES, jitter=18),
            beard=str(rng.choice(BEARDS[1:])) if bearded else "",
            glasses=str(rng.choice(GLASSES, p=(0.68, 0.14, 0.12, 0.06))),
            brow=float(rng.uniform(0.05, 0.13)),
            jaw=float(rng.uniform(0.86, 1.08)),
            nose=float(rng.uniform(0.82, 1.25)),
            lips=float(rng.uniform(0.75, 1.3)),
            build=float(rng.uniform(0.85, 1.15)),
            age=float(rng.uniform(0, 1)),
            mask=_mask(rng),
            hair_seed=int(rng.integers(2**31)),
        )


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a person is and what they do at one moment.

    x, y: the middle of the face, pixels. face_px: ear to ear, pixels.
    tilt: head towards a shoulder; turn: to the picture's right; nod: down; all radians.
    mask: None when there is none, else how high it sits: 1 over nose and mouth, about 0.5 with
        the nose out, 0 under the chin; less is a mask in the hands, that many units lower.
    hands: where each hand's palm is, in units of half a face width from its middle; none means
        that both arms hang down.
    mouth, eyes: how far they are open, 0 to 1. gaze: -1 to 1, left to right in the picture.
    scarf: whether a scarf is around the neck. stride: -1 to 1, which foot is lifted, and how far.
    """

    x: float
    y: float
    face_px: float
    tilt: float = 0.0
    turn: float = 0.0
    nod: float = 0.0
    mask: float | None = None
    hands: tuple[tuple[float, float], ...] = ()
    mouth: float = 0.0
    eyes: float = 1.0
    gaze: float = 0.0
    scarf: bool = False
    stride: float = 0.0

    @property
    def face_only(self) -> Pose:
        """What the upright head shows, wherever it is: steps small enough not to be seen."""
        return Pose(
            0.0,
            0.0,
            2.0,
            turn=round(self.turn, 2),
            nod=round(self.nod, 2),
            mask=None if self.mask is None or self.mask < 0 else round(self.mask, 2),
            mouth=round(self.mouth, 1),
            eyes=round(self.eyes, 1),
            gaze=round(self.gaze, 1),
        )

    @property
    def place(self) -> Floats:
        """float64 [2, 3]: from units about the upright face to pixels."""
        half = self.face_px / 2
        return np.array([[half, 0, self.x], [0, half, self.y]])

    @property
    def tilted_place(self) -> Floats:
        """float64 [2, 3]: from units about the tilted head to pixels; the neck is the pivot."""
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        rotation = np.array([[cos, -sin], [sin, cos]])
        pivot = np.array([0.0, 1.3])
        shift = pivot - rotation @ pivot
        place = self.place
        return np.column_stack([place[:, :2] @ rotation, place[:, :2] @ shift + place[:, 2]])

    @property
    def mask_place(self) -> Floats:
        """float64 [2, 3]: from units about a mask in the hands to pixels."""
        place = self.place
        place[:, 2] += place[:, :2] @ [0.0, 1.0 - (self.mask or 0.0)]
        return place

    def project(self, points: Points, *, depth: float = 0.0) -> Floats:
        """Turn and nod points of a face seen from the front.

        points: [N, 2], units, on an ellipsoid of a head. depth: how far in front of it, units.
        Returns float64 [N, 2].
        """
        p = np.asarray(points, np.float64)
        z = np.sqrt(np.maximum(1 - p[:, 0] ** 2 - (p[:, 1] / 1.75) ** 2, 0)) + depth
        return np.stack(
            [
                p[:, 0] * np.cos(self.turn) + z * np.sin(self.turn),
                p[:, 1] * np.cos(self.nod) + 0.9 * z * np.sin(self.nod),
            ],
            axis=1,
        )


def shade(colour: Colour, factor: float) -> Colour:
    """Return `colour` made darker (factor below 1) or lighter (above 1)."""
    b, g, r = (float(min(255.0, c * factor)) for c in colour)
    return b, g, r


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour `share` (0 to 1) of the way from `first` to `second`."""
    b, g, r = (float(p + (q - p) * share) for p, q in zip(first, second, strict=True))
    return b, g, r


def _jittered(rng: np.random.Generator, colour: Colour, jitter: float) -> Colour:
    b, g, r = (float(np.clip(c + rng.normal(0, jitter), 4, 252)) for c in colour)
    return b, g, r


def _near(rng: np.random.Generator, palette: tuple[Colour, ...], jitter: float) -> Colour:
    return _jittered(rng, palette[int(rng.integers(len(palette)))], jitter)


def _between(rng: np.random.Generator, palette: tuple[Colour, ...], jitter: float) -> Colour:
    at = rng.uniform(0, len(palette) - 1.001)
    return _jittered(rng, mix(palette[int(at)], palette[int(at) + 1], at % 1), jitter)


def _mask(rng: np.random.Generator) -> MaskLook:
    kind = str(rng.choice(MASKS, p=(0.55, 0.2, 0.25)))
    if kind == "surgical":
        weights = np.array([5, 3, 2, 2.5, 1, 1, 0.2, 0.2, 0.3])
    elif kind == "ffp2":
        weights = np.array([0.3, 0.3, 6, 1.5, 0, 0.2, 0, 0, 0.5])
    else:
        weights = np.ones(len(_MASKS))
    colour = _jittered(rng, _MASKS[int(rng.choice(len(_MASKS), p=weights / weights.sum()))], 8)
    ink = _near(rng, _CLOTHES, jitter=10)
    return MaskLook(kind, colour, ink, str(rng.choice(PATTERNS)) if kind == "cloth" else "")
