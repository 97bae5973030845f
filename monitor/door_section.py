"""Section of the configuration for a door: its camera, its zones, its policy, its actuators."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from .actuators.sections import ActuatorSection, LogSection
from .fields import Polygon, Score, Text, TimeOfDay
from .hours import DAYS, Day
from .schema import Listed, Section, Unshown, filled, named_apart

# As far as `monitor.sources` takes one.
_HIGHEST_INDEX = 99
_SOURCE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "integer", "minimum": 0, "maximum": _HIGHEST_INDEX}, {"type": "string"}]
}


def _source(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _HIGHEST_INDEX:
        return value
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value
    expected = (
        f"a camera index of 0 to {_HIGHEST_INDEX}, a device path, URL, file or folder, or demo"
    )
    if isinstance(value, str):
        # It may hold a password.
        raise Unshown(f"no text, or a line break or control character found, expected {expected}")
    raise ValueError(expected)


class CameraSection(Section):
    """What is asked of a camera on this machine, see `monitor.sources.device.Mode`."""

    width_px: int | None = Field(default=None, ge=16, le=16_384)
    height_px: int | None = Field(default=None, ge=16, le=16_384)
    fps: float | None = Field(default=None, gt=0, le=1000)
    mjpg: bool = False


class ZonesSection(Section):
    """Polygons of (x, y) points as fractions of the frame, see `monitor.zones`."""

    watch: Listed[Polygon] = ()
    ignore: Listed[Polygon] = ()


class ClosedSection(Section):
    """Hours in which the door never opens, see `monitor.hours.Closed`."""

    days: Annotated[Listed[Day], AfterValidator(filled)] = DAYS
    begin: TimeOfDay
    end: TimeOfDay


class PolicySection(Section):
    """When the door opens, see `monitor.policy`.

    grant, deny: scores; None for the model's own.
    max_age_seconds: a live picture older than this is no evidence and unlocks nothing.
    """

    allowed: Annotated[Listed[Text], AfterValidator(filled)] = ("mask",)
    grant: Score | None = None
    deny: Score | None = None
    min_faces: int = Field(default=1, ge=1, le=100)
    smallest_face_px: float = Field(default=20.0, ge=0, le=10_000)
    settle_seconds: float = Field(default=0.15, ge=0, le=10)
    hold_seconds: float = Field(default=1.0, ge=0, le=60)
    grace_seconds: float = Field(default=0.5, ge=0.05, le=10)
    max_unlock_seconds: float | None = Field(default=None, ge=1, le=86_400)
    max_age_seconds: float = Field(default=1.0, ge=0.1, le=60)
    closed: Listed[ClosedSection] = ()
    closed_for: Literal["live", "all"] = "live"

    @field_validator("deny")
    @classmethod
    def _at_most_grant(cls, deny: float | None, info: ValidationInfo) -> float | None:
        grant = info.data.get("grant")
        if deny is not None and grant is not None and deny > grant:
            raise ValueError(f"at most grant, {grant:g}")
        return deny


class DoorSection(Section):
    """One door: its camera, its zones, its policy and what moves its lock.

    rotate_degrees: clockwise, before mirroring; both before the detector.
    zones_file: path of a file with more zones, to which the window adds; see `monitor.zones_file`.
    """

    name: Text
    source: Annotated[int | str, PlainValidator(_source), WithJsonSchema(_SOURCE_SCHEMA)] = "demo"
    camera: CameraSection = CameraSection()
    rotate_degrees: Literal[0, 90, 180, 270] = 0
    mirror: bool = False
    zones: ZonesSection = ZonesSection()
    zones_file: Text | None = None
    policy: PolicySection = PolicySection()
    actuators: Annotated[
        Listed[ActuatorSection], AfterValidator(filled), AfterValidator(named_apart)
    ] = (LogSection(),)
