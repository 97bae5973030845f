"""Who does what and when in the demo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .lobby import face_y
from .look import Pose

Keys = Sequence[tuple[float, float]]

# Where a mask's hands are, in units from the mask's middle, and where idle ones hang.
_GRIP_X, _IDLE_X, _IDLE_Y = 1.05, 2.95, 9.6
_IN_POCKET = -8.0
_WORN = 1.0
_NOSE_OUT = 0.5


def ease(keys: Keys, time: float) -> float:
    """Return the value at `time`, seconds, of keys (seconds, value), slow at each key."""
    times = [at for at, _ in keys]
    after = int(np.searchsorted(times, time, side="right"))
    if after == 0:
        return keys[0][1]
    if after == len(keys):
        return keys[-1][1]
    (start, first), (end, last) = keys[after - 1], keys[after]
    share = (time - start) / (end - start)
    return first + (last - first) * share * share * (3 - 2 * share)


@dataclass(frozen=True, slots=True)
class Grip:
    """Hands that reach for a mask, hold it, and let go; seconds.

    sides: -1 for the hand on the picture's left, 1 for the other.
    """

    reach: float
    hold: float
    release: float
    rest: float
    sides: tuple[int, ...] = (-1, 1)


@dataclass(frozen=True, slots=True)
class Actor:
    """One person's part.

    enters, leaves: when they are in the scene at all, seconds. passes_wall: until when the far
        wall can hide them, seconds.
    x: keys of the face's place from the picture's middle, as a fraction of its height.
    size: keys of the face's width as a fraction of the picture's height.
    mask: keys of `Pose.mask`; in the pocket it is not drawn. turn: keys of the head's turn.
    """

    enters: float
    passes_wall: float
    leaves: float
    x: Keys
    size: Keys
    mask: Keys
    grips: tuple[Grip, ...] = ()
    turn: Keys = ((0.0, 0.0),)

    def pose(self, time: float, width_px: int, height_px: int) -> Pose | None:
        """Return where the actor is and what they do at `time`, seconds; None when away."""
        if not self.enters <= time < self.leaves:
            return None
        size = ease(self.size, time)
        pace = abs(ease(self.size, time + 0.1) - ease(self.size, time - 0.1)) / size
        pace += abs(ease(self.x, time + 0.1) - ease(self.x, time - 0.1)) / size * 0.3
        walking = min(1.0, pace * 25)
        step = np.sin(time * 2 * np.pi * 0.9 + self.enters)
        lift = ease(self.mask, time)
        sway = np.sin(time * 1.3 + self.enters)
        blink = (time + 0.37 * self.enters) % 3.1 < 0.14
        return Pose(
            x=width_px / 2 + height_px * (ease(self.x, time) + 0.004 * sway),
            y=height_px * (face_y(size) - 0.06 * size * abs(step) * walking),
            face_px=height_px * size,
            tilt=0.03 * sway,
            turn=ease(self.turn, time),
            nod=0.05,
            mask=None if lift <= _IN_POCKET else lift,
            hands=self._hands(time, lift),
            eyes=0.1 if blink else 1.0,
            gaze=0.5 * round(float(np.sin(time * 0.7))),
            stride=float(step) * walking,
        )

    def _hands(self, time: float, lift: float) -> tuple[tuple[float, float], ...]:
        middle = 1.27 - 0.58 * lift if lift > 0 else 1.6 - lift
        for grip in self.grips:
            if grip.reach <= time < grip.rest:
                keys = ((grip.reach, 0.0), (grip.hold, 1.0), (grip.release, 1.0), (grip.rest, 0.0))
                share = ease(keys, time)
                x = _IDLE_X + (_GRIP_X - _IDLE_X) * share
                y = _IDLE_Y + (middle + 0.35 - _IDLE_Y) * share
                return tuple((side * x, y) for side in grip.sides)
        return ()


def _puts_on(start: float) -> tuple[Keys, Grip]:
    """Take a mask out of the pocket; it is fully on 1.7 seconds after `start`."""
    keys = ((start, _IN_POCKET), (start + 1.0, -0.2), (start + 1.7, _WORN))
    return keys, Grip(start, start + 0.3, start + 1.8, start + 2.4)


_A_ON, _A_GRIP = _puts_on(5.4)
_B_ON, _B_GRIP = _puts_on(15.4)

# The first comes in bare, masks up, later lets the nose out for a while.
_FIRST = Actor(
    enters=1.2,
    passes_wall=2.4,
    leaves=35.0,
    x=((1.4, -0.3), (2.4, 0.0), (5.0, -0.42), (31.3, -0.42), (34.6, -1.3)),
    size=((1.4, 0.048), (2.4, 0.052), (5.0, 0.21), (31.3, 0.21), (34.6, 0.3)),
    mask=(*_A_ON, (20.9, _WORN), (21.5, _NOSE_OUT), (25.0, _NOSE_OUT), (25.6, _WORN)),
    grips=(
        _A_GRIP,
        Grip(20.4, 20.9, 21.5, 22.1, sides=(-1,)),
        Grip(24.5, 25.0, 25.6, 26.2, sides=(-1,)),
    ),
    turn=(
        (1.4, 0.3),
        (2.6, 0.0),
        (5.0, 0.1),
        (9.5, 0.0),
        (11.6, 0.15),
        (18.0, 0.05),
        (31.3, 0.0),
        (32.0, -0.4),
    ),
)
# The second joins without a mask, puts one on, and takes it off again near the end.
_SECOND = Actor(
    enters=11.4,
    passes_wall=12.6,
    leaves=36.4,
    x=((11.6, 0.3), (12.6, 0.0), (15.0, 0.42), (33.0, 0.42), (36.2, 1.3)),
    size=((11.6, 0.048), (12.6, 0.052), (15.0, 0.22), (33.0, 0.22), (36.2, 0.3)),
    mask=(*_B_ON, (30.0, _WORN), (30.6, -0.2), (31.6, _IN_POCKET)),
    grips=(_B_GRIP, Grip(29.5, 30.0, 31.3, 31.8)),
    turn=((11.6, -0.3), (12.8, 0.0), (15.0, -0.1), (27.0, 0.0), (33.0, 0.05), (34.0, 0.4)),
)
# The third already wears a mask.
_THIRD = Actor(
    enters=20.6,
    passes_wall=21.8,
    leaves=35.6,
    x=((20.8, -0.3), (21.8, 0.0), (24.4, 0.0), (32.2, 0.0), (35.4, -1.3)),
    size=((20.8, 0.048), (21.8, 0.052), (24.4, 0.16), (32.2, 0.16), (35.4, 0.26)),
    mask=((0.0, _WORN),),
    turn=((20.8, 0.3), (22.0, 0.0), (32.2, 0.0), (33.0, -0.4)),
)

CAST = (_FIRST, _SECOND, _THIRD)
DURATION_SECONDS = 37.0

# (from, to, unlocked), seconds. Each leaves time for the hold or the grace of the policy's
# defaults, and for the moments in which nobody could say whether a mask is on.
DOOR_SPANS = (
    (0.0, 6.5, False),
    (9.2, 11.3, True),
    (13.4, 16.4, False),
    (19.2, 20.3, True),
    (22.4, 24.4, False),
    (27.8, 29.4, True),
    (31.7, DURATION_SECONDS, False),
)
